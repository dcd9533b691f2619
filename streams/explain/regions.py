"""The verdict of each region on a target, and what it lacks for another one."""

from schemas.incident import RegionVerdict
from streams.explain.model import RegionExplained
from streams.rules import consensus, incident_events
from streams.state import latency_levels
from streams.state.partition_state import PartitionState
from streams.state.target_state import TargetState
from streams.state.windows import Window


def explained(state: PartitionState, entry: TargetState) -> tuple[RegionExplained, ...]:
    """The explanation of every configured region, sorted by name."""
    positions = entry.policy.positions
    said = incident_events.verdicts(state, entry)
    return tuple(
        _region(state, entry, region, said[region], state.window(entry, positions[region]))
        for region in sorted(positions)
    )


def log_time(state: PartitionState, running: int) -> int:
    """Log time at a running time, which may be in the future, without any further gap."""
    ahead = running - state.running
    return state.now + ahead if ahead >= 0 else state.log_at(running)


def _region(
    state: PartitionState,
    entry: TargetState,
    region: str,
    said: RegionVerdict,
    window: Window | None,
) -> RegionExplained:
    policy, known = entry.policy, state.regions.get(region)
    silent_since = known.last_beat_at if known is not None and known.silent else None
    slow_needed = None if policy.latency is None else policy.latency.for_results
    quiet_since = state.columns.fresh_until[entry.slot + policy.positions[region]]
    waited_until = None
    if entry.incidents and quiet_since < state.running:
        waited_until = log_time(state, quiet_since + policy.abandon_after_ms)
    if window is None:
        return RegionExplained(
            region=region,
            said=said,
            waited_until=waited_until,
            failures_needed=policy.retries + 1,
            successes_needed=policy.recover_after,
            slow_needed=slow_needed,
            silent_since=silent_since,
        )
    last_word = "down" if window.down or window.unended else "slow" if window.slow else "up"
    return RegionExplained(
        region=region,
        said=said,
        counts=consensus.counts(state, region, window),
        newest_at=window.newest,
        fresh_until=log_time(state, window.fresh_until),
        last_word=last_word,
        failures=0 if window.failing is None else window.failing.count,
        failures_needed=policy.retries + 1,
        successes=window.successes,
        successes_needed=policy.recover_after,
        slow_row=0 if window.pace is None else window.pace.count,
        slow_needed=slow_needed,
        rising=window.slow and window.pace is not None and window.pace.why == "rising",
        waited_until=waited_until,
        silent_since=silent_since,
        lately_us=latency_levels.span_us(window.lately) if window.lately else None,
        usual_us=latency_levels.span_us(window.usual) if window.usual else None,
    )
