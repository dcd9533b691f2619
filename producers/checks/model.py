"""Input and output of a check engine; `producers.engine.factory.platform_engine` makes one."""

from collections.abc import Callable
from typing import Final, Literal, Protocol

from msgspec import Struct

from producers.checks import address_policy
from schemas.result import Cause, Reason, Status
from schemas.target import Target

Worth = Literal["routine", "repeated", "news"]
"""The publishing priority of a result. `news` is published at once: the first results of a failure,
the end of one, the answer to a recheck. `repeated` is a failure that was published before.
`routine` are all other successes: a full spool drops them first."""

LOST_SHARE: Final = 0.25
"""A timeout is no evidence when the prober stood still for this share of it."""


class PlannedCheck(Struct, frozen=True, gc=False):
    """One check that is due. Times are broker time (UTC ms).

    `free_ms` is the end of the previous check: a slot that passed during that check begins then,
    and the delay is the target's fault.
    """

    target: Target
    due_ms: float
    attempt: int
    cause: Cause
    free_ms: float = 0.0


class Vantage(Struct, frozen=True, gc=False, kw_only=True):
    """The place of the checks in the network, and their rights.

    `source` is the local address of outgoing checks, None for the system's choice; `internal`
    allows addresses that are not public, `allow` only these networks of them; `deny` overrides
    both (networks of `producers.checks.address_policy.network`).
    """

    source: str | None = None
    internal: bool = False
    allow: address_policy.Networks = ()
    deny: address_policy.Networks = ()

    def blocked_because(self, address: str) -> str | None:
        """The reason why no check may connect to the IP address `address`; None if it may."""
        if not self.internal:
            return address_policy.blocked_because(address, self.allow, self.deny)
        return address_policy.denied_because(address, self.deny) if self.deny else None


class Hop(Struct, frozen=True, gc=False, kw_only=True):
    """One request of an HTTP check that was answered, and its phases.

    `wait_ms` is the time from the request to the head of the answer, `body_ms` from there to the
    end of the read; a phase that did not happen is None, as in a result. `url` has no query.
    """

    url: str
    address: str | None
    status: int
    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    wait_ms: float
    body_ms: float | None


class CheckOutcome(Struct, frozen=True, gc=False, kw_only=True):
    """The outcome of one check.

    `started_at` is in monotonic seconds, None for a check that never began (`missed` with the
    reason `prober_error`: the prober was too late).
    `reason` is None exactly when the status is `up`; `detail` is clean and at most 300 characters.
    `total_ms` of a failure is user time, None when it could not be measured honestly.
    `cert_expires_at` is in UTC ms; `banner` is clean and at most 300 characters, as `detail` is.
    `hops` are for a person at a terminal; no result has them.
    """

    status: Status
    reason: Reason | None
    started_at: float | None
    detail: str | None = None
    address: str | None = None
    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    total_ms: float | None = None
    cert_expires_at: int | None = None
    http_status: int | None = None
    banner: str | None = None
    hops: tuple[Hop, ...] = ()


OnDone = Callable[[PlannedCheck, CheckOutcome], None]


class Engine(Protocol):
    """Makes checks. All methods are called in the event loop's thread."""

    vantage: Vantage
    """The vantage of the checks that are submitted from now on."""

    def submit(self, check: PlannedCheck, on_done: OnDone) -> None:
        """Begins the check and returns at once.

        `on_done` is called exactly once, in the loop's thread, never before `submit` has
        returned, and not much later than the target's timeout; the timeout of a kind with a pace
        begins at its turn, within the target's interval. Raises nothing: an error of the prober
        is the outcome `prober_error`.
        """

    @property
    def in_flight(self) -> int:
        """The number of checks in flight."""

    def close(self) -> None:
        """Ends all checks in flight without an outcome; no more submit is allowed."""
