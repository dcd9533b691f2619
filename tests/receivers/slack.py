"""Slack: incoming webhooks, and `chat.postMessage` of the Web API.

Sources: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (answers and errors),
docs.slack.dev/reference/block-kit/blocks (lengths),
docs.slack.dev/reference/methods/chat.postMessage (`ok: false`),
docs.slack.dev/apis/web-api/rate-limits (429 with `Retry-After`),
docs.slack.dev/messaging/formatting-message-text (`&`, `<`, `>`; `<!channel>`, `<@U…>`).
"""

import html
import re
from typing import Any, Final

from tests.receivers.http_receiver import HttpReceiver, Reply, Request, form_or_json

_LONGEST_TEXT: Final = 40_000
_LONGEST_SECTION: Final = 3_000
_LONGEST_HEADER: Final = 150
_MOST_BLOCKS: Final = 50
_HOOK: Final = re.compile(r"/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]+")
_BOT_TOKEN: Final = re.compile(r"Bearer xox[abp]-\S+")
_MENTION: Final = re.compile(r"<(![a-z]+|@[UW][A-Z0-9]+|!subteam\^[A-Z0-9]+)(?:\|[^>]*)?>")


class SlackRefusalError(ValueError):
    """The word by which Slack says what it does not like."""


class SlackWebhook(HttpReceiver):
    """`https://hooks.slack.com/services/…`: `ok` or a word, as plain text."""

    host = "hooks.slack.com"

    def judge(self, request: Request) -> Reply:
        if request.method != "POST" or not _HOOK.fullmatch(request.path):
            return Reply(status=404, body="no_service", problem="no_service")
        fields = form_or_json(request)
        if not isinstance(fields, dict):
            return Reply(status=400, body="invalid_payload", problem="invalid_payload")
        try:
            text, mentions = read_message(fields)
        except SlackRefusalError as problem:
            return Reply(status=400, body=str(problem), problem=str(problem))
        return Reply(body="ok", text=text, mentions=mentions)

    def too_many(self, retry_after_s: float) -> Reply:  # noqa: ARG002 - Slack says it in the header
        return Reply(status=429, body="rate_limited", problem="rate_limited")

    def too_long(self) -> Reply:
        return Reply(status=400, body="invalid_blocks", problem="invalid_blocks")


class SlackBot(HttpReceiver):
    """`https://slack.com/api/chat.postMessage`: what went wrong is said with status 200.

    `error`: what every message is answered with, for example `channel_not_found`.
    """

    host = "slack.com"
    error: str | None = None

    def judge(self, request: Request) -> Reply:
        if request.method != "POST" or request.path != "/api/chat.postMessage":
            return self._no("unknown_method")
        if not _BOT_TOKEN.fullmatch(request.headers.get("authorization", "")):
            return self._no("not_authed")
        fields = form_or_json(request)
        if not isinstance(fields, dict):
            return self._no("invalid_json")
        if not isinstance(fields.get("channel"), str):
            return self._no("invalid_arguments")
        if self.error is not None:
            return self._no(self.error)
        try:
            text, mentions = read_message(fields)
        except SlackRefusalError as problem:
            return self._no(str(problem))
        answer = {"ok": True, "channel": "C0123456789", "ts": "1503435956.000247"}
        return Reply(body=answer, text=text, mentions=mentions)

    def too_many(self, retry_after_s: float) -> Reply:  # noqa: ARG002 - Slack says it in the header
        return Reply(status=429, body={"ok": False, "error": "ratelimited"}, problem="ratelimited")

    def too_long(self) -> Reply:
        return self._no("msg_too_long")

    def _no(self, error: str) -> Reply:
        return Reply(body={"ok": False, "error": error}, problem=error)


def read_message(fields: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The text that people read, and who is mentioned in it.

    Raises:
        SlackRefusalError: with Slack's own word.
    """
    pieces: list[tuple[str, bool]] = []
    if isinstance(fields.get("text"), str):
        pieces.append((fields["text"], fields.get("mrkdwn", True) is not False))
    _read_blocks(fields.get("blocks", []), pieces)
    attachments = fields.get("attachments", [])
    if not isinstance(attachments, list) or len(attachments) > 100:
        raise SlackRefusalError("too_many_attachments")
    for attachment in attachments:
        if not isinstance(attachment, dict):
            raise SlackRefusalError("invalid_attachments")
        pieces += [
            (attachment[name], True)
            for name in ("pretext", "title", "text")
            if isinstance(attachment.get(name), str)
        ]
        _read_blocks(attachment.get("blocks", []), pieces)
    if not any(text.strip() for text, _ in pieces):
        raise SlackRefusalError("no_text")
    if sum(len(text) for text, _ in pieces) > _LONGEST_TEXT:
        raise SlackRefusalError("msg_too_long")
    mentions = tuple(found for text, marked in pieces if marked for found in _MENTION.findall(text))
    return "\n".join(html.unescape(text) for text, _ in pieces), mentions


def _read_blocks(blocks: Any, pieces: list[tuple[str, bool]]) -> None:
    if not isinstance(blocks, list) or len(blocks) > _MOST_BLOCKS:
        raise SlackRefusalError("invalid_blocks")
    for block in blocks:
        kind = block.get("type") if isinstance(block, dict) else None
        if kind in {"divider", "image", "actions"}:
            continue
        if kind == "header":
            # A header is plain text alone.
            _read_text(block.get("text"), _LONGEST_HEADER, pieces, plain_only=True)
        elif kind == "section":
            fields = block.get("fields", [])
            if block.get("text") is None and not fields:
                raise SlackRefusalError("invalid_blocks")
            if block.get("text") is not None:
                _read_text(block["text"], _LONGEST_SECTION, pieces)
            for field in fields:
                _read_text(field, 2_000, pieces)
        elif kind == "context":
            for element in block.get("elements", []):
                if isinstance(element, dict) and element.get("type") == "image":
                    continue
                _read_text(element, _LONGEST_SECTION, pieces)
        else:
            raise SlackRefusalError("invalid_blocks")


def _read_text(
    text: Any, longest: int, pieces: list[tuple[str, bool]], *, plain_only: bool = False
) -> None:
    kinds = {"plain_text"} if plain_only else {"plain_text", "mrkdwn"}
    if not isinstance(text, dict) or text.get("type") not in kinds:
        raise SlackRefusalError("invalid_blocks")
    said = text.get("text")
    if not isinstance(said, str) or not 1 <= len(said) <= longest:
        raise SlackRefusalError("invalid_blocks")
    pieces.append((said, text["type"] == "mrkdwn"))
