"""What happened around a divergence: the ground truth, the records, the events."""

from collections.abc import Iterator

import msgspec

from schemas import control
from schemas.control import HEADER, Beat
from schemas.incident import IncidentEvent
from schemas.partition import host_key
from schemas.result import CheckResult
from tests.simulation.scenario import START, Scenario
from tests.simulation.simulation import Run, Simulation
from tests.simulation.worker import Divergence

AROUND_MS = 400_000.0


def tell(scenario: Scenario, divergence: Divergence, around_ms: float = AROUND_MS) -> Iterator[str]:
    """Lets the same time pass again, and listens to one target."""
    target = divergence.target
    run = Simulation(scenario, watched=(target,)).run()
    since, until = divergence.at - around_ms, divergence.at + around_ms / 4
    yield f"{divergence.what} at {_time(divergence.at)}: {target} {divergence.detail}"
    for epoch in run.epochs.get(target, ()):
        yield f"  defined {_time(epoch.begin)}–{_time(epoch.end)} {epoch.target}"
    lines = [
        *_faults(run, target),
        *_shares(run, target),
        *_records(run, target),
        *_events(run, target),
    ]
    for at, line in sorted(lines):
        if since <= at <= until:
            yield f"  {_time(at)} {line}"


def _time(at: float) -> str:
    return f"{(at - START) / 1000:.3f}"


def _faults(run: Run, target: str) -> Iterator[tuple[float, str]]:
    faults = run.faults
    for outage in faults.outages:
        if target in outage.targets:
            where = ", ".join(outage.regions)
            what = f"{outage.what} ({outage.reason}) from {where}"
            yield outage.begin, f"FAULT begins: {what}"
            yield outage.end, f"FAULT ends: {what}"
    for loss in faults.losses:
        yield loss.begin, f"FAULT begins: {loss}"
        yield loss.end, f"FAULT ends: loss of {loss.region}"
    for death in faults.deaths:
        yield death.begin, f"FAULT prober {death.region}-{death.number} dies"
        yield death.end, f"FAULT prober {death.region}-{death.number} starts"
    for pause in faults.pauses:
        yield pause.begin, "FAULT the broker is away"
        yield pause.end, "FAULT the broker is back"
    for crash in faults.crashes:
        yield crash.at, f"FAULT {crash}"


def _shares(run: Run, target: str) -> Iterator[tuple[float, str]]:
    for (region, partition), spans in run.unowned.items():
        for begin, end in spans.spans:
            yield begin, f"nobody has partition {partition} in {region}"
            yield end, f"somebody has partition {partition} in {region}"
    for host in {host_key(epoch.target.host, target) for epoch in run.epochs.get(target, ())}:
        for at in run.requests.get(host, ()):
            yield at, f"REQUEST for {host}"


def _records(run: Run, target: str) -> Iterator[tuple[float, str]]:
    for partition, message in run.log:
        at, offset = message.append_time, message.offset
        for name, body in message.headers:
            if name == HEADER and not isinstance(one := control.decode(body), Beat):
                yield at, f"record {partition}:{offset} {one}"
        for line in message.value.split(b"\n"):
            if line:
                result = msgspec.json.decode(line, type=CheckResult)
                if result.target == target:
                    text = (
                        f"{result.region} {result.prober} {result.status} {result.reason or ''} "
                        f"started {_time(result.started_at)} {result.cause} {result.attempt}"
                    )
                    yield at, f"record {partition}:{offset} {text}"


def _events(run: Run, target: str) -> Iterator[tuple[float, str]]:
    for _, event in run.events:
        if isinstance(event, IncidentEvent):
            if event.target == target:
                said = {
                    region: (one.verdict, one.reason, one.set_aside)
                    for region, one in event.regions.items()
                }
                kind = f"{event.event} {event.incident_type} {event.closed_because or ''}"
                yield event.at, f"EVENT {kind} {event.votes} {said}"
        else:
            yield event.at, f"EVENT {event.event} {event.region}"
