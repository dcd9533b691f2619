"""The addresses of one name, tried one after the other within one deadline."""

import socket
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from producers.checks.errors import CheckFailedError
from producers.checks.model import Vantage
from producers.checks.os_errors import reason_of, reason_of_lookup, text_of
from producers.checks.resolved_address import Address
from producers.checks.resolver import Lookup
from schemas.result import Reason

MAX_ADDRESSES: Final = 4

# The lowest weight wins: the failure that says most of the target.
_WEIGHT: Final[dict[Reason, int]] = {
    "network_unreachable": 1,
    "prober_error": 2,
    "address_blocked": 3,
}


class Failure(Struct, frozen=True, gc=False):
    """The reason why an address (None: the name itself) could not be checked; `detail` for people.

    `detail` need not be clean yet.
    """

    reason: Reason
    detail: str
    address: str | None = None

    def error(self) -> CheckFailedError:
        """The same as an exception."""
        return CheckFailedError(self.reason, self.detail)


def permitted(
    found: tuple[Address, ...], vantage: Vantage, *, redirected: bool = False
) -> tuple[tuple[Address, ...], tuple[Failure, ...]]:
    """The addresses that `vantage` may connect to, at most `MAX_ADDRESSES`, and why not the others.

    `redirected`: a server has named the host, not the inventory; an address that can't be reached
    from the source address is then the server's fault.
    """
    if vantage.internal and vantage.source is None and not vantage.deny:
        return found[:MAX_ADDRESSES], ()
    allowed: list[Address] = []
    refused: list[Failure] = []
    for address in found:
        failure = _refusal(address, vantage, redirected=redirected)
        if failure is None:
            allowed.append(address)
        else:
            refused.append(failure)
    return tuple(allowed[:MAX_ADDRESSES]), tuple(refused)


def share(left: float, waiting: int) -> float:
    """The part of the time left for the next of `waiting` addresses.

    Each address has its share, so that one that swallows packets leaves time for the others.
    """
    return left / waiting


def most_telling(failures: Iterable[Failure]) -> Failure:
    """The failure of several addresses that says most of the target; of equal ones the first.

    Raises:
        ValueError: there are no failures.
    """
    return min(failures, key=lambda failure: _WEIGHT.get(failure.reason, 0))


def os_failure(number: int, ip: str) -> Failure:
    """The failure for an errno of connect(2), or of the answer as `answer_of` gives it."""
    return Failure(reason_of(number), f"{ip}: {text_of(number)}", ip)


def no_answer(ip: str, waited_ms: float) -> Failure:
    """The failure of an address that did not answer within its share of the time."""
    return Failure("timed_out", f"{ip}: no answer within {waited_ms:.0f} ms", ip)


def lookup_failure(lookup: Lookup) -> Failure | None:
    """The failure of a lookup that has ended, None if it gave addresses."""
    error = lookup.error
    if error is None:
        return None
    text = error.strerror if isinstance(error, OSError) else None
    return Failure(reason_of_lookup(error), text or str(error))


def _refusal(address: Address, vantage: Vantage, *, redirected: bool) -> Failure | None:
    source = vantage.source
    if source is not None and address.family != _family(source):
        text = f"{address.ip} can't be reached from the source address {source}"
        reason: Reason = "unexpected_response" if redirected else "prober_error"
        return Failure(reason, text, address.ip)
    why = vantage.blocked_because(address.ip)
    return None if why is None else Failure("address_blocked", why, address.ip)


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
