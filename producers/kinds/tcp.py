"""`tcp` with a user-defined dialogue: data to send and expected answers, step by step.

TLS from the first byte on, or after the answer of a step (`starttls`).
"""

import contextlib
from collections.abc import AsyncIterator
from functools import partial
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
from producers.kinds.tls import hold_on
from producers.kinds.tls_records import answers_in_tls
from schemas.probe import Exchange, Probe, Step, TcpProbe
from schemas.result import Reason


def sent(context: CheckContext, step: Exchange, option: str) -> bytes:
    """The data that the step sends; may be empty. `option`: its `send`, as an inventory names it.

    Raises:
        CheckFailedError: `secret_missing`.
    """
    if step.send_hex:
        return bytes.fromhex(step.send_hex)
    return context.reveal(step.send or "", option).encode("utf-8", "surrogateescape")


def settle_step(step: Exchange) -> None:
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
        CheckFailedError: as for all kinds; `certificate_ending` if there was TLS, and the chain
            of certificates ends too soon.
    """
    probe = context.target.probe
    context.waiting_for = "connection"
    stream = await context.connect()
    if not isinstance(probe, TcpProbe):
        return
    if probe.tls == "implicit":
        await _secure(context, stream, probe, tls_session.at_once)
    context.silence = "no_answer"
    rest = b""
    for place, step in enumerate(probe.steps):
        rest = await _step(context, stream, step, place, rest)
        if step.starttls:
            rest = b""  # what came before TLS counts as nothing inside of it
            await _secure(context, stream, probe, partial(_around_tls, probe))
    hold_on(context, probe.critical_days, probe.warn_days)


async def _step(
    context: CheckContext, stream: Connection, step: Step, place: int, rest: bytes
) -> bytes:
    """Sends and waits as the step says; returns the data after its answer."""
    wanted = expected(step)
    broken: CheckFailedError | None = None
    data = sent(context, step, f"steps[{place}].send")
    try:
        await stream.send(data)
    except CheckFailedError as error:
        if wanted is None:
            raise
        broken = error  # what the server said before it closed may be what is expected
    if wanted is None:
        return rest
    return await _receive(context, stream, rest, (step, wanted), place + 1, broken=broken)


async def _secure(
    context: CheckContext, stream: Connection, probe: TcpProbe, around: tls_session.Around
) -> None:
    await tls_session.secure(
        context,
        stream,
        verify=probe.verify,
        server_name=probe.server_name,
        client=probe.client_certificate,
        around=around,
    )


@contextlib.asynccontextmanager
async def _around_tls(
    probe: TcpProbe, context: CheckContext, stream: Connection
) -> AsyncIterator[None]:
    """The steps up to the one that begins TLS, for a second look at a certificate."""
    rest = b""
    for place, step in enumerate(probe.steps):
        rest = await _step(context, stream, step, place, rest)
        if step.starttls:
            break
    yield


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
                _settle_starttls(probe, number)
            except ValueError as error:
                raise ValueError(f"steps[{number}]: {error}") from error
        tls_session.check_server_name(probe.server_name)
    return probe


def _settle_starttls(probe: TcpProbe, number: int) -> None:
    if not probe.steps[number].starttls:
        return
    if probe.tls != "none":
        raise ValueError(f"starttls: expected it without tls, found tls: {probe.tls}")
    if any(step.starttls for step in probe.steps[:number]):
        raise ValueError("starttls: expected it in one step, found it in two")
    if expected(probe.steps[number]) is None:
        raise ValueError(
            "starttls: expected the answer after which TLS begins (expect, expect_hex or "
            "expect_regex), found none"
        )


KIND: Final = Kind(check=check, options=TcpProbe, settle=_settle)
