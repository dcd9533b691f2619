"""The check of a port that must be closed: an ordinary check, whose outcome is read the other way.

Open is what a connection, or any answer, proves. A refusal, silence and what routers say are
closed: nobody gets in. A name that does not resolve, and an address that could not be tried, prove
nothing: then nothing was measured, and nobody is told that all is well.
"""

from typing import Final

from msgspec.structs import replace

from producers.checks.addresses import Failure
from producers.checks.model import CheckOutcome
from schemas.result import NEVER_COUNTED, Reason

_REFUSED: Final[Reason] = "connection_refused"
"""The host itself says no: a reset in answer to the SYN (RFC 9293, section 3.10.7.3)."""

_RESET: Final[Reason] = "connection_reset"
"""A connection that was made, and ended at once: before it is made a reset is a refusal."""

_SILENT: Final[frozenset[Reason | None]] = frozenset(
    {"timed_out", "host_unreachable", "network_unreachable"}
)


def opened(failure: Failure) -> bool:
    """Whether the failure of an attempt to connect shows that the port is open."""
    return failure.reason == _RESET


def conclusive(failure: Failure, untried: int) -> Failure:
    """The failure of all addresses of a name, if it tells that none of them is open.

    Otherwise `prober_error`: `untried` addresses may be open, and so may those of a family that
    this machine can't reach at all.
    """
    if untried:
        text = f"{failure.detail}: a longer timeout lets the prober try each of them"
        return Failure("prober_error", text, failure.address)
    if failure.no_way:
        return Failure("prober_error", failure.detail, failure.address)
    return failure


def turned(outcome: CheckOutcome, kind: str) -> CheckOutcome:
    """The outcome of the check of a port of `kind` that must be closed.

    `down` with the reason `port_open`, or `up` with what kept it closed as detail. `total_ms` of
    the latter is there only if the host itself refused: the time of its answer.
    """
    reason = outcome.reason
    if reason == _REFUSED:
        return replace(outcome, status="up", reason=None)
    if reason in _SILENT:
        return replace(outcome, status="up", reason=None, total_ms=None)
    if reason == "dns_failed":
        return replace(outcome, status="missed", total_ms=None)
    if reason in NEVER_COUNTED or outcome.status == "missed":
        return outcome
    does = "accepts connections" if kind == "tcp" else "answers"
    if reason == _RESET:
        does += ", and resets them"
    where = f"{outcome.address}: " if outcome.address else ""
    return replace(outcome, status="down", reason="port_open", detail=f"{where}{does}")


def silent(outcome: CheckOutcome) -> bool:
    """Whether a port is taken as closed since nothing came back, or only a router's word."""
    return outcome.status == "up" and outcome.total_ms is None
