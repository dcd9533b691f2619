"""How a receiver misbehaves."""

from typing import Final, Literal

from msgspec import Struct

Certificate = Literal["good", "self_signed", "expired", "other_name"]
"""`good`: of the authority that the environment trusts, for the name that was asked for."""


class Fault(Struct, frozen=True):
    """One way to misbehave.

    `status`: the answer has this status and a body of the service's shape. `too_many`: 429 with
    `Retry-After` of `seconds`, `as_date` as a date. `too_long`: 400 as the service says that a text
    is too long. `hang`: the request is read whole and never answered. `hang_unread`: the connection
    is accepted and nothing is read. `reset`: the request is read whole, then the connection is
    reset. `reset_unread`: reset before anything is read. `slow`: a good answer after `seconds`.
    `drip`: the answer comes a byte every `seconds` and never ends. `flood`: the good answer's body
    never ends. `garbage`: the answer is no HTTP. `login`: a gate before the service sends whoever
    asks to its page for a login (302), and shows that with 200; the service is told nothing.
    `page`: the gate shows its page at once, with 200.
    """

    kind: Literal[
        "status",
        "too_many",
        "too_long",
        "hang",
        "hang_unread",
        "reset",
        "reset_unread",
        "slow",
        "drip",
        "flood",
        "garbage",
        "login",
        "page",
    ]
    seconds: float = 0.0
    status: int = 0
    as_date: bool = False


TOO_LONG: Final = Fault("too_long")
HANG: Final = Fault("hang")
HANG_UNREAD: Final = Fault("hang_unread")
RESET: Final = Fault("reset")
RESET_UNREAD: Final = Fault("reset_unread")
DRIP: Final = Fault("drip", seconds=1.0)
FLOOD: Final = Fault("flood")
GARBAGE: Final = Fault("garbage")
LOGIN: Final = Fault("login")
PAGE: Final = Fault("page")


def status(code: int) -> Fault:
    return Fault("status", status=code)


def too_many(retry_after_s: float, *, as_date: bool = False) -> Fault:
    """429; in a header `Retry-After` only whole seconds are possible, in a body not."""
    return Fault("too_many", seconds=retry_after_s, as_date=as_date)


def slow(seconds: float) -> Fault:
    return Fault("slow", seconds=seconds)
