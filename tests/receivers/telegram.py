"""Telegram's Bot API: `sendMessage`.

Sources: core.telegram.org/bots/api (`sendMessage`: 1 to 4096 characters after parsing of entities;
"Formatting options"; `ResponseParameters.retry_after`), core.telegram.org/bots/faq. Telegram counts
UTF-16 code units. It pings whom a text calls `@name`, in every parse mode.
"""

import re
from html.parser import HTMLParser
from typing import Any, Final

from tests.receivers.http_receiver import HttpReceiver, Reply, Request, form_or_json

_LONGEST: Final = 4096
_PATH: Final = re.compile(r"/bot(\d+:[A-Za-z0-9_-]{30,})/(\w+)")
_TAGS: Final = frozenset(
    {"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "a"}
    | {"code", "pre", "blockquote", "tg-emoji"}
)
_MENTION: Final = re.compile(r"(?<![\w@./])@[A-Za-z]\w{3,31}\b")
_MARK_V2: Final = frozenset("_*[]()~`>#+-=|{}.!")


class TelegramRefusalError(ValueError):
    """The description of a 400."""


class Telegram(HttpReceiver):
    """`https://api.telegram.org/botTOKEN/sendMessage`."""

    host = "api.telegram.org"

    def judge(self, request: Request) -> Reply:
        found = _PATH.fullmatch(request.path)
        if found is None:
            return _no(404, "Not Found")
        method = found[2]
        if method == "getMe":
            return Reply(
                body={"ok": True, "result": {"id": 1, "is_bot": True}}, problem="no message"
            )
        if method != "sendMessage":
            return _no(404, "Not Found")
        fields = form_or_json(request)
        if not isinstance(fields, dict):
            return _no(400, "Bad Request: can't parse JSON object")
        if not str(fields.get("chat_id", "")):
            return _no(400, "Bad Request: chat_id is empty")
        try:
            text = read_text(fields.get("text"), fields.get("parse_mode"))
        except TelegramRefusalError as problem:
            return _no(400, f"Bad Request: {problem}")
        answer: dict[str, Any] = {"message_id": 7, "date": 1, "chat": {"id": 1}, "text": text}
        mentions = tuple(_MENTION.findall(text))
        if "tg://user?id=" in str(fields.get("text")):
            mentions += ("tg://user",)
        return Reply(body={"ok": True, "result": answer}, text=text, mentions=mentions)

    def too_many(self, retry_after_s: float) -> Reply:
        after = max(1, round(retry_after_s))
        said = f"Too Many Requests: retry after {after}"
        body = {
            "ok": False,
            "error_code": 429,
            "description": said,
            "parameters": {"retry_after": after},
        }
        return Reply(status=429, body=body, problem=said)

    def too_long(self) -> Reply:
        return _no(400, "Bad Request: message is too long")

    def failed(self, status: int) -> Reply:
        return _no(status, "Unauthorized" if status == 401 else "Internal Server Error")


def _no(status: int, description: str) -> Reply:
    body = {"ok": False, "error_code": status, "description": description}
    return Reply(status=status, body=body, problem=description)


def read_text(text: Any, parse_mode: Any) -> str:
    """The text as people see it.

    Raises:
        TelegramRefusalError: Telegram would not take it.
    """
    if not isinstance(text, str):
        raise TelegramRefusalError("message text is empty")
    mode = str(parse_mode or "").lower()
    if mode == "html":
        shown = _read_html(text)
    elif mode == "markdown":
        shown = _read_markdown(text)
    elif mode == "markdownv2":
        shown = _read_markdown_v2(text)
    elif not mode:
        shown = text
    else:
        raise TelegramRefusalError("unsupported parse_mode")
    if not shown.strip():
        raise TelegramRefusalError("message text is empty")
    if len(shown.encode("utf-16-le")) // 2 > _LONGEST:
        raise TelegramRefusalError("message is too long")
    return shown.strip()


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.shown: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag not in _TAGS:
            raise TelegramRefusalError(f'can\'t parse entities: Unsupported start tag "{tag}"')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise TelegramRefusalError(f'can\'t parse entities: Unmatched end tag "{tag}"')

    def handle_data(self, data: str) -> None:
        if "<" in data:
            # Python reads a lone `<` as text, Telegram as a tag that does not end.
            raise TelegramRefusalError("can't parse entities: Unsupported start tag")
        self.shown.append(data)

    def handle_comment(self, data: str) -> None:  # noqa: ARG002
        raise TelegramRefusalError("can't parse entities: Unsupported start tag")

    handle_decl = handle_pi = unknown_decl = handle_comment


def _read_html(text: str) -> str:
    # An escaped `<` is text: it must not be taken for a tag that begins.
    marked = text.replace("&lt;", "\ue000").replace("&#60;", "\ue000")
    parser = _Html()
    parser.feed(marked)
    parser.close()
    if parser.open:
        raise TelegramRefusalError(
            f"can't parse entities: Can't find end tag of \"{parser.open[-1]}\""
        )
    return "".join(parser.shown).replace("\ue000", "<")


def _read_markdown(text: str) -> str:
    """The old `Markdown`: entities don't nest, and each one that begins must end."""
    shown: list[str] = []
    place = 0
    while place < len(text):
        sign = text[place]
        if sign == "\\" and text[place + 1 : place + 2] in {"_", "*", "`", "["}:
            shown.append(text[place + 1])
            place += 2
            continue
        if sign in "_*`":
            ending = "```" if text.startswith("```", place) else sign
            end = text.find(ending, place + len(ending))
            if end < 0:
                raise TelegramRefusalError(
                    "can't parse entities: Can't find end of the entity starting at byte offset "
                    f"{len(text[:place].encode())}"
                )
            shown.append(text[place + len(ending) : end])
            place = end + len(ending)
            continue
        if sign == "[":
            link = re.compile(r"\[([^\]]*)\](?:\(([^)]*)\))?").match(text, place)
            if link is None:
                raise TelegramRefusalError("can't parse entities: Can't find end of the entity")
            shown.append(link[1] if link[2] is not None else f"[{link[1]}]")
            place = link.end()
            continue
        shown.append(sign)
        place += 1
    return "".join(shown)


def _read_markdown_v2(text: str) -> str:
    """`MarkdownV2`: marks come in pairs, every other special character is escaped."""
    shown: list[str] = []
    counts = dict.fromkeys("_*~`", 0)
    place = 0
    while place < len(text):
        sign = text[place]
        if sign == "\\" and place + 1 < len(text):
            shown.append(text[place + 1])
            place += 2
            continue
        if sign in counts:
            counts[sign] += 1
        elif sign in "[]()" or (sign == ">" and text[place - 1 : place] in {"", "\n"}):
            pass
        elif sign in _MARK_V2 and not counts["`"] % 2:
            raise TelegramRefusalError(
                f"can't parse entities: Character '{sign}' is reserved and must be escaped with the"
                " preceding '\\'"
            )
        else:
            shown.append(sign)
        place += 1
    if any(count % 2 for count in counts.values()):
        raise TelegramRefusalError("can't parse entities: Can't find end of the entity")
    return "".join(shown)
