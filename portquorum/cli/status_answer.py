"""The answer of `status`: questions to ClickHouse, and what follows from their answers."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct, structs

from portquorum.cli.errors import WrongUseError
from portquorum.cli.known_names import expect_known
from portquorum.cli.options import FEW_TARGETS
from schemas.duration import duration_text
from schemas.result import RECEIVER
from sinks.clickhouse.fleet_queries import (
    REGION_STATUSES,
    STATUSES,
    FleetFilter,
    FleetSummary,
    InventoryNow,
    RegionTrouble,
    TargetNow,
    fleet_summary,
    inventory_now,
    region_trouble,
    targets_now,
)
from sinks.clickhouse.incident_queries import IncidentFilter, IncidentsFound, find_incidents
from sinks.clickhouse.notification_queries import with_notifications
from sinks.clickhouse.queries import Incident

INCIDENTS_SHOWN: Final = 5
_TYPE_OF: Final = {"down": "unreachable", "flapping": "flapping", "slow": "slow", "up": "expiring"}
"""The type of the incidents of targets with a status."""


class MonitorTrouble(Struct, frozen=True, kw_only=True):
    """Trouble of the monitor itself. `since`: UTC ms, None if unknown.

    `what`: `region_silent`, `region_suspect`, `region_clock_skewed`,
    `region_secrets_missing`, `results_late`, `no_results`.
    More may follow.
    """

    what: str
    region: str | None
    since: int | None
    text: str


class StatusAnswer(Struct, frozen=True, kw_only=True):
    """The document of `status --json`. Times are UTC ms; `now` is ClickHouse's.

    `summary` counts all that was asked for; `targets` are those that are shown, the worst first.
    `incidents` are open ones; `open_incidents` is the number of all of them.
    """

    now: int
    trouble: tuple[MonitorTrouble, ...]
    open_incidents: int
    incidents: tuple[Incident, ...]
    summary: FleetSummary
    targets: tuple[TargetNow, ...]


def answer(
    client: Client, wanted: FleetFilter, most: int, *, show_all: bool, all_incidents: bool
) -> StatusAnswer:
    """Asks ClickHouse. At most `most` targets are shown, 0: all.

    Raises:
        WrongUseError: a filter names what does not exist; the text says what there is.
        clickhouse_connect.driver.exceptions.Error: not reachable, or refused.
    """
    # One after the other they leave a core idle half of the time.
    with ThreadPoolExecutor(max_workers=4) as pool:
        summing = pool.submit(fleet_summary, client, wanted, max(most, FEW_TARGETS) if most else 0)
        inventory = pool.submit(inventory_now, client)
        telling = pool.submit(region_trouble, client)
        listing = pool.submit(_incidents, client, wanted, 0 if all_incidents else INCIDENTS_SHOWN)
        known = inventory.result()
        check(wanted, known)
        (summary, ids), incidents = summing.result(), listing.result()
    if wanted.text and not summary.targets and not incidents.total and not wanted.statuses:
        raise WrongUseError(
            f"no target{_of(wanted)} has {wanted.text!r} as its id, or in its id, name or host; "
            "`portquorum status --all` lists them"
        )
    asked_for = show_all or bool(wanted.text or wanted.statuses) or summary.targets <= FEW_TARGETS
    chosen = [one for one, status in ids if asked_for or status != "up"]
    return StatusAnswer(
        now=known.now,
        trouble=trouble(
            known,
            summary,
            [one for one in telling.result() if _matters(one.region, wanted, known)],
        ),
        open_incidents=incidents.total,
        incidents=tuple(incidents.shown),
        summary=summary,
        targets=tuple(targets_now(client, chosen[:most] if most else chosen)),
    )


def _incidents(client: Client, wanted: FleetFilter, limit: int) -> IncidentsFound:
    """The open incidents of the wanted targets; with statuses, those that are why."""
    types = tuple(_TYPE_OF[one] for one in wanted.statuses if one in _TYPE_OF)
    if wanted.statuses and not types:
        return IncidentsFound(shown=[], total=0, open=0)
    asked = IncidentFilter(
        only_open=True,
        text=wanted.text,
        teams=wanted.teams,
        types=types,
        regions=wanted.regions,
        tags=wanted.tags,
    )
    found = find_incidents(client, asked, limit, worst_first=True)
    return structs.replace(found, shown=with_notifications(client, found.shown))


def check(wanted: FleetFilter, known: InventoryNow) -> None:
    """Checks that there is what the filters name.

    Raises:
        WrongUseError: says what there is.
    """
    statuses = (*STATUSES, *(one for one in REGION_STATUSES if one not in STATUSES))
    expect_known("status", wanted.statuses, statuses if wanted.regions else STATUSES)
    expect_known("team", wanted.teams, known.teams)
    expect_known("region", wanted.regions, known.regions)
    expect_known("tag", wanted.tags, known.tags)


def _matters(region: str, wanted: FleetFilter, known: InventoryNow) -> bool:
    """Whether a region's trouble is that of wanted targets; that of receivers is of all jobs."""
    if region == RECEIVER:
        return known.jobs > 0 and not wanted.regions
    return region in (wanted.regions or known.regions)


def trouble(
    known: InventoryNow, summary: FleetSummary, regions: Iterable[RegionTrouble]
) -> tuple[MonitorTrouble, ...]:
    """What is wrong with the monitor, as far as ClickHouse tells."""
    return (*_of_results(known, summary), *(_of_region(known.now, one) for one in regions))


def _of_results(known: InventoryNow, summary: FleetSummary) -> Iterable[MonitorTrouble]:
    newest = summary.newest_result_at
    if not summary.targets or summary.targets < known.targets:
        return  # A part of the fleet may rest for longer.
    if newest is None:
        if summary.by_status.get("unwatched"):
            yield MonitorTrouble(
                what="no_results",
                region=None,
                since=None,
                text="No target has a result yet: portquorum health tells what does not run",
            )
    elif known.is_late(known.now - newest):
        yield MonitorTrouble(
            what="results_late",
            region=None,
            since=newest,
            text=f"The newest result is {duration_text(known.now - newest)} old: what follows "
            "is how things were then; portquorum health tells what does not run, or is behind",
        )


def _of_region(now: int, found: RegionTrouble) -> MonitorTrouble:
    """The event's sentence; that of a silent region tells the silence until now, not until then."""
    what = found.event.replace(".", "_")
    since, text = found.at, found.summary
    if what == "region_silent" and found.last_beat_at is not None:
        since = found.last_beat_at
        text = _silent(found.region, duration_text(max(0, now - since)))
    return MonitorTrouble(what=what, region=found.region, since=since, text=text)


def _of(wanted: FleetFilter) -> str:
    """The other filters, in words."""
    named = [
        f"{what} {' or '.join(names)}"
        for what, names in (
            ("team", wanted.teams),
            ("region", wanted.regions),
            ("tag", wanted.tags),
        )
        if names
    ]
    return f" of {' and '.join(named)}" if named else ""


def _silent(region: str, length: str) -> str:
    if region == RECEIVER:
        return f"No receiver of heartbeats has been heard for {length}: jobs are not judged."
    return (
        f"No prober of region {region} has reported for {length}: "
        "its targets are not watched from there."
    )
