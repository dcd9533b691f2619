"""A golden log that goes on: all regions beat, every check and every job succeeds."""

from collections.abc import Mapping

from msgspec import structs

from schemas import batch, control, incident
from schemas.control import Beat
from schemas.incident import IncidentEvent
from schemas.result import RECEIVER, CheckResult
from schemas.target import Target
from streams.rules.messages import OutMessage
from streams.rules.process import step
from streams.state.partition_state import PartitionState

ROUND_MS = 5_000


def go_on(states: Mapping[int, PartitionState], minutes: int) -> list[IncidentEvent]:
    """The events of that time; the states move along.

    Every region checks each target once in 20 s, whatever its interval is; so do jobs report.
    """
    events = []
    for state in states.values():
        begun = state.now
        while state.now < begun + minutes * 60_000:
            now = state.now + ROUND_MS
            regions = sorted(
                {name for one in state.targets.values() for name in one.target.regions}
            )
            for region in regions:
                body = control.headers(_beat(region, now, len(state.targets)))
                events += _events(step(state, state.offset + 1, now, b"", body).messages)
            body = control.headers(_beat(RECEIVER, now, len(state.jobs)))
            events += _events(step(state, state.offset + 1, now, b"", body).messages)
            results = [
                _success(one.target, region, now)
                for one in state.targets.values()
                for region in one.target.regions
            ]
            results += [_reported(one.target, now) for one in state.jobs.values()]
            if results and (now - begun) // ROUND_MS % 4 == 1:
                value = batch.encode(results)
                events += _events(step(state, state.offset + 1, now, value, ()).messages)
    return events


def _events(messages: tuple[OutMessage, ...]) -> list[IncidentEvent]:
    decoded = (incident.decode(one.value) for one in messages if one.topic == "incidents")
    return [event for event in decoded if isinstance(event, IncidentEvent)]


def _success(target: Target, region: str, now: int) -> CheckResult:
    return CheckResult(
        target=target.id,
        kind=target.kind,
        host=target.host,
        port=target.port,
        region=region,
        prober=f"{region}-1",
        scheduled_at=now - 20,
        started_at=now - 20,
        status="up",
        reason=None,
        attempt=0,
        cause="schedule",
        target_version=target.version,
        connect_ms=1.5,
        total_ms=1.5,
    )


def _reported(job: Target, now: int) -> CheckResult:
    return structs.replace(_success(job, RECEIVER, now), signal="success", connect_ms=None)


def _beat(region: str, now: int, targets: int) -> Beat:
    return Beat(
        region=region,
        prober=f"{region}-1",
        sequence=now // ROUND_MS,
        started_at=now,
        targets=targets,
        failing=0,
        newly_failing=0,
        connectivity=True,
        lag_ms=0.0,
        spool=0,
        clock_offset_ms=0,
    )
