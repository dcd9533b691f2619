"""The limit of a target on the time of a whole check (`max_ms`)."""

from msgspec.structs import replace

from producers.checks.model import CheckOutcome
from producers.checks.os_errors import DETAIL_LENGTH
from schemas.target import Target


def limited(target: Target, outcome: CheckOutcome) -> CheckOutcome:
    """The outcome; down (`too_slow`) if the check was up and took longer than `max_ms`.

    What was measured stays. A port that must be closed has no such limit: its silence is right.
    """
    most_ms, took_ms = target.max_ms, outcome.total_ms
    if most_ms is None or took_ms is None or outcome.status != "up" or target.expect != "open":
        return outcome
    if took_ms <= most_ms:
        return outcome
    text = f"expected an answer within {most_ms:g} ms, found {_found(took_ms, most_ms)} ms"
    detail = text if outcome.detail is None else f"{text}; {outcome.detail}"
    return replace(outcome, status="down", reason="too_slow", detail=detail[:DETAIL_LENGTH])


def _found(took_ms: float, most_ms: float) -> str:
    """The time in whole milliseconds, unless these would be those of the limit."""
    whole = f"{took_ms:.0f}"
    return whole if float(whole) > most_ms else f"{took_ms:g}"
