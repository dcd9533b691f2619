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
_SIGNAL: Final = _fields.index("signal")


def contradiction(result: CheckResult) -> str | None:
    """What is wrong, in a sentence: expected and found; None if nothing is.

    A signal has its own status and reason; of what has none a version before signals may have
    written anything.
    """
    if result.signal is None or (result.status, result.reason) == _MEANS[result.signal]:
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
    return signals.count(None) != len(signals)
