"""The reason why one policy opens an incident that the other does not, as a sentence."""

from schemas.duration import COARSE, duration_text
from schemas.result import REASON_TEXT
from schemas.target import LatencyLimit, Target
from streams.backtest.outcome import PastIncident
from streams.rules.consensus import majority, need


def why(one: PastIncident, opens: Target, other: Target | None) -> str:
    """What was seen, and the term of the `other` policy that makes the difference: a sentence.

    `other` is None if that policy does not watch the target. The first difference that explains it
    alone is named; if none does, all differences are.
    """
    seen = _seen(one)
    if other is None:
        return f"{seen}; not watched by the other policy"
    return f"{seen}; {_because(one, opens, other)}"


def changes(old: Target, new: Target) -> list[str]:
    """The differences of two policies for a target, in people's notation: `retries 1 → 2`."""
    found = []
    for field, label in _FIELDS.items():
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            found.append(f"{label} {_text(field, before)} → {_text(field, after)}")
    return found


_FIELDS = {
    "retries": "retries",
    "retry_delay_ms": "retry_delay",
    "consensus": "consensus",
    "open_after_ms": "open_after",
    "recover_after": "recover_after",
    "abandon_after_ms": "abandon_after",
    "latency": "latency",
    "regions": "regions",
}


def _seen(one: PastIncident) -> str:
    texts = " / ".join(REASON_TEXT[reason] for reason in one.reasons) or (
        "Slow" if one.incident_type == "slow" else "Failed"
    )
    return f"{texts} from {one.down} of {one.configured} regions"


def _because(one: PastIncident, opens: Target, other: Target) -> str:
    if one.incident_type == "slow":
        return _slow(opens, other)
    gone = [region for region in opens.regions if region not in other.regions]
    wanted = max(need(other.consensus, one.fresh), majority(len(other.regions)))
    outage_ms = (one.closed_at or 0) - one.first_failed_at
    if not gone and one.down < wanted:
        return f"{wanted} of {one.fresh} would be needed"
    if one.closed_at is not None and outage_ms < other.open_after_ms:
        return f"over before open_after {duration_text(other.open_after_ms, COARSE)}"
    if other.retries > opens.retries:
        return f"never {wanted} regions at once with {other.retries + 1} failures in a row"
    differences = changes(opens, other)
    return ", ".join(differences) or "it met other incidents of the host differently"


def _slow(opens: Target, other: Target) -> str:
    if other.latency is None:
        return "no limit on the latency"
    return ", ".join(changes(opens, other)) or "the same limit, met at another time"


def _text(field: str, value: object) -> str:
    if value is None:
        return "none"
    if field.endswith("_ms") and isinstance(value, int):
        return duration_text(value, COARSE)
    if isinstance(value, LatencyLimit):
        return _limit(value)
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value)
    return str(value)


def _limit(limit: LatencyLimit) -> str:
    """`250 ms or 3 times usual in total × 3, 24 h ahead`."""
    ways = [] if limit.max_ms is None else [f"{limit.max_ms:g} ms"]
    if limit.times_usual is not None:
        ways.append(f"{limit.times_usual:g} times usual")
    whole = " in total" if limit.of == "total" else ""
    ahead = f", {duration_text(limit.warn_ahead_ms, COARSE)} ahead" if limit.warn_ahead_ms else ""
    return f"{' or '.join(ways)}{whole} × {limit.for_results}{ahead}"
