"""`tcp` with a user-defined dialogue: data to send and expected answers, step by step."""

from typing import Final

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.judging.jobs import Search
from producers.judging.search import Expected, expected
from producers.kinds import tls_session
from producers.kinds.check_context import CheckContext
from producers.kinds.connection import Connection
from producers.kinds.framing import MOST_BYTES
from producers.kinds.kind import Kind
from producers.kinds.tls_records import answers_in_tls
from schemas.probe import Probe, Step, TcpProbe
from schemas.result import Reason


def sent(step: Step) -> bytes:
    """The data that the step sends; may be empty."""
    return bytes.fromhex(step.send_hex) if step.send_hex else (step.send or "").encode()


def settle_step(step: Step) -> None:
    """Checks a step of an inventory.

    Raises:
        ValueError: the first error of it.
    """
    sends = [name for name in ("send", "send_hex") if getattr(step, name) is not None]
    expects = [
        name for name in ("expect", "expect_hex", "expect_regex") if getattr(step, name) is not None
    ]
    for names in (sends, expects):
        if len(names) > 1:
            *others, last = names
            found = "all of them" if len(others) > 1 else "both"
            raise ValueError(f"expected one of {', '.join(others)} and {last}, found {found}")
    if not sends and not expects:
        raise ValueError("expected something to send or to expect")
    expected(step)


async def check(context: CheckContext) -> None:
    """All steps, one after the other; each searches the data after the previous match.

    Raises:
        CheckFailedError: as for all kinds.
    """
    probe = context.target.probe
    context.waiting_for = "connection"
    stream = await context.connect()
    if not isinstance(probe, TcpProbe):
        return
    if probe.tls == "implicit":
        await tls_session.secure(context, stream, verify=probe.verify)
    rest = b""
    context.silence = "no_answer"
    for number, step in enumerate(probe.steps, 1):
        wanted = expected(step)
        broken: CheckFailedError | None = None
        try:
            await stream.send(sent(step))
        except CheckFailedError as error:
            if wanted is None:
                raise
            broken = error  # what the server said before it closed may be what is expected
        if wanted is not None:
            rest = await _receive(context, stream, rest, (step, wanted), number, broken=broken)


async def _receive(
    context: CheckContext,
    stream: Connection,
    data: bytes,
    wanted: tuple[Step, Expected],
    number: int,
    *,
    broken: CheckFailedError | None,
) -> bytes:
    """Waits for the expected answer; returns the data after it. `broken`: the error of our send."""
    step, expectation = wanted
    received = 0
    while True:
        end = await context.verdict(Search(step, data), on_more=received > 1)
        if isinstance(end, int):
            break
        received += 1
        found = f"found {shown(data)!r}" if data else "found nothing"
        if stream.tls is None and answers_in_tls(data):
            found += ": the server speaks TLS there (tls: implicit)"
        text = f"step {number}: expected {expectation.words}, {found}"
        if len(data) > MOST_BYTES:
            raise CheckFailedError("unexpected_response", text)
        if data:
            context.silence = "unexpected_response"
        context.waiting_for = f"answer that fits ({text})"
        try:
            more = await stream.receive()
        except CheckFailedError as error:
            first = broken or error
            raise CheckFailedError(first.reason, f"{first.detail}; {text}") from None
        if not more:
            spoken = data or context.banner
            reason: Reason = "unexpected_response" if spoken else "protocol_mismatch"
            raise CheckFailedError(reason, f"{text}, and the server closed")
        data += more
    context.silence = "unexpected_response"
    if context.banner is None:
        context.banner = shown(data[:end])
    return data[end:]


def _settle(probe: Probe | None, _: int | None) -> Probe | None:
    if isinstance(probe, TcpProbe):
        for number, step in enumerate(probe.steps):
            try:
                settle_step(step)
            except ValueError as error:
                raise ValueError(f"steps[{number}]: {error}") from error
    return probe


KIND: Final = Kind(check=check, options=TcpProbe, settle=_settle)
