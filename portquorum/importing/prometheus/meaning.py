"""What an alert rule asks of a check: down for so long, slow, a certificate that ends, a status."""

import math
from collections.abc import Callable, Mapping
from typing import Final, Literal

from msgspec import Struct

from portquorum.importing.prometheus import promql, thresholds
from portquorum.importing.prometheus.promql import Matcher, Node
from portquorum.importing.prometheus.rules import AlertRule
from portquorum.importing.prometheus.thresholds import Bound, UnclearError, Way

_DAY_S: Final = 86_400
_MOST_DAYS: Final = 365
_SUCCESS: Final = "probe_success"
_STATUS: Final = "probe_http_status_code"
_ENDS: Final = frozenset(
    {"probe_ssl_earliest_cert_expiry", "probe_ssl_last_chain_expiry_timestamp_seconds"}
)
_DURATIONS: Final = frozenset(
    {"probe_duration_seconds", "probe_http_duration_seconds", "probe_icmp_duration_seconds"}
    | {"probe_dns_duration_seconds", "probe_grpc_duration_seconds"}
)
_OWN_LABELS: Final = frozenset({"phase", "version", "serving_status"})
"""Labels that the exporter itself puts on its metrics."""

_DOWN_ANYWAY: Final = frozenset(
    {"probe_failed_due_to_regex", "probe_dns_query_succeeded", "probe_failed_due_to_cel"}
    | {"probe_failed_due_to_bytes"}
)
_HOLDS: Final[dict[str, Callable[[float, float], bool]]] = {
    "==": lambda found, value: found == value,
    "!=": lambda found, value: found != value,
    "<": lambda found, value: found < value,
    "<=": lambda found, value: found <= value,
    ">": lambda found, value: found > value,
    ">=": lambda found, value: found >= value,
}


class Effect(Struct, frozen=True, kw_only=True):
    """One thing that a rule asks for, of the targets that `matchers` name.

    `down`: told after `hold_s` of being down. `slow`: above `max_ms`, told after `hold_s`.
    `ends`: a certificate with less than `days`. `status`: one of `bad`; `unanswered`: also where
    there is none. `covered`: what is told anyway, `note` says how.
    """

    what: Literal["down", "slow", "ends", "status", "covered"]
    metric: str
    matchers: tuple[Matcher, ...]
    hold_s: float = 0
    max_ms: float = 0
    of: Literal["connect", "total"] = "total"
    days: int = 0
    bad: frozenset[int] = frozenset()
    unanswered: bool = False
    notes: tuple[str, ...] = ()


class Meaning(Struct, frozen=True):
    """The effects of a rule; without any `why` says what it is about."""

    rule: AlertRule
    effects: tuple[Effect, ...] = ()
    why: str = ""


def meaning_of(rule: AlertRule, recorded: Mapping[str, Node]) -> Meaning:
    """What a rule asks for. `recorded` are the expressions of recording rules by name."""
    if rule.tree is None:
        return Meaning(rule, why=f"its expression can't be read: {rule.wrong}")
    try:
        ways = thresholds.ways(rule.tree, recorded)
        return Meaning(rule, tuple(_merged([_effect(rule, way) for way in ways])))
    except UnclearError as error:
        names = sorted(one for one in _all_metrics(rule.tree, recorded) if one)
        if not any(name.startswith("probe_") for name in names):
            return Meaning(rule, why=_elsewhere(names))
        return Meaning(rule, why=f"{error}, for which there is nothing here")


def _all_metrics(tree: Node, recorded: Mapping[str, Node]) -> set[str]:
    names = promql.metrics(tree)
    return names | {
        inner for one in names & recorded.keys() for inner in promql.metrics(recorded[one])
    }


def _elsewhere(names: list[str]) -> str:
    if "up" in names or not names:
        return "it is about Prometheus' own scrapes, and not about what is checked"
    return f"it is about {', '.join(names[:3])}, which no check measures"


def _effect(rule: AlertRule, way: Way) -> Effect:
    bounds = [one for one in way if not _is_trivial(one, way)]
    metrics = {one.metric for one in bounds}
    if not bounds:
        raise UnclearError("it tells that a target is up")
    if len(metrics) > 1:
        if all(one.startswith("probe_") for one in metrics) and any(map(_is_down, bounds)):
            return Effect(
                what="covered",
                metric=_SUCCESS,
                matchers=bounds[0].matchers,
                notes=("it is told with the target's being down",),
            )
        raise UnclearError(f"it joins {' and '.join(sorted(metrics))}")
    metric = metrics.pop()
    if metric == _STATUS:
        return _status(rule, bounds)
    if len(bounds) > 1:
        raise UnclearError(f"it has several bounds of {metric}")
    bound = bounds[0]
    if metric == _SUCCESS:
        return _down(rule, bound)
    if metric in _DURATIONS:
        return _slow(rule, bound)
    if metric in _ENDS:
        return _ends(bound)
    if metric in _DOWN_ANYWAY:
        return Effect(
            what="covered",
            metric=metric,
            matchers=_of_target(bound.matchers),
            notes=("the target is down then, which is told",),
        )
    raise UnclearError(f"it is about {metric}")


def _is_trivial(bound: Bound, way: Way) -> bool:
    """Whether the bound only says where another one of the way means something."""
    others = [one for one in way if one is not bound]
    if not others:
        return False
    if bound.metric == _SUCCESS and not bound.over:
        return not _is_down(bound)
    if bound.metric in _ENDS:
        lower = bound.sign in {">", ">=", "!="}
        upper = any(one.metric == bound.metric and one.sign in {"<", "<="} for one in others)
        return lower and (upper or not bound.remaining)
    return bound.metric == _STATUS and bound.sign in {">", "!="} and bound.value == 0


def _is_down(bound: Bound) -> bool:
    holds = _HOLDS[bound.sign]
    return bound.metric == _SUCCESS and holds(0, bound.value) and not holds(1, bound.value)


def _of_target(matchers: tuple[Matcher, ...]) -> tuple[Matcher, ...]:
    return tuple(one for one in matchers if one.label not in _OWN_LABELS)


def _down(rule: AlertRule, bound: Bound) -> Effect:
    notes: list[str] = []
    hold_s = rule.hold_s
    if bound.across not in {"", "min", "max"}:
        raise UnclearError("it counts several targets together")
    if bound.over in {"", "last", "max", "min"}:
        if not _is_down(bound):
            raise UnclearError("it tells that a target is up")
        if bound.over == "max":
            hold_s += bound.window_s
        if bound.over == "min":
            notes.append(_in_window(bound, "one failure is told for so long"))
    elif bound.over == "avg" and bound.sign in {"<", "<=", "==", "!="}:
        share = min(max(bound.value, 0.0), 1.0)
        lost = 0.0 if bound.sign == "!=" or share == 1 else 1 - share
        hold_s += lost * bound.window_s
        if 0 < share < 1 or (share == 1 and bound.sign in {"<", "!="}):
            notes.append(_in_window(bound, "failures are counted, also with successes between"))
    else:
        raise UnclearError(f"it looks at {bound.over}_over_time of {_SUCCESS}")
    return Effect(
        what="down",
        metric=_SUCCESS,
        matchers=_of_target(bound.matchers),
        hold_s=hold_s,
        notes=tuple(notes),
    )


def _in_window(bound: Bound, what: str) -> str:
    return f"there all within {bound.window_s:g} s count ({what}), here an outage as one"


def _slow(rule: AlertRule, bound: Bound) -> Effect:
    phases = [one for one in bound.matchers if one.label == "phase"]
    phase = phases[0].value if phases and phases[0].sign == "=" else ""
    icmp = bound.metric == "probe_icmp_duration_seconds"
    if bound.sign not in {">", ">="} or bound.value <= 0:
        raise UnclearError("it tells that a target is fast")
    if phases and phase != "connect" and not (icmp and phase == "rtt"):
        raise UnclearError(f"it is about the phase {phase or phases[0].value}")
    notes = []
    if bound.over in {"avg", "sum", "quantile"}:
        notes.append("so many slow results in a row are told, and not their average")
    if not phases and bound.metric != "probe_duration_seconds" and bound.across != "sum":
        notes.append("the phases count together, and not each by itself")
    return Effect(
        what="slow",
        metric=bound.metric,
        matchers=_of_target(bound.matchers),
        hold_s=rule.hold_s + (bound.window_s if bound.over not in {"max", "last"} else 0),
        max_ms=bound.value * 1000,
        of="connect" if phases or icmp else "total",
        notes=tuple(notes),
    )


def _ends(bound: Bound) -> Effect:
    if not bound.remaining or bound.sign not in {"<", "<="}:
        raise UnclearError("it compares the end of a certificate with something else than now")
    if bound.value <= 0:
        return Effect(
            what="covered",
            metric=bound.metric,
            matchers=_of_target(bound.matchers),
            notes=("a target whose certificate has expired is down, which is told",),
        )
    days = math.ceil(bound.value / _DAY_S)
    notes = () if days <= _MOST_DAYS else (f"it warns {_MOST_DAYS} days before, at most",)
    return Effect(
        what="ends",
        metric=bound.metric,
        matchers=_of_target(bound.matchers),
        days=min(days, _MOST_DAYS),
        notes=notes,
    )


def _status(rule: AlertRule, bounds: list[Bound]) -> Effect:
    notes = []
    if any(one.over not in {"", "last", "min", "max"} for one in bounds):
        notes.append("each status is looked at by itself, and not their average")

    def holds(status: float) -> bool:
        return all(_HOLDS[one.sign](status, one.value) for one in bounds)

    return Effect(
        what="status",
        metric=_STATUS,
        matchers=_of_target(bounds[0].matchers),
        hold_s=rule.hold_s,
        bad=frozenset(code for code in range(100, 600) if holds(code)),
        unanswered=holds(0),
        notes=tuple(notes),
    )


def _merged(effects: list[Effect]) -> list[Effect]:
    """Several ways of one status rule (`< 200 or >= 400`) as one."""
    found: list[Effect] = []
    for one in effects:
        same = next((at for at, other in enumerate(found) if _are_one(one, other)), None)
        if same is None:
            found.append(one)
        else:
            other = found[same]
            found[same] = Effect(
                what="status",
                metric=one.metric,
                matchers=one.matchers,
                hold_s=one.hold_s,
                bad=one.bad | other.bad,
                unanswered=one.unanswered or other.unanswered,
                notes=one.notes,
            )
    return found


def _are_one(one: Effect, other: Effect) -> bool:
    return one.what == other.what == "status" and one.matchers == other.matchers
