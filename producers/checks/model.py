"""What a check engine takes and gives; `platform_engine` makes one."""

from collections.abc import Callable
from typing import Final, Literal, Protocol

from msgspec import Struct

from producers.checks import address_policy
from schemas.result import Cause, Reason, Status
from schemas.target import Target

Worth = Literal["routine", "repeated", "news"]
"""What a result is worth telling. `news` leave at once: a failure that was not told yet, the end of
one, the answer to a recheck. `repeated` is a failure that only says again what was told before it.
When there is no room for all, what is `routine` (the other successes) goes first."""

LOST_SHARE: Final = 0.25
"""With this share of its timeout lost, a check that timed out says nothing."""


class PlannedCheck(Struct, frozen=True, gc=False):
    """One check that is due. Times are broker time (UTC ms).

    `free_ms` is when the check before it ended: a slot that passed meanwhile is met then, and that
    it is late is the target's doing.
    """

    target: Target
    due_ms: float
    attempt: int
    cause: Cause
    free_ms: float = 0.0


class Vantage(Struct, frozen=True, gc=False, kw_only=True):
    """Where checks are made from.

    `source` is the local address that they leave from, None for the system's choice; `internal`
    lets them reach what is not public, `allow` so much of it, `deny` keeps them from networks
    whatever the others say (both as `producers.guard.network` takes them).
    """

    source: str | None = None
    internal: bool = False
    allow: address_policy.Networks = ()
    deny: address_policy.Networks = ()

    def blocked_because(self, address: str) -> str | None:
        """Why no check from here may connect to the IP address `address`; None if it may."""
        if not self.internal:
            return address_policy.blocked_because(address, self.allow, self.deny)
        return address_policy.denied_because(address, self.deny) if self.deny else None


class Hop(Struct, frozen=True, gc=False, kw_only=True):
    """One request of an HTTP check that was answered, and its phases.

    `wait_ms` is from the request to the head of the answer, `body_ms` from there to the end of what
    was read; None as in a result for a phase that there was not. `url` is without its query.
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
    """What came of one check.

    `started_at` is in monotonic seconds, None for a check that never began (`missed`, without a
    reason of its own: `prober_error` says that we were too late).
    `reason` is None exactly when the status is `up`; `detail` is clean and at most 300 characters.
    `total_ms` of a failure is user time, None when it could not be measured honestly.
    `cert_expires_at` is in UTC ms; `banner` is clean and at most 300 characters, as `detail` is.
    `hops` are for who looks on; no result has them.
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
    """Where the checks that are submitted from now on are made from."""

    def submit(self, check: PlannedCheck, on_done: OnDone) -> None:
        """Begins the check and returns at once.

        `on_done` is called exactly once, in the loop's thread, never before `submit` has
        returned, and not much later than the target's timeout. Nothing is raised: what goes
        wrong on our side is the outcome `prober_error`.
        """

    @property
    def in_flight(self) -> int:
        """How many checks have begun and are not done."""

    def close(self) -> None:
        """Ends all checks in flight without an outcome; nothing may be submitted any more."""
