"""Judges the roles: regions and their probers, stream, sink, notifier. Pure."""

from collections.abc import Iterator
from typing import Final

from portquorum.health.facts import GroupFacts, HealthFacts, ProberFacts, RegionFacts
from portquorum.health.judge_channels import channels_line
from portquorum.health.judge_receivers import receivers
from portquorum.health.judge_services import SKEW_MS, age, plural, some
from portquorum.health.verdict import HealthLevel, HealthLine
from schemas.duration import COARSE, duration_text
from schemas.result import RECEIVER
from streams.rules.regions import SILENT_AFTER_MS

SEEN_MS: Final = 20_000
"""How far back the log is searched for beats."""

LATE_CHECKS_MS: Final = 5_000
"""A scheduling lag of a prober that is said."""

MANY_WAIT: Final = 1_000
"""Results of a prober that wait for the broker and are said, if a tenth of its targets is fewer.
Some always wait: they are on their way."""

SINK_LATE_MS: Final = 15_000
SINK_STUCK_MS: Final = 60_000
NOTIFIER_LATE_MS: Final = 20_000
NOTIFIER_STUCK_MS: Final = 60_000
"""Events wait for no channel; another notifier takes over within 15 s."""

_REBALANCE: Final = frozenset({"PreparingRebalance", "CompletingRebalance"})
_ROLE: Final = {"stream": "stream", "sink": "sink", "notify": "notifier"}


def stream_stuck_ms(checkpoint_interval_s: float) -> int:
    """Time without a new checkpoint after which the stream counts as stopped: 45 s by default."""
    return round(checkpoint_interval_s * 2_000) + 15_000


def nobody_runs(facts: HealthFacts) -> bool:
    """True if every group is visible and empty, and no prober beats."""
    # Of a region that only a target names the group is not asked for.
    probers = (region.group for region in facts.regions if region.group.group)
    groups = [*facts.groups, *probers]
    if not facts.groups or any(group.members != 0 for group in groups):
        return False
    return not any(_heard(region, facts.log.now) for region in facts.regions)


def _heard(region: RegionFacts, now: int) -> bool:
    return region.last_beat is not None and now - region.last_beat <= SILENT_AFTER_MS


def region_lines(facts: HealthFacts) -> Iterator[HealthLine]:
    """A line for each region; one that says so if there is none."""
    if not facts.kafka.reachable:
        yield HealthLine("region", "unknown", "Kafka is away")
        return
    if facts.log.hidden:
        yield HealthLine("region", "unknown", f"beats are not visible: needs {facts.log.hidden}")
        return
    if not facts.regions:
        yield HealthLine("region", "ok", "none: neither the inventory nor a beat names one")
    for region in facts.regions:
        judged = receivers if region.region == RECEIVER else _region
        level, text = judged(region, facts.log.now)
        yield HealthLine("region", level, text, region.region)


def _region(region: RegionFacts, now: int) -> tuple[HealthLevel, str]:
    if not _heard(region, now):
        return _silent(region, now)
    beats = region.probers
    # Probers that are a moment gone stay among the beats for a while.
    alive = tuple(one for one in beats if now - one.at <= SILENT_AFTER_MS) or beats
    watched, failing = sum(one.targets for one in alive), sum(one.failing for one in alive)
    text = (
        f"{plural(len(alive), 'prober')}, last beat {age(now, region.last_beat or now)} ago, "
        f"{plural(watched, 'target')}, {failing:,} failing"
    )
    if region.set_aside:
        return "trouble", f"{text}; set aside: it looks like a fault of its own network"
    if alive and not any(one.connectivity for one in alive):
        return "trouble", f"{text}; none of its references answers: its failures do not count"
    notes = [note for one in alive for note in _notes(one)]
    if region.known is False:
        notes.append("the policy does not have this region")
    if notes:
        return "warning", f"{text}; {some(tuple(notes))}"
    return "ok", text


def _silent(region: RegionFacts, now: int) -> tuple[HealthLevel, str]:
    if region.targets == 0:
        return "ok", "no prober, and no target names it"
    lost = (
        ""
        if region.targets is None
        else f": {plural(region.targets, 'target')} not watched from here"
    )
    if region.last_beat is not None:
        return "trouble", f"silent for {age(now, region.last_beat)}{lost}"
    here = region.group.members
    if here:
        return "trouble", f"{plural(here, 'prober')} in the group, and no beat for 20 s{lost}"
    return "trouble", f"no prober runs, no beat in sight{lost}"


def _notes(one: ProberFacts) -> Iterator[str]:
    if not one.connectivity:
        yield f"prober {one.prober} has no network"
    if one.spool > max(MANY_WAIT, one.targets // 10):
        yield f"{plural(one.spool, 'result')} of prober {one.prober} still to be published"
    if one.lag_ms > LATE_CHECKS_MS:
        late = duration_text(one.lag_ms, COARSE)
        yield f"checks of prober {one.prober} begin {late} late"
    offset = one.clock_offset_ms
    if offset is not None and abs(offset) > SKEW_MS:
        off = duration_text(abs(offset), COARSE)
        way = "behind" if offset > 0 else "ahead of"
        yield f"the clock of prober {one.prober} is {off} {way} the broker's"
    if one.missing_secrets:
        yield f"prober {one.prober} lacks {some(tuple(one.missing_secrets))} for its checks"


def role_lines(facts: HealthFacts) -> Iterator[HealthLine]:
    """A line each for stream, checkpoint, sink and notifier."""
    if not facts.kafka.reachable:
        for part in ("stream", "checkpoint", "sink", "notifier"):
            yield HealthLine(part, "unknown", "Kafka is away")
        return
    for group in facts.groups:
        part = _ROLE[group.role]
        level, text = _group(group, facts)
        yield HealthLine(part, level, text)
        if group.role == "stream":
            yield _checkpoint_line(facts)
    channels = channels_line(facts)
    if channels is not None:
        yield channels
    if facts.policy is not None and not facts.policy.hidden:
        yield from _routes(facts)


def _group(group: GroupFacts, facts: HealthFacts) -> tuple[HealthLevel, str]:
    if group.hidden:
        return "unknown", f"not visible: needs {group.hidden}"
    if group.error:
        return "trouble", f"no broker can say who is in group {group.group} ({group.error})"
    behind, late_ms = _behind(group, facts.log.now)
    if not group.members:
        start = f"portquorum {group.role}"
        return "trouble", f"no {_ROLE[group.role]} runs ({start}); {behind}"
    level, why = _lateness(group, late_ms, facts.checkpoint_interval_s)
    return level, f"{plural(group.members, 'member')}, {behind}{why}"


def _lateness(
    group: GroupFacts, late_ms: int, checkpoint_interval_s: float
) -> tuple[HealthLevel, str]:
    limits = {
        "stream": (stream_stuck_ms(checkpoint_interval_s), None, "catching up"),
        "sink": (SINK_STUCK_MS, SINK_LATE_MS, "ClickHouse is too slow"),
        "notify": (NOTIFIER_STUCK_MS, NOTIFIER_LATE_MS, "none of them is active"),
    }
    stuck_ms, warn_ms, other_cause = limits[group.role]
    if late_ms > stuck_ms:
        return "trouble", f": it stands still, or {other_cause}"
    if group.state in _REBALANCE:
        return "warning", "; the group shares its partitions anew"
    if warn_ms is not None and late_ms > warn_ms:
        return "warning", ""
    return ("unknown" if group.lag_hidden else "ok"), ""


def _behind(group: GroupFacts, now: int) -> tuple[str, int]:
    """The lag in words, and in ms (0 if it is not known)."""
    if group.lag is None:
        return f"lag not visible: needs {group.lag_hidden}", 0
    if not group.lag:
        return "nothing behind", 0
    since = "after the checkpoints" if group.role == "stream" else "behind"
    text = f"{plural(group.lag, 'message')} {since}"
    if group.oldest is None:
        why = f" (age not visible: needs {group.lag_hidden})" if group.lag_hidden else ""
        return text + why, 0
    return f"{text}, the oldest {age(now, group.oldest)} old", max(0, now - group.oldest)


def _checkpoint_line(facts: HealthFacts) -> HealthLine:
    found, now = facts.checkpoints, facts.log.now
    if found is None or found.hidden:
        need = found.hidden if found else "READ on topic state"
        return HealthLine("checkpoint", "unknown", f"not visible: needs {need}")
    if found.oldest is None or found.newest is None:
        return HealthLine("checkpoint", "warning", "none yet: a stream begins with an empty state")
    text = (
        f"of {plural(found.partitions, 'partition')}, newest {age(now, found.newest)} old, oldest "
        f"{age(now, found.oldest)} old; {plural(found.chunks, 'chunk')} of at most 512 KB"
    )
    stuck = now - found.newest > stream_stuck_ms(facts.checkpoint_interval_s)
    return HealthLine("checkpoint", "trouble" if stuck else "ok", text)


def _routes(facts: HealthFacts) -> Iterator[HealthLine]:
    policy = facts.policy
    if policy is None:
        return
    notes = []
    if policy.missing_routes:
        notes.append(f"no inventory defines the route {some(policy.missing_routes)}")
    if policy.untold_teams:
        notes.append(f"incidents of {some(policy.untold_teams)} go to the notifier's console alone")
    if notes:
        yield HealthLine("routes", "warning", "; ".join(notes))
    elif not policy.routes:
        text = "none: incidents go to the notifier's console alone"
        yield HealthLine("routes", "warning", text)
    else:
        yield HealthLine("routes", "ok", plural(policy.routes, "route"))
