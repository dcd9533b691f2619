"""What the page's memory costs: `python -m portquorum.bench.page_model [--targets N] [--open N]`.

A fleet is applied as the topics give it, then answers are made while incidents change between
them: every overview is made anew, as on a bad night. Times are those of one core; `CPU` leaves out
what other programs took meanwhile. Memory is resident.
"""

import argparse
import gc
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Final

import msgspec
import psutil
from msgspec import Struct, structs
from rich.console import Console
from rich.table import Table

from portquorum.bench import page_fleet
from portquorum.web.answers import IncidentQuery, TargetQuery
from portquorum.web.fleet import Fleet, StatusGroup
from schemas import incident
from schemas.incident import IncidentEvent
from schemas.target import Target

ROUNDS: Final = 60
NOW: Final = 1_800_000_000_000
_DAY_MS: Final = 86_400_000


class ModelFigures(Struct, frozen=True, kw_only=True):
    """One answer: the 95th percentile of its wall time and its CPU time, in ms."""

    what: str
    wall_ms: float
    cpu_ms: float


def main() -> None:
    """Measures and prints a table, or one JSON object."""
    asked = _arguments()
    empty_mb = memory_mb()
    fleet, load_s = loaded(*bad_night(asked.targets, asked.open))
    gc.collect()
    gc.freeze()
    fleet_mb = memory_mb() - empty_mb
    measured = [_measured(what, work, fleet) for what, work in _answers(fleet).items()]
    overview = fleet.overview()
    figures = {
        "targets": asked.targets,
        "open": asked.open,
        "load_s": round(load_s, 1),
        "fleet_mb": round(fleet_mb),
        "process_mb": round(memory_mb()),
        "overview_bytes": len(msgspec.json.encode(overview)),
        "causes": overview.causes_total,
        "answers": measured,
    }
    console = Console()
    if asked.json:
        print(msgspec.json.encode(figures).decode())
        return
    table = Table("answer", "p95", "CPU p95", title=f"{asked.targets:,} targets")
    for one in measured:
        table.add_row(one.what, f"{one.wall_ms:.1f} ms", f"{one.cpu_ms:.1f} ms")
    console.print(table)
    console.print(", ".join(f"{name} {value}" for name, value in list(figures.items())[:-1]))


Definitions = Callable[[], Iterable[Target]]
"""Gives a fleet, as often as it is asked for: it is not kept beside the `Fleet`."""


def bad_night(targets: int, opened: int) -> tuple[Definitions, Iterable[IncidentEvent]]:
    """A fleet and its open incidents; see `page_fleet`."""
    version = NOW - _DAY_MS
    return (
        lambda: page_fleet.targets(targets, version),
        page_fleet.opened(targets, version, opened, NOW),
    )


def loaded(definitions: Definitions, opened: Iterable[IncidentEvent]) -> tuple[Fleet, float]:
    """A fleet that has read its topics, and the seconds of CPU that it took."""
    fleet = Fleet()
    fleet.tick(NOW)
    spent = 0.0
    for offset, one in enumerate(definitions()):
        record = page_fleet.target_record(one)
        began = time.thread_time()
        fleet.apply_target(record.key, record.value, record.partition, offset)
        spent += time.thread_time() - began
    for event in opened:
        record = page_fleet.event_record(event)
        began = time.thread_time()
        fleet.apply_open(record.key, record.value)
        spent += time.thread_time() - began
    began = time.thread_time()
    fleet.loaded(NOW)
    spent += time.thread_time() - began
    fleet.heard(NOW, stream_at=NOW, log_at=NOW)
    fleet.apply_status(status_of(definitions()), NOW)
    fleet.tick(NOW)
    return fleet, spent


def memory_mb() -> float:
    """Resident memory of this process, in MB."""
    return float(psutil.Process().memory_info().rss / 1e6)


def status_of(definitions: Iterable[Target]) -> list[StatusGroup]:
    """What `status_now` says while all is well."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for one in definitions:
        groups.setdefault(one.regions, []).append(one.id)
    return [
        StatusGroup(
            status="up",
            targets=ids,
            regions=tuple((region, "up") for region in regions),
            newest_result_at=NOW,
        )
        for regions, ids in groups.items()
    ]


def _answers(fleet: Fleet) -> dict[str, Callable[[], object]]:
    words = (f"host-{number:05d}" for number in count())
    some = fleet.inventory.record(len(fleet.inventory) // 2)
    definitions = [one.definition() for one in fleet.inventory.records[:20_000] if one is not None]
    status = status_of(definitions)
    del definitions

    def page(query: TargetQuery) -> Callable[[], object]:
        return lambda: fleet.targets(query)

    return {
        "overview": fleet.overview,
        "overview by tag": lambda: fleet.overview("tag"),
        "targets": page(TargetQuery()),
        "targets by name": page(TargetQuery(sort="name")),
        "targets by host": page(TargetQuery(sort="host")),
        "targets by time": page(TargetQuery(sort="since")),
        "targets, two filters": page(TargetQuery(tags=("prod",), states=("up",))),
        "targets of a team": page(TargetQuery(teams=("team 007",))),
        "targets, a new search": lambda: fleet.targets(TargetQuery(q=f"{next(words)} 443")),
        "one target": lambda: fleet.target(some.id),
        "incidents": lambda: fleet.incidents(IncidentQuery()),
        "regions": fleet.regions,
        "the next change": lambda: None,
        "20,000 words of status_now": lambda: fleet.apply_status(status, NOW),
    }


def _measured(what: str, work: Callable[[], object], fleet: Fleet) -> ModelFigures:
    wall, cpu = [], []
    for number in range(ROUNDS):
        change = _change(fleet, number)
        if what == "the next change":
            work = change
        else:
            change()
        began, spent = time.perf_counter(), time.thread_time()
        work()
        wall.append((time.perf_counter() - began) * 1000)
        cpu.append((time.thread_time() - spent) * 1000)
    return ModelFigures(what=what, wall_ms=_p95(wall), cpu_ms=_p95(cpu))


def _change(fleet: Fleet, number: int) -> Callable[[], object]:
    """Two events: of an incident of the night, and of another one that opens."""
    values = []
    kept = next(iter(fleet.incident_book.open.values()), None)
    if kept is not None:
        event = kept.whole()
        after = structs.replace(
            event, event="updated", event_id=f"{event.event_id}+", at=event.at + 1
        )
        values.append(incident.encode(after))
    target = fleet.inventory.record((number * 7919) % len(fleet.inventory)).definition()
    opened = page_fleet.event_of(target, kind="slow", at=NOW + number, began=NOW + number)
    values.append(incident.encode(opened))
    return lambda: [fleet.apply_event(0, number, value) for value in values]


def _p95(times: Sequence[float]) -> float:
    return round(sorted(times)[int(len(times) * 0.95)], 2)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m portquorum.bench.page_model")
    parser.add_argument("--targets", type=int, default=10_000)
    parser.add_argument("--open", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
