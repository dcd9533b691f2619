"""Dialogues as data: messages to send, patterns of answers, the start of TLS.

A new protocol is a file with one `Dialogue`, an entry in the registry, and a test.
"""

import contextlib
import re
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final

from msgspec import Struct

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.kinds import tls_session
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from producers.kinds.framing import MOST_BYTES, Frame, NotThisError
from producers.kinds.kind import Kind
from producers.kinds.pace import Pace
from producers.kinds.tls import hold_on
from producers.kinds.tls_errors import ClientCertificateError, RefusedCertificateError
from producers.kinds.tls_records import answers_in_tls
from schemas.probe import HandshakeProbe, Probe, Tls
from schemas.result import Reason

_NOTHING: Final = HandshakeProbe()
_BEGINNING: Final = 256


def pattern(text: bytes) -> re.Pattern[bytes]:
    """A pattern for answers; `.` is any byte."""
    return re.compile(text, re.DOTALL)


class DialogueStep(Struct, frozen=True, kw_only=True):
    """One step of a protocol's dialogue.

    `name` is the expected answer (`no {name} within 3 s`); `send` may depend on the connection;
    `frame` finds the end of the answer, None: the step has none. An answer whose start matches one
    of `bad` ends the check with that reason; other answers must match `good`. The banner is the
    group `banner` of `good`, or the result of `tell`. The detail is the group `text` of a `bad`, or
    what `words` says of the answer, which is a remark if the group `other` of `good` matches.
    `when`: the step is skipped unless the previous answer matches. `tls`: TLS begins after it.
    """

    name: str
    send: bytes | Callable[[Connection], bytes] = b""
    frame: Frame | None = None
    good: re.Pattern[bytes] = pattern(b"")
    bad: tuple[tuple[re.Pattern[bytes], Reason], ...] = ()
    tell: Callable[[bytes], str | None] | None = None
    words: Callable[[bytes], str] | None = None
    when: re.Pattern[bytes] | None = None
    tls: bool = False


class Dialogue(Struct, frozen=True, kw_only=True):
    """A protocol: its default `port`, ports with TLS by default, and the steps.

    `steps` are used without TLS and inside implicit TLS, where `in_tls` replaces them if there is
    a difference; `starttls` replaces them, with a step that begins TLS, and is empty without
    STARTTLS; `implicit`: TLS from the first byte on is possible. `version` is that of the protocol,
    and `others` are the dialogues of other ones, for the option `version`.
    `bye` is sent at the end, so that the server logs no error; it closes the connection then,
    before us. `pace`: see `Kind`.
    """

    protocol: str
    port: int
    steps: tuple[DialogueStep, ...]
    starttls: tuple[DialogueStep, ...] = ()
    in_tls: tuple[DialogueStep, ...] = ()
    implicit: bool = True
    implicit_ports: frozenset[int] = frozenset()
    starttls_ports: frozenset[int] = frozenset()
    bye: bytes = b""
    pace: Pace | None = None
    version: str | None = None
    others: tuple["Dialogue", ...] = ()

    def kind(self) -> Kind:
        """The kind of this dialogue."""
        return Kind(
            check=partial(_check, self),
            port=self.port,
            options=HandshakeProbe,
            settle=self._settle,
            tls_by_port=self._tls_by_port,
            pace=self.pace,
        )

    def _tls_by_port(self, port: int | None) -> Tls:
        if port in self.implicit_ports:
            return "implicit"
        return "starttls" if port in self.starttls_ports else "none"

    def _settle(self, probe: Probe | None, port: int | None) -> Probe:
        if not isinstance(probe, HandshakeProbe):
            return HandshakeProbe(tls=self._tls_by_port(port))
        ways = ["none"]
        if self.starttls:
            ways.append("starttls")
        if self.implicit:
            ways.append("implicit")
        if probe.tls not in ways:
            expected = f"{self.protocol} can be checked with tls: {' or '.join(ways)}"
            raise ValueError(f"{expected}, found {probe.tls}")
        tls_session.check_server_name(probe.server_name)
        self.of(probe.version)
        return probe

    def of(self, version: str | None) -> "Dialogue":
        """The dialogue of this version of the protocol; without one this dialogue.

        Raises:
            ValueError: there is none.
        """
        if version is None:
            return self
        known = {one.version: one for one in (self, *self.others) if one.version is not None}
        if version not in known:
            there_are = f"one of {', '.join(known)}" if known else "none"
            expected = f"version: expected {there_are} ({self.protocol})"
            raise ValueError(f"{expected}, found {version!r}")
        return known[version]


async def _check(dialogue: Dialogue, context: CheckContext) -> None:
    probe = context.target.probe
    options = probe if isinstance(probe, HandshakeProbe) else _NOTHING
    context.waiting_for = "connection"
    stream = await context.connect()
    await converse(dialogue.of(options.version), options, context, stream)


async def converse(
    dialogue: Dialogue, options: HandshakeProbe, context: CheckContext, stream: Connection
) -> None:
    """The whole dialogue over a connection; stores its findings in `context`.

    A server that goes on only with a client's certificate is alive: up, with a remark.

    Raises:
        CheckFailedError: the server does not answer as expected.
    """
    try:
        await _converse(dialogue, options, context, stream)
    except ClientCertificateError as error:
        context.note(error.detail)
    hold_on(context, options.critical_days, options.warn_days)


async def _converse(
    dialogue: Dialogue, options: HandshakeProbe, context: CheckContext, stream: Connection
) -> None:
    talk = _Talk(dialogue, context, stream)
    if options.tls == "implicit":
        await talk.secure(options)
    steps = dialogue.starttls if options.tls == "starttls" else dialogue.steps
    if options.tls == "implicit":
        steps = dialogue.in_tls or steps
    for step in steps:
        await talk.take(step)
        if step.tls:
            await talk.secure(options)
    await talk.bye()


@contextlib.asynccontextmanager
async def _around_tls(
    dialogue: Dialogue, context: CheckContext, stream: Connection
) -> AsyncIterator[None]:
    """The dialogue with STARTTLS without the TLS handshake itself."""
    talk = _Talk(dialogue, context, stream)
    steps = iter(dialogue.starttls)
    for step in steps:
        await talk.take(step)
        if step.tls:
            break
    yield
    for step in steps:
        await talk.take(step)
    await talk.bye()


class _Talk:
    """The state of a dialogue."""

    def __init__(self, dialogue: Dialogue, context: CheckContext, stream: Connection) -> None:
        self._dialogue = dialogue
        self._protocol = dialogue.protocol
        self._context = context
        self._stream = stream
        self._rest = b""
        self._last = b""
        self._spoken = False

    async def take(self, step: DialogueStep) -> None:
        if step.when is not None and not step.when.match(self._last):
            return
        context = self._context
        # Not `timed_out`: the connection works, so the cause is not a packet filter.
        context.silence = "unexpected_response" if self._spoken else "no_answer"
        context.waiting_for = f"{self._protocol} {step.name}"
        broken = await self._send(
            step.send if isinstance(step.send, bytes) else step.send(self._stream)
        )
        if step.frame is None:
            if broken is not None:
                raise broken
            return
        answer = await self._answer(step, step.frame, broken)
        context.came = None
        self._judge(step, answer)
        self._last, self._spoken = answer, True

    async def secure(self, options: HandshakeProbe) -> None:
        if self._rest:
            # Data from before TLS must not count as data inside of it.
            raise CheckFailedError(
                "unexpected_response", f"{self._protocol}: the server went on before TLS began"
            )
        starttls = partial(_around_tls, self._dialogue)
        await tls_session.secure(
            self._context,
            self._stream,
            verify=options.verify,
            server_name=options.server_name,
            client=options.client_certificate,
            around=starttls if options.tls == "starttls" else tls_session.at_once,
        )

    async def bye(self) -> None:
        if self._dialogue.bye:
            await self._send(self._dialogue.bye)  # a failure does not matter
            self._stream.server_first = True

    async def _send(self, data: bytes) -> CheckFailedError | None:
        """Returns the error of a send: a server may explain its refusal before it closes."""
        try:
            await self._stream.send(data)
        except (ClientCertificateError, RefusedCertificateError):
            raise  # the server has explained itself
        except CheckFailedError as error:
            return error
        return None

    async def _answer(
        self, step: DialogueStep, frame: Frame, broken: CheckFailedError | None
    ) -> bytes:
        data = self._rest
        while True:
            try:
                length = frame(data)
            except NotThisError:
                self._judge_bad(step, data)
                raise self._wrong(step, data) from None
            if length is not None:
                self._rest = data[length:]
                return data[:length]
            if len(data) > MOST_BYTES:
                raise self._wrong(step, data)
            self._note_part(step, data)
            try:
                more = await self._stream.receive()
            except CheckFailedError as error:
                self._judge_bad(step, data)
                raise _after(broken or error, data) from None
            if not more:
                self._judge_bad(step, data)
                raise self._closed(step, data)
            data += more

    def _note_part(self, step: DialogueStep, data: bytes) -> None:
        """Notes the part of an answer that has come, for the case that the deadline passes now."""
        if not data:
            return
        context = self._context
        start = data[:_BEGINNING]
        # A refusal without its end is one; whoever has begun as this protocol does speaks it.
        begun = self._spoken or step.good.match(start) is not None
        refused = next((reason for bad, reason in step.bad if bad.match(start)), None)
        context.silence = refused or ("unexpected_response" if begun else "protocol_mismatch")
        context.waiting_for = f"end of the {self._protocol} {step.name}"
        context.came = lambda: f"only {shown(data)!r} came"

    def _judge(self, step: DialogueStep, answer: bytes) -> None:
        self._judge_bad(step, answer)
        found = step.good.match(answer)
        if found is None:
            raise self._wrong(step, answer)
        groups = found.groupdict()
        if step.words is not None and groups.get("other"):
            self._context.note(step.words(answer))
        banner = groups.get("banner")
        said = _text(banner) if banner else None
        if step.tell is not None:
            said = step.tell(answer)
        if said and self._context.banner is None:
            self._context.banner = said

    def _judge_bad(self, step: DialogueStep, answer: bytes) -> None:
        for bad, reason in step.bad:
            found = bad.match(answer)
            if found is None:
                continue
            if reason == "protocol_mismatch":
                raise CheckFailedError(reason, self._wrong(step, answer).detail)
            text = shown(found.groupdict().get("text") or answer)
            if step.words is not None:
                text = step.words(answer)
            raise CheckFailedError(reason, f"{self._protocol}: {text}")

    def _wrong(self, step: DialogueStep, data: bytes) -> CheckFailedError:
        expected = f"expected the {self._protocol} {step.name}"
        text = f"{expected}, found {shown(data)!r}{self._hint(data)}"
        return CheckFailedError(self._mismatch(), text)

    def _closed(self, step: DialogueStep, data: bytes) -> CheckFailedError:
        after = f" after {shown(data)!r}" if data else ""
        text = f"closed by the server{after} without {self._protocol} {step.name}"
        return CheckFailedError(self._mismatch(), f"{text}{self._hint(data)}")

    def _hint(self, data: bytes) -> str:
        if self._stream.tls is not None or not answers_in_tls(data):
            return ""
        way = " (tls: implicit)" if self._dialogue.implicit else ""
        return f": the server speaks TLS there{way}"

    def _mismatch(self) -> Reason:
        return "unexpected_response" if self._spoken else "protocol_mismatch"


def _after(error: CheckFailedError, data: bytes) -> CheckFailedError:
    """The error of a connection that broke after `data` had come."""
    if not data:
        return error
    return CheckFailedError(error.reason, f"{error.detail} after {shown(data)!r}")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
