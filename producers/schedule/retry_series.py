"""A retry series: attempt 0, then retries a fixed delay apart until a success or the last."""

from msgspec import Struct

from schemas.result import Cause, Status


class Attempt(Struct, frozen=True, gc=False):
    """The next attempt of a series: number, cause and due time (broker ms)."""

    number: int
    cause: Cause
    due_ms: float


def follow(
    number: int, status: Status, finished_ms: float, *, retries: int, retry_delay_ms: int
) -> Attempt | None:
    """The attempt after attempt `number` with the result `status`; None at the end of the series.

    A failed attempt 0 begins a series, whatever its cause. `missed` (our own fault) is no evidence:
    it begins no series, and within one it uses up its attempt.
    """
    if status == "up" or number >= retries or (status == "missed" and number == 0):
        return None
    return Attempt(number + 1, "retry", finished_ms + retry_delay_ms)
