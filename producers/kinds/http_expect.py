"""The expectations of an HTTP answer: status and headers at once, the body as its bytes come."""

import re
import time
from typing import Final

from msgspec import Struct

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.judging.jobs import Job, Json, Search
from producers.judging.search import expected
from producers.kinds import http_conditions, http_status
from producers.kinds.check_context import CheckContext
from producers.kinds.http_coding import charset_of, needles
from producers.kinds.http_conditions import Group
from producers.kinds.http_head import Head
from schemas.probe import HttpProbe, Step

_FIRST_S: Final = 0.05
_AGAIN_S: Final = 0.25
_COST: Final = 4
"""A body that still comes is judged again after so many times the duration of the last time."""

_TOO_MANY: Final = re.compile(
    rb"(?:too many|maximum(?: allowed)?(?: number of)?) "
    rb"(?:(?:open|active|concurrent|simultaneous|server|client|connected) ){0,2}"
    rb"(?:users|connections|clients|people|sessions)|connection limit",
    re.IGNORECASE,
)
_LIMITED: Final = frozenset({403, 429, 503})
# `$`, `\z`, `\b`, `\B`: whether these match at the end of what came depends on what comes next.
_AT_END: Final = re.compile(r"\$|\\[zbB]")
_JSON_ENDS: Final = {b"{": b"}", b"[": b"]", b'"': b'"'}


def words(step: Step) -> str:
    """The expectation of a step, for people."""
    wanted = expected(step)
    return "" if wanted is None else wanted.words


def body_steps(options: HttpProbe) -> list[Step]:
    """The expectations of the body, as steps."""
    steps = [Step(expect=options.expect), Step(expect_regex=options.expect_regex)]
    return [step for step in steps if step.expect or step.expect_regex]


def expects(options: HttpProbe) -> bool:
    """Whether a user expects more than any answer with a status of 200 to 299."""
    of_body = options.expect or options.expect_regex or options.expect_json
    return bool(of_body or options.expect_headers or options.status or options.conditions)


def wrong_status(options: HttpProbe, head: Head) -> str | None:
    """The error of a status that is not expected, None for one that is."""
    if http_status.accepts(options.status, head.status):
        return None
    wanted = http_status.told(options.status)
    said = [head.phrase] if head.phrase else []
    later = head.value("retry-after")
    if later is not None:
        said.append(f"Retry-After: {shown(later)}")
    told = f" ({', '.join(said)})" if said else ""
    return f"expected the status {wanted}, found {head.status}{told}"


def says_too_many(head: Head, body: bytes) -> bool:
    """Whether the server says that it has too many connections.

    IIS 5 and IIS of Windows XP do so with the status 403.9 ("too many users are connected").
    """
    said = head.phrase.encode() + b" " + body
    return head.status in _LIMITED and _TOO_MANY.search(said) is not None


async def check_headers(context: CheckContext, options: HttpProbe, head: Head) -> None:
    """Checks `expect_headers` and the conditions on headers.

    Of repeated fields one must match, or all as one value.

    Raises:
        CheckFailedError: `unexpected_response`.
    """
    for name, pattern in options.expect_headers.items():
        step = Step(expect_regex=pattern)
        joined = head.value(name)
        for value in http_conditions.header_values(head, name):
            if await context.verdict(Search(step, value)) is not None:
                break
        else:
            found = "none" if joined is None else repr(shown(joined))
            text = f"header {name}: expected {words(step)}, found {found}"
            raise CheckFailedError("unexpected_response", text)
    await http_conditions.check_headers(context, options.conditions, head)


class _Part(Struct):
    """One expectation of the body: a step, or conditions; without both it is that of JSON.

    `searched`: its text is not in so many bytes of the beginning.
    """

    step: Step | None
    group: Group | None = None
    searched: int = 0


class WantedBody:
    """The expectations of a body that are not fulfilled yet."""

    def __init__(self, context: CheckContext, options: HttpProbe, head: Head) -> None:
        self._context = context
        self._options = options
        self._head = head
        self._parts = [_Part(step) for step in body_steps(options)]
        if options.expect_json is not None:
            self._parts.append(_Part(None))
        texts, groups = http_conditions.of_body(options.conditions)
        self._parts += [_Part(Step(expect=text)) for text in texts]
        self._parts += [_Part(None, group) for group in groups]
        self._judged_bytes = 0
        self._judged_at = time.monotonic()
        self._pause_s = _FIRST_S
        self._charset: str | None = None

    @property
    def fulfilled(self) -> bool:
        """Whether nothing is left."""
        return not self._parts

    @property
    def words(self) -> str:
        """The first expectation that is left, for people."""
        step, group = self._parts[0].step, self._parts[0].group
        if group is not None:
            return group.words
        return f"JSON with {self._options.expect_json}" if step is None else words(step)

    def wait_s(self, size: int) -> float | None:
        """The time until `look` is worth a call although no byte comes; None: it is not."""
        if size == self._judged_bytes or all(_is_text(part) for part in self._parts):
            return None
        return max(0.0, self._judged_at + self._pause_s - time.monotonic())

    async def look(self, body: bytearray) -> bool:
        """Whether the beginning of a body fulfils all that is expected, whatever comes after it.

        Text is looked for once in each byte. To judge the rest costs time for the whole body, so
        that it happens a few times a second at most, and not for a body that comes at once.

        Raises:
            CheckFailedError: it can't be judged.
        """
        self._look_for_text(body)
        now = time.monotonic()
        if now - self._judged_at >= self._pause_s and len(body) > self._judged_bytes:
            data, again = bytes(body), self._judged_bytes > 0
            self._judged_bytes = len(data)
            self._parts = [
                part for part in self._parts if not await self._fulfils(part, data, again=again)
            ]
            self._judged_at = time.monotonic()
            self._pause_s = max(_AGAIN_S, _COST * (self._judged_at - now))
        return not self._parts

    async def judge(self, body: bytearray, cut: str | None, *, full: bool) -> None:
        """Judges the whole body; `cut`: what is missing of it, for people.

        `full`: it goes on beyond the most bytes that are read.

        Raises:
            CheckFailedError: `unexpected_response`.
        """
        self._look_for_text(body)
        data, again = bytes(body), self._judged_bytes > 0
        after = "" if cut is None else f", and the server closed {cut}"
        if full:
            after = f" in the first {len(data) // 1000} kB, and no more is read"
        for part in self._parts:
            if part.group is not None and part.group.at_end and (full or cut is not None):
                more = f", found more than {len(data) // 1000} kB" if full else after
                text = f"body: expected {part.group.words}{more}"
                raise CheckFailedError("unexpected_response", text)
            if part.step is None:
                wrong = await self._wrong(part, data, again=again)
                if wrong is not None:
                    of_text = part.group is not None and not part.group.is_json
                    said = wrong if of_text else f"body: {wrong}"
                    raise CheckFailedError("unexpected_response", f"{said}{after}")
            elif not await self._matches(part.step, data, again=again, ended=cut is None):
                text = f"body: expected {words(part.step)}, found {shown(data)!r}{after}"
                raise CheckFailedError("unexpected_response", text)

    def _look_for_text(self, body: bytearray) -> None:
        charset = charset_of(self._head, body)
        if charset != self._charset:  # the page itself has named it
            self._charset = charset
            for part in self._parts:
                part.searched = 0
        self._parts = [part for part in self._parts if not self._has_text(part, body)]

    def _has_text(self, part: _Part, body: bytearray) -> bool:
        text = None if part.step is None else part.step.expect
        if text is None:
            return False
        for needle in needles(text, self._charset):
            if body.find(needle, max(0, part.searched - len(needle) + 1)) >= 0:
                return True
        part.searched = len(body)
        return False

    async def _fulfils(self, part: _Part, body: bytes, *, again: bool) -> bool:
        if part.group is not None and part.group.at_end:
            return False
        if part.step is None and (part.group is None or part.group.is_json):
            begin, end = body.lstrip()[:1], body.rstrip()[-1:]
            if _JSON_ENDS.get(begin) != end:
                return False  # a number, too, could go on
        if part.step is None:
            return await self._wrong(part, body, again=again) is None
        return await self._matches(part.step, body, again=again, ended=False)

    async def _matches(self, step: Step, body: bytes, *, again: bool, ended: bool) -> bool:
        """Whether the body matches, and does so whatever comes if it has not `ended`."""
        if step.expect_regex is None:
            return False
        end_at = await self._context.verdict(Search(step, body), on_more=again)
        if not isinstance(end_at, int):
            return False
        return ended or end_at < len(body) or _AT_END.search(step.expect_regex) is None

    async def _wrong(self, part: _Part, body: bytes, *, again: bool) -> str | None:
        """The error of a part that is no step, None if it is fulfilled."""
        options = self._options
        job: Job
        if part.group is not None:
            job = part.group.job(body, self._charset)
        else:
            job = Json(options.expect_json or "$", options.json_value, body, self._charset)
        verdict = await self._context.verdict(job, on_more=again)
        return None if verdict is None else str(verdict)


def _is_text(part: _Part) -> bool:
    return part.step is not None and part.step.expect is not None
