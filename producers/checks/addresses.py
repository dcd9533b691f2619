"""The addresses of one name, tried one after the other within one deadline."""

import socket
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from producers.checks.errors import CheckFailedError
from producers.checks.model import Vantage
from producers.checks.os_errors import (
    DETAIL_LENGTH,
    is_no_ipv6,
    reason_of,
    reason_of_lookup,
    text_of,
)
from producers.checks.resolved_address import Address
from producers.checks.resolver import Lookup
from schemas.result import Reason

LEAST_SHARE_S: Final = 0.25
"""The least time for an address (RFC 8305, section 5: the recommended delay between attempts)."""

IN_A_ROW: Final = 16
"""The most addresses that fail at once before other checks have their turn."""

# The lowest weight wins: the failure that says most of the target. All others weigh 0: the server
# itself has answered.
_WEIGHT: Final[dict[Reason, int]] = {
    "connection_refused": 1,
    "connection_reset": 1,
    "timed_out": 2,
    "host_unreachable": 3,
    "network_unreachable": 4,
    "address_blocked": 6,
}
_WEIGHT_OF_NO_WAY: Final = 5
_MORE: Final = len(" (and 1000 more; 1000 not tried: no time was left)")


class Failure(Struct, frozen=True, gc=False):
    """The reason why an address (None: the name itself) could not be checked; `detail` for people.

    `detail` need not be clean yet. `no_way`: this machine can't reach such addresses at all (no
    IPv6, a source address of the other family). It is normal for a name with addresses of both
    families, and says nothing beside the failure of another address.
    """

    reason: Reason
    detail: str
    address: str | None = None
    no_way: bool = False

    def error(self) -> CheckFailedError:
        """The same as an exception."""
        return CheckFailedError(self.reason, self.detail, no_way=self.no_way)


def permitted(
    found: tuple[Address, ...], vantage: Vantage, *, redirected: bool = False
) -> tuple[tuple[Address, ...], tuple[Failure, ...]]:
    """The addresses that `vantage` may connect to, and why not the others.

    `redirected`: a server has named the host, not the inventory; an address that can't be reached
    from the source address is then the server's fault.
    """
    if vantage.internal and vantage.source is None and not vantage.deny:
        return found, ()
    allowed: list[Address] = []
    refused: list[Failure] = []
    for address in found:
        failure = _refusal(address, vantage, redirected=redirected)
        if failure is None:
            allowed.append(address)
        else:
            refused.append(failure)
    return tuple(allowed), tuple(refused)


def share(left: float, waiting: int) -> float:
    """The part of the time left (both in seconds) for the next of `waiting` addresses.

    Each address has its share, so that one that swallows packets leaves time for the others. With
    very many of them it is `LEAST_SHARE_S`, and for the last ones no time may be left.
    """
    return max(left / waiting, min(left, LEAST_SHARE_S))


def most_telling(failures: Sequence[Failure], untried: int = 0) -> Failure:
    """One failure for all addresses: the reason that says most, the detail with each of them.

    An address that could not be tried by our own fault hides what it would have said: nothing was
    measured (`prober_error`). Else what a server says comes before what its host says (refused,
    reset), that before silence, and silence before what routers and this machine's routes say.
    The failure with that reason is the first in the detail; `address` is its own. `untried`:
    further addresses for which no time was left.

    Raises:
        ValueError: there are no failures.
    """
    first = min(failures, key=_weight)
    if len(failures) == 1 and not untried:
        return first
    told = first.detail
    shown = 1
    for failure in failures:
        if failure is first:
            continue
        if len(told) + len(failure.detail) + _MORE > DETAIL_LENGTH:
            break
        told += f"; {failure.detail}"
        shown += 1
    more = [f"and {len(failures) - shown} more"] if shown < len(failures) else []
    if untried:
        more.append(f"{untried} not tried: no time was left")
    if more:
        told = f"{told[: DETAIL_LENGTH - _MORE]} ({'; '.join(more)})"
    return Failure(first.reason, told, first.address, first.no_way)


def os_failure(number: int, ip: str) -> Failure:
    """The failure for an errno of connect(2), or of the answer as `answer_of` gives it."""
    no_way = ":" in ip and is_no_ipv6(number)
    return Failure(reason_of(number), f"{ip}: {text_of(number)}", ip, no_way)


def timed_out(ip: str, waited_ms: float) -> Failure:
    """The failure of an address that did not answer within its share of the time."""
    return Failure("timed_out", f"{ip}: timed out after {waited_ms:.0f} ms", ip)


def lookup_failure(lookup: Lookup) -> Failure | None:
    """The failure of a lookup that has ended, None if it gave addresses."""
    error = lookup.error
    if error is None:
        return None
    text = error.strerror if isinstance(error, OSError) else None
    return Failure(reason_of_lookup(error), text or str(error))


def _weight(failure: Failure) -> int:
    if failure.no_way:
        return _WEIGHT_OF_NO_WAY
    return -1 if failure.reason == "prober_error" else _WEIGHT.get(failure.reason, 0)


def _refusal(address: Address, vantage: Vantage, *, redirected: bool) -> Failure | None:
    source = vantage.source
    if source is not None and address.family != _family(source):
        text = f"{address.ip} can't be reached from the source address {source}"
        reason: Reason = "unexpected_response" if redirected else "prober_error"
        return Failure(reason, text, address.ip, no_way=True)
    why = vantage.blocked_because(address.ip)
    return None if why is None else Failure("address_blocked", why, address.ip)


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
