"""The text of a message by the templates of its route, fitted to its channel."""

import html
from collections.abc import Callable, Mapping
from typing import Final

from jinja2 import TemplateRuntimeError, Undefined
from msgspec import structs

from schemas.plain_text import one_line, plain
from schemas.policy import Templates
from sinks.notifier.model import Delivery
from sinks.notifier.texts.markup import Pen
from sinks.notifier.texts.model import ONE_LINE, SHORT, SUBJECT_LENGTH, Budget, Text
from sinks.notifier.texts.outside import ELLIPSIS
from sinks.notifier.texts.templates.sandbox import fault_text, rendered
from sinks.notifier.texts.templates.values import Told, Url, UsualTexts, values_of

Usual = Callable[[Budget], Text]
"""The usual text within a budget."""

Document = Callable[[int], Mapping[str, object]]
"""`title`, `colour` and `passages` of a mail's document, within so many characters."""

_TRIES: Final = 12
_LEAST: Final = 60
_SMS: Final = Pen("plain", "sms")
_PLAIN: Final = Pen("plain", "characters")
_JOINING: Final = frozenset("@\N{FULLWIDTH COMMERCIAL AT}<&(")
"""What may become a mention together with what a template puts behind it."""

_APART: Final = "\u200b"


class TemplateFaultError(Exception):
    """A template that can't be used for this message; the text says which, where and why."""


def own_text(
    templates: Templates, delivery: Delivery, budget: Budget, usual: Usual, document: Document
) -> Text:
    """The message by templates; what has none is as usual.

    Raises:
        TemplateFaultError: a template can't be rendered, or its text does not fit.
    """
    return _Own(templates, delivery, budget, usual, document).text()


class _Own:
    """One message while it is made."""

    def __init__(
        self,
        templates: Templates,
        delivery: Delivery,
        budget: Budget,
        usual: Usual,
        document: Document,
    ) -> None:
        self._templates = templates
        self._budget = budget
        self._usual = usual
        self._document = document
        self._pen = Pen.of(budget)
        self._values = structs.asdict(values_of(delivery))
        self._count = self._shown = len(delivery.news)
        self._plain = usual(Budget(title=SUBJECT_LENGTH, body=budget.body, short=budget.short))

    def text(self) -> Text:
        """The whole message."""
        line = self._subject_line()
        title = 0 if self._budget.title_in_body else min(self._budget.title, SUBJECT_LENGTH)
        subject = self._fitting(line, title) if title > 0 else ""
        found = structs.replace(
            self._usual(self._budget), line=line, subject=subject, short=self._short()
        )
        if self._budget.body < ONE_LINE:
            return structs.replace(found, body=self._only_line(found, line))
        first = "" if title > 0 else self._fitting(line, self._budget.body // 2)
        if self._templates.text is not None:
            found = structs.replace(found, body=self._body(first), html=None)
        elif self._templates.subject is not None:
            body = self._usual_body(self._budget.body - self._size(first) - 2)
            found = structs.replace(found, body=self._under(first, body))
        if self._templates.html is not None and self._budget.markup == "html":
            found = structs.replace(found, html=self._html())
        return found

    def _subject_line(self) -> str:
        """The subject in plain text; the usual one if the template says nothing."""
        if self._templates.subject is None:
            return self._plain.line
        written = self._render("subject", self._templates.subject, _PLAIN, self._usual_in(_PLAIN))
        line = " ".join(one_line(written).split())
        # As many octets as a header of a mail has: four times three at most a character.
        most = SUBJECT_LENGTH if line.isascii() else SUBJECT_LENGTH // 4
        return _cut(line, most) or self._plain.line

    def _fitting(self, line: str, limit: int) -> str:
        if line == self._plain.line:  # The usual one knows what to leave out.
            alone = structs.replace(self._budget, title=min(limit, SUBJECT_LENGTH))
            alone = structs.replace(alone, title_in_body=False)
            return self._usual(alone).subject
        if self._pen.markup == "html":  # an SMS has none
            return _cut(line, limit)
        return self._pen.fit(line, min(limit, SUBJECT_LENGTH))

    def _only_line(self, found: Text, line: str) -> str:
        """The body of a channel that takes one line."""
        if self._templates.short is not None:
            return self._pen.fit(found.short, self._budget.body)
        return self._pen.fit(line, self._budget.body) if self._templates.subject else found.body

    def _short(self) -> str:
        source, limit = self._templates.short, min(self._budget.short, SHORT)
        if source is None:
            return self._plain.short
        written = self._render("short", source, _SMS, self._usual_in(_SMS))
        return _SMS.fit(" ".join(one_line(written).split()), limit) or self._plain.short

    def _body(self, first: str) -> str:
        source = self._templates.text or ""
        room = limit = self._budget.body - self._size(first) - (2 if first else 0)
        self._shown, body = self._count, ""
        for _ in range(_TRIES):
            usual = self._usual_in(self._pen, room)
            body = plain(self._render("text", source, self._pen, usual)).strip("\n")
            size = self._size(body)
            if size <= limit:
                break
            less = room - (size - limit) - _LEAST // 2
            if "usual" in source and less >= _LEAST:
                room = less
            elif not self._show_fewer(limit, size):
                break
        if not body.strip():
            return self._under(first, self._usual_body(limit))
        if self._size(body) > limit:
            body = self._cut_lines(body, limit)
        return self._under(first, body)

    def _cut_lines(self, body: str, limit: int) -> str:
        """The first lines that fit; tags would lose their ends by that."""
        if self._budget.markup == "telegram" and "<" in body:
            size = self._size(body)
            raise TemplateFaultError(
                f"templates.text: expected at most {limit:,} characters for this channel, "
                f"found {size:,}"
            )
        lines = body.split("\n")
        while lines and self._size("\n".join(lines)) + len(ELLIPSIS) + 3 > limit:
            del lines[max(len(lines) - max(1, len(lines) // 20), 0) :]
        if not lines:
            raise TemplateFaultError(
                f"templates.text: expected lines of at most {limit:,} characters for this channel"
            )
        return "\n".join([*lines, "..." if self._budget.units == "sms" else ELLIPSIS])

    def _show_fewer(self, limit: int, size: int) -> bool:
        """Takes subjects away in proportion to what is too long; False if there is only one."""
        if self._shown <= 1:
            return False
        self._shown = max(1, min(self._shown - 1, self._shown * limit // size * 9 // 10))
        return True

    def _html(self) -> str:
        source = self._templates.html or ""
        self._shown = self._count
        room = limit = self._budget.body
        for _ in range(_TRIES):
            values = {**self._document(room), "usual": self._usual_html(room)}
            found = plain(self._try("html", source, values, _html_written)).strip()
            if not found:
                raise TemplateFaultError("templates.html: expected a text, found none")
            if len(found.encode()) <= limit:
                return found
            self._show_fewer(limit, len(found.encode()))
            room = min(room * limit // len(found.encode()), room - 1) - _LEAST
            if room < _LEAST:
                break
        raise TemplateFaultError(
            f"templates.html: expected at most {limit:,} bytes for this channel, found more"
        )

    def _render(self, name: str, source: str, pen: Pen, usual: UsualTexts) -> str:
        return self._try(name, source, {"usual": usual}, _written_by(pen))

    def _try(
        self,
        name: str,
        source: str,
        more: Mapping[str, object],
        writer: Callable[[object], str],
    ) -> str:
        values = self._values
        if self._shown < self._count:
            shown = values["subjects"][: self._shown]
            values = {**values, "subjects": shown, "more": self._count - self._shown}
        try:
            return rendered(source, {**values, **more}, writer)
        except Exception as error:
            raise TemplateFaultError(f"templates.{name}, {fault_text(error)}") from error

    def _usual_in(self, pen: Pen, room: int | None = None) -> UsualTexts:
        """The usual texts as `pen` writes them."""
        room = self._budget.body if room is None else room
        text = self._plain_body(room)
        written = self._usual_body(room) if pen == self._pen else _lines(text, pen)
        line = self._plain.line
        return UsualTexts(
            subject=Told(line, pen.write(line)),
            text=Told(text, written),
            short=Told(self._plain.short, pen.write(self._plain.short)),
            html=Told(text, written),
        )

    def _usual_html(self, room: int) -> UsualTexts:
        line, text = self._plain.line, self._plain_body(room)
        shown = "<br>\n".join(html.escape(one) for one in text.split("\n"))
        return UsualTexts(
            subject=Told(line, html.escape(line)),
            text=Told(text, shown),
            short=Told(self._plain.short, html.escape(self._plain.short)),
            html=Told(text, f"<p>{shown}</p>"),
        )

    def _plain_body(self, room: int) -> str:
        room = max(room, _LEAST)
        return self._usual(Budget(title=SUBJECT_LENGTH, body=room)).body

    def _usual_body(self, room: int) -> str:
        budget = structs.replace(
            self._budget, title=SUBJECT_LENGTH, title_in_body=False, body=max(room, _LEAST)
        )
        return self._usual(budget).body

    def _under(self, first: str, body: str) -> str:
        return f"{first}{self._pen.line_break}{body}" if first else body

    def _size(self, written: str) -> int:
        return self._pen.size(written)


def _written_by(pen: Pen) -> Callable[[object], str]:
    def written(value: object) -> str:
        if isinstance(value, Told):
            return value.written
        if isinstance(value, Url):
            return pen.link(value) if value else ""
        return _lines(_shown(value), pen)

    return written


def _html_written(value: object) -> str:
    return value.written if isinstance(value, Told) else html.escape(_shown(value))


def _shown(value: object) -> str:
    """A value as text; of a list its members."""
    if value is None:
        return ""
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, (tuple, list)) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if isinstance(value, Undefined):
        return str(value)  # raises, and says what it is
    raise TemplateRuntimeError(f"expected a text, found a {type(value).__name__}")


def _lines(text: str, pen: Pen) -> str:
    return pen.line_break.join(_apart(one, pen) for one in text.split("\n"))


def _apart(line: str, pen: Pen) -> str:
    """The line, so that what follows it can't make a mention of its last character."""
    written = pen.write(line)
    if line[-1:] not in _JOINING or not line:
        return written
    return written + (" " if pen.units == "sms" or pen.markup in {"plain", "html"} else _APART)


def _cut(line: str, limit: int) -> str:
    return line if len(line) <= limit else line[: max(0, limit - 1)].rstrip() + ELLIPSIS
