"""What a line must say of status and reason so that every question about results stays right."""

from collections.abc import Sequence
from typing import Any, Final

from schemas.result import CheckResult, LoggedResult

_MEANS: Final[dict[str, tuple[str, str | None]]] = {
    "success": ("up", None),
    "fail": ("down", "job_failed"),
    "start": ("missed", None),
    "log": ("missed", None),
}
"""Status and reason of each signal."""

_fields: Final = LoggedResult.__struct_fields__
_STATUS: Final = _fields.index("status")
_REASON: Final = _fields.index("reason")
_SIGNAL: Final = _fields.index("signal")


def contradiction(result: CheckResult) -> str | None:
    """What is wrong, in a sentence: expected and found; None if nothing is.

    A signal has its own status and reason. Without one, nothing is `missed` without a reason.
    """
    said = (result.status, result.reason)
    if result.signal is None:
        if said != ("missed", None):
            return None
        return "expected a reason of the status missed, or the signal start or log; found neither"
    if said == _MEANS[result.signal]:
        return None
    status, reason = _MEANS[result.signal]
    return (
        f"expected the status {status} and the reason {reason} with the signal {result.signal}, "
        f"found {result.status} and {result.reason}"
    )


def may_contradict(columns: Sequence[tuple[Any, ...]]) -> bool:
    """False if no result of a message, as columns in the order of its fields, is a contradiction.

    Quick. True means that each result must be looked at.
    """
    signals = columns[_SIGNAL]
    if signals.count(None) != len(signals):
        return True
    statuses = columns[_STATUS]
    return "missed" in statuses and ("missed", None) in zip(statuses, columns[_REASON], strict=True)
