"""What the alert rules make of a target: when it is told, how urgent it is, what is too slow."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from msgspec import Struct, field

from portquorum.importing.model import Timing
from portquorum.importing.prometheus import go_regexp
from portquorum.importing.prometheus.meaning import Effect, Meaning
from portquorum.importing.prometheus.promql import Matcher
from portquorum.importing.prometheus.rules import AlertRule
from portquorum.importing.statuses import ranges
from portquorum.importing.timing import fit

_CRITICAL: Final = frozenset(
    {"critical", "crit", "page", "high", "error", "emergency", "fatal", "disaster", "urgent"}
    | {"major", "p0", "p1", "p2", "sev0", "sev1"}
)
_WARNING: Final = frozenset({"warning", "warn", "medium", "average", "minor", "p3", "sev2"})
_MOST_RESULTS: Final = 1_000
_MOST_SOON_DAYS: Final = 7
_FINE: Final = tuple(range(200, 300))

Series = Callable[[str], Mapping[str, str] | None]
Matched = tuple[AlertRule, Effect]


class Policy(Struct):
    """Fields of a target beside kind, host and port; `probe` has changes of its options."""

    fields: dict[str, Any] = field(default_factory=dict)
    probe: dict[str, Any] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    before: Timing | None = None


_EXPORTED: Final = {
    "probe_http_": frozenset({"http"}),
    "probe_icmp_": frozenset({"icmp"}),
    "probe_dns_": frozenset({"dns"}),
    "probe_grpc_": frozenset({"grpc"}),
    "probe_websocket_": frozenset({"websocket"}),
    "probe_failed_due_to_": frozenset({"http", "tcp"}),
}
"""The probers that have metrics of such names; others are of all."""


def exported(metric: str, prober: str) -> bool:
    """Whether the exporter has this metric of a target that it asks by this prober."""
    if metric == "probe_dns_lookup_time_seconds":
        return True
    of = next((one for start, one in _EXPORTED.items() if metric.startswith(start)), None)
    return of is None or prober in of


def matched(meanings: Iterable[Meaning], series: Series) -> list[Matched]:
    """The rules, with their effects, that are about a target with these series."""
    labels = cache(series)
    found: list[Matched] = []
    for meaning in meanings:
        for effect in meaning.effects:
            of_metric = labels(effect.metric)
            if of_metric is not None and all(_fits(one, of_metric) for one in effect.matchers):
                found.append((meaning.rule, effect))
    return found


def _fits(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    value = labels.get(matcher.label, "")
    if matcher.sign in {"=", "!="}:
        return (value == matcher.value) == (matcher.sign == "=")
    try:
        matches = go_regexp.anchored(matcher.value).search(value) is not None
    except ValueError:
        return False
    return matches == (matcher.sign == "=~")


def policy_of(
    entry: Mapping[str, Any],
    found: Sequence[Matched],
    *,
    interval_s: float,
    timeout_s: float,
    has_rules: bool,
) -> Policy:
    """The policy of a target. `has_rules`: some alert rules are known, be they about it or not."""
    policy = Policy()
    kind, probe = entry["kind"], entry.get("probe", {})
    downs = [one for one in found if one[1].what == "down"]
    downs += _by_status(policy, probe, kind, found, told=bool(downs))
    _told(policy, downs, interval_s, timeout_s, has_rules=has_rules)
    slow = [one for one in found if one[1].what == "slow"]
    _slow(policy, slow, interval_s)
    if "critical_days" in probe:
        _ends(policy, [one for one in found if one[1].what == "ends"])
    _criticality(policy, downs, slow)
    _of_labels(policy, downs or slow)
    return policy


def _note(policy: Policy, rule: AlertRule, effect: Effect) -> None:
    """Adds what differs of an effect that was taken."""
    policy.differences += [f"alert {rule.name}: {note}" for note in effect.notes]


def _told(
    policy: Policy,
    downs: Sequence[Matched],
    interval_s: float,
    timeout_s: float,
    *,
    has_rules: bool,
) -> None:
    """Interval, timeout and how long it is down until somebody is told."""
    first = min(downs, key=lambda one: one[1].hold_s, default=None)
    hold_s, keep_s = (0.0, 0.0) if first is None else (first[1].hold_s, first[0].keep_s)
    recoveries = 1 + math.ceil(keep_s / interval_s)
    fitted = fit(interval_s=interval_s, timeout_s=timeout_s, hold_s=hold_s, recoveries=recoveries)
    policy.fields |= fitted.fields
    policy.differences += fitted.differences
    policy.before = fitted.before
    if first is None:
        policy.before = Timing(interval_s=interval_s, timeout_s=timeout_s)
        if has_rules:
            policy.differences.append(
                "no alert of the files tells that it is down; here an incident does"
            )
        return
    _note(policy, *first)
    if len(downs) > 1:
        later = ", ".join(rule.name for rule, _ in downs if rule is not first[0])
        if later:
            policy.differences.append(
                f"it is told once, as by alert {first[0].name}, and not again by {later}: "
                "`escalate:` of a route tells others later"
            )


def _by_status(
    policy: Policy, probe: Mapping[str, Any], kind: str, found: Iterable[Matched], *, told: bool
) -> list[Matched]:
    """Rules on the status, as statuses that are down; those of them that are told as such."""
    downs: list[Matched] = []
    if kind != "http":
        return downs
    fine = set(_FINE if "status" not in probe else _codes(probe["status"]))
    narrowed = set(fine)
    for rule, effect in found:
        if effect.what == "status":
            narrowed -= effect.bad
            if told:
                _note(policy, rule, effect)
            else:
                downs.append((rule, effect))
                if not effect.unanswered:
                    policy.differences.append(
                        f"alert {rule.name} is about the status alone; here it is told, too, when "
                        "there is no answer"
                    )
    if narrowed and narrowed != fine:
        keep_single = probe.get("redirects") == 0
        policy.probe["status"] = [
            one
            if keep_single or not isinstance(one, int) or one not in range(300, 400)
            else f"{one}-{one}"
            for one in ranges(narrowed)
        ]
        gone = ", ".join(map(str, ranges(fine - narrowed)))
        policy.differences.append(f"with the status {gone}, of which an alert tells, it is down")
    return downs


def _codes(written: Iterable[int | str]) -> Iterable[int]:
    for one in written:
        low, _, high = str(one).partition("-")
        yield from range(int(low), int(high or low) + 1)


def _slow(policy: Policy, slow: Sequence[Matched], interval_s: float) -> None:
    if not slow:
        return
    rule, effect = min(slow, key=lambda one: one[1].max_ms)
    results = 1 + math.ceil(effect.hold_s / interval_s) if effect.hold_s else 1
    policy.fields["latency"] = {
        "max_ms": _short(effect.max_ms),
        "for": min(results, _MOST_RESULTS),
        "of": effect.of,
    }
    _note(policy, rule, effect)
    # What is above a higher limit is above this one too, unless this one is of a part of the time.
    others = {
        one.name
        for one, other in slow
        if one is not rule and (effect.of != other.of == "total" or other.hold_s < effect.hold_s)
    }
    if others:
        policy.differences.append(
            f"it is slow as alert {rule.name} has it, and not as {', '.join(sorted(others))} has it"
        )


def _short(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 3)


def _ends(policy: Policy, ends: Sequence[Matched]) -> None:
    """`warn_days` and `critical_days`: an urgent alert shortly before the end is "down" here."""
    soon = [one for one in ends if _is_critical(one[0]) and one[1].days <= _MOST_SOON_DAYS]
    early = [one for one in ends if one not in soon]
    if soon:
        days = max(effect.days for _, effect in soon)
        policy.probe["critical_days"] = days
        policy.differences.append(
            f"{days} days before its certificate ends it is down (alert {soon[0][0].name})"
        )
    if not early and not soon:
        return
    policy.probe["warn_days"] = max((effect.days for _, effect in early), default=0)
    for rule, effect in ends:
        _note(policy, rule, effect)
    for rule, _ in early:
        if _is_critical(rule):
            policy.differences.append(
                f"alert {rule.name} is urgent there; here an end of a certificate is a warning"
            )


def _is_critical(rule: AlertRule) -> bool:
    return rule.labels.get("severity", "").lower() in _CRITICAL


def _criticality(policy: Policy, downs: Sequence[Matched], slow: Sequence[Matched]) -> None:
    """By the label `severity`: the incident has the same severity in the end (rule 6)."""
    severities = {rule.labels.get("severity", "").lower() for rule, _ in downs}
    if severities & _CRITICAL:
        slow_too = any(_is_critical(rule) for rule, _ in slow) or not slow
        policy.fields["criticality"] = "critical" if slow_too else "important"
        return
    if any(_is_critical(rule) for rule, _ in slow):
        policy.differences.append("that it is slow is a warning here, and urgent there")
    told = severities - {""}
    if told - _WARNING:
        policy.differences.append(
            f"the severity {', '.join(sorted(told - _WARNING))} is a warning here"
        )


def _of_labels(policy: Policy, rules: Sequence[Matched]) -> None:
    """Team, tags and runbook of the first rule."""
    if not rules:
        return
    rule = rules[0][0]
    if rule.runbook:
        policy.fields["runbook"] = rule.runbook
    if rule.labels.get("team"):
        policy.fields["team"] = rule.labels["team"]
    tags = [
        f"{name}:{value}" for name, value in rule.labels.items() if name not in {"severity", "team"}
    ]
    if tags:
        policy.fields["tags"] = tags
