"""A time server: its stratum, and its clock against the prober's (RFC 5905)."""

from typing import Final

from producers.checks.errors import CheckFailedError
from producers.kinds.check_context import CheckContext
from producers.kinds.kind import Kind
from producers.kinds.ntp_packet import Answer, Question
from producers.kinds.udp import exchange
from schemas.probe import NtpProbe, Probe

_NOTHING: Final = NtpProbe()


async def check(context: CheckContext) -> None:
    """Asks for the time, up to three times while no answer comes.

    Raises:
        CheckFailedError: as for all kinds; `unexpected_response` from a server that knows no time,
            that is too many strata away from a clock, or whose time is not the prober's.
    """
    probe, port = context.target.probe, context.target.port
    options = probe if isinstance(probe, NtpProbe) else _NOTHING
    if port is None:
        raise CheckFailedError("prober_error", "the target has no port")
    question = Question()

    async def judge(data: bytes) -> str | None:
        found = question.read(data)
        if found is None:
            return None
        said = f"stratum {found.stratum}, offset {_ms(found.offset_ms)}"
        _judge(options, found, said)
        return said

    await exchange(context, port, question.packet, judge)


def _judge(options: NtpProbe, found: Answer, said: str) -> None:
    if found.stratum > options.max_stratum:
        text = f"NTP: expected a stratum of at most {options.max_stratum}, found {said}"
        raise CheckFailedError("unexpected_response", text)
    most_ms = options.max_offset_ms
    if most_ms is not None and found.least_offset_ms > most_ms:
        text = (
            f"NTP: expected an offset of at most {most_ms:g} ms from the prober's clock, found "
            f"{_ms(found.offset_ms)} (± {found.delay_ms / 2:.3g} ms)"
        )
        raise CheckFailedError("unexpected_response", text)


def _ms(offset_ms: float) -> str:
    return f"{offset_ms:+.1f} ms"


def _settle(probe: Probe | None, _: int | None) -> Probe:
    return probe if isinstance(probe, NtpProbe) else _NOTHING


KIND: Final = Kind(check=check, port=123, options=NtpProbe, settle=_settle)
