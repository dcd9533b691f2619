"""The answer of `status` for people: trouble, incidents, numbers, targets."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.text import Text

from portquorum.cli.incidents_shown import place, show_incidents
from portquorum.cli.status_answer import StatusAnswer
from portquorum.presentation.fitted_table import FittedTable, TableColumn
from portquorum.presentation.output import OF_CLOSED, STATUS_STYLE, clock, job_word, out, table
from schemas.duration import duration_text
from schemas.plain_text import one_line, plain
from schemas.probe import JOB
from schemas.result import REASON_TEXT
from sinks.clickhouse.fleet_queries import (
    REGION_STATUSES,
    STATUSES,
    FleetFilter,
    RegionNow,
    TargetNow,
)

MANY_ROWS: Final = 500
"""Rows from which on the targets are lines of plain text: a table of so many takes seconds."""

GROUPS_SHOWN: Final = 12
"""Teams or regions in a table of numbers."""


WIDE: Final = 140
"""Columns of a terminal from which on the names of targets are shown beside their ids."""

_REASONS: Final[Mapping[str, str]] = {str(reason): text for reason, text in REASON_TEXT.items()}
_UNBLOCK: Final = "(add internal: true to the region if it may reach private addresses)"
_NO_TEAM: Final = "no team"
_UNWATCHED: Final = "too few of the regions have results, so that an outage would open no incident"


def show(found: StatusAnswer, wanted: FleetFilter) -> None:
    """Prints the answer."""
    for one in found.trouble:
        since = f"  since {clock(one.since)} UTC" if one.since and one.region else ""
        text = Text.assemble(one_line(one.text), (since, "dim"))
        out().print_indented(text, Text("● ", "bold magenta"))
    _incidents(found, wanted)
    _unwatched(found)
    _numbers(found)
    _targets(found, wanted)


def _incidents(found: StatusAnswer, wanted: FleetFilter) -> None:
    if not found.open_incidents:
        if not wanted.statuses:
            out().print(Text("no incident is open", style="green"))
        return
    show_incidents(found.incidents)
    more = found.open_incidents - len(found.incidents)
    if more > 0:
        asked = "".join(f" --team {team}" for team in wanted.teams)
        out().print(Text(f"  and {more:,} more: portquorum incidents --open{asked}", style="dim"))


def _unwatched(found: StatusAnswer) -> None:
    count = found.summary.by_status.get("unwatched", 0)
    if count:
        words = "1 target is unwatched" if count == 1 else f"{count:,} targets are unwatched"
        style = STATUS_STYLE["unwatched"]
        out().print(Text.assemble(("● ", style), (words, style), f": {_UNWATCHED}"))
        named = [one for one in found.targets if one.status == "unwatched"]
        if named:
            why = f"  why: portquorum explain {one_line(named[0].target)}"
            out().print(Text(why, style="dim"))


def _numbers(found: StatusAnswer) -> None:
    summary = found.summary
    if summary.targets == 0 or len(found.targets) == 1 == summary.targets:
        return
    words = "1 target" if summary.targets == 1 else f"{summary.targets:,} targets"
    line = Text.assemble((words, "bold"), ": ")
    for place_, (status, count) in enumerate(summary.by_status.items()):
        line.append(", " if place_ else "")
        line.append(f"{count:,} {status}", style=STATUS_STYLE.get(status, ""))
    if summary.newest_result_at is not None:
        age = duration_text(max(0, found.now - summary.newest_result_at))
        line.append(f"  newest result {age} ago", style="dim")
    out().print()
    out().print(line)
    if len(summary.by_region) > 1:
        _group("region", summary.by_region, REGION_STATUSES)
    if len(summary.by_team) > 1:
        teams = {team or _NO_TEAM: counts for team, counts in summary.by_team.items()}
        _group("team", teams, STATUSES)


def _group(what: str, counts: Mapping[str, Mapping[str, int]], order: Sequence[str]) -> None:
    """A row a team or region, those with the most trouble first."""
    there = [one for one in order if any(one in each for each in counts.values())]
    rows = sorted(
        counts.items(), key=lambda item: (item[1].get("up", 0) - sum(item[1].values()), item[0])
    )
    shown = [
        (
            Text(one_line(name), style="bold"),
            *(
                Text(f"{each[one]:,}" if one in each else "", style=STATUS_STYLE.get(one, ""))
                for one in there
            ),
        )
        for name, each in rows[:GROUPS_SHOWN]
    ]
    numbers = (TableColumn(title=one, justify="right") for one in there)
    out().print(FittedTable((TableColumn(title=what), *numbers), shown))
    more = len(rows) - GROUPS_SHOWN
    if more > 0:
        out().print(Text(f"  and {more:,} more (--json has them all)", style="dim"))


def _targets(found: StatusAnswer, wanted: FleetFilter) -> None:
    if not found.summary.targets:
        nothing = "no target yet; `portquorum target add HOST:PORT` watches a first port"
        words = nothing if wanted == FleetFilter() else "no target is so"
        out().print(Text(words, style="dim"))
    elif len(found.targets) == 1 == found.summary.targets:
        _single(found.targets[0], found.now)
    elif len(found.targets) > MANY_ROWS:
        sys.stdout.writelines(_lines(found))
    elif found.targets:
        _table(found)
    _rest(found)


def _table(found: StatusAnswer) -> None:
    """A row a target; on a wide terminal with the names, if these say more than the ids."""
    titles: tuple[str, ...] = ("target", "status", "since", "regions", "port")
    rows = [_row(one, found.now) for one in found.targets]
    said = any(one.name not in {one.target, f"{one.host}:{one.port}"} for one in found.targets)
    if said and out().width >= WIDE:
        titles = (*titles, "name")
        names = (Text(one_line(one.name), style="dim") for one in found.targets)
        rows = [(*row, name) for row, name in zip(rows, names, strict=True)]
    out().print(table(titles, rows, fold=("regions",), drop=("name", "port", "since")))


def _rest(found: StatusAnswer) -> None:
    """What is not shown, and how to see it."""
    troubled = found.summary.targets - found.summary.by_status.get("up", 0)
    shown = len(found.targets)
    if shown and shown < troubled:
        words = f"{shown:,} of {troubled:,} targets shown; --limit 0 shows all"
        out().print(Text(words, style="dim"))
    elif shown < found.summary.targets and troubled <= shown:
        rest = found.summary.targets - shown
        out().print(Text(f"{rest:,} that are up are not shown; --all shows them", style="dim"))


def _row(one: TargetNow, now: int) -> tuple[Text, ...]:
    since = "" if one.since is None else duration_text(max(0, now - one.since))
    return (
        Text(one_line(one.target), style="bold"),
        Text(_word(one, one.status), style=STATUS_STYLE.get(one.status, "")),
        Text(since),
        _regions(one),
        Text(place(one.kind, one.host, one.port), style="dim"),
    )


def _regions(one: TargetNow) -> Text:
    """What the regions say, the worst first: one by its name, several by their number."""
    text = Text()
    if one.status == "paused":
        return Text(one_line(_paused(one)), style="dim")
    if one.is_resolved:
        text.append(f"resolved by hand, {_still(one)}: ", style="yellow")
    groups: dict[tuple[str, str | None], list[RegionNow]] = {}
    for region in one.regions:
        groups.setdefault((region.status, region.reason), []).append(region)
    order = [*REGION_STATUSES, *(region.status for region in one.regions)]
    ranked = sorted(groups.items(), key=lambda item: order.index(item[0][0]))
    for number, ((status, reason), regions) in enumerate(ranked):
        text.append(", " if number else "")
        who = one_line(regions[0].region) if len(regions) == 1 else str(len(regions))
        if one.kind == JOB:
            text.append(_reported(regions[0]))
            continue
        text.append(f"{who} ")
        text.append(_word(one, status), style=STATUS_STYLE.get(status, "yellow"))
        if reason and reason != "port_open":
            text.append(f": {one_line(_REASONS.get(reason, reason))}", style="red")
        elif len(regions) == 1 and regions[0].latency_ms is not None:
            text.append(f" {regions[0].latency_ms:.2f} ms", style="dim")
    return text


def _reported(said: RegionNow) -> Text:
    """What a job reported last."""
    if said.status == "pending":
        return Text("no report yet", style="dim")
    if said.status == "up":
        return Text("succeeded", style=STATUS_STYLE["up"])
    detail = f" ({one_line(said.detail)})" if said.detail else ""
    return Text(f"failed{detail}", style=STATUS_STYLE["down"])


def _single(one: TargetNow, now: int) -> None:
    """One target: each region in a row, with all that it says."""
    head = Text.assemble((one_line(one.name), "bold"), f"  {place(one.kind, one.host, one.port)}  ")
    head.append(_word(one, one.status), style=STATUS_STYLE.get(one.status, ""))
    if one.expect == "closed":
        head.append(", and must be closed" if one.status == "down" else "  must be closed")
    if one.since is not None:
        head.append(f" since {clock(one.since)} UTC, {duration_text(max(0, now - one.since))}")
    if one.status == "paused":
        head.append(one_line(f"  {_paused(one)}"), style="dim")
    if one.is_resolved:
        head.append(f"; resolved by hand, {_still(one)}", style="yellow")
    out().print(head)
    if one.kind == JOB:
        for said in one.regions:
            at = said.checked_at
            ago = "" if at is None else f", {duration_text(max(0, now - at))} ago"
            out().print_indented(Text.assemble("newest report: ", _reported(said), (ago, "dim")))
        sql = f"SELECT * FROM job_runs WHERE target = '{one_line(one.target)}'"  # noqa: S608 - shown
        out().print_indented(Text(f'its runs: portquorum sql "{sql}"', style="dim"))
        return
    rows = [
        (
            Text(one_line(region.region), style="bold"),
            _in_full(region, one.expect),
            ""
            if region.latency_ms is None
            else Text(f"{region.latency_ms:.2f} ms", justify="right"),
            ""
            if region.checked_at is None
            else Text(f"{duration_text(max(0, now - region.checked_at))} ago", style="dim"),
        )
        for region in one.regions
    ]
    out().print(
        table(("region", "status", "latency", "checked"), rows, fold=("status",), drop=("checked",))
    )


def _paused(one: TargetNow) -> str:
    """Who paused it, until when and why; nothing of what its regions said last."""
    if not one.paused_by:
        return "disabled by its inventory (enabled: false)"
    until = "it is resumed" if one.paused_until is None else f"{clock(one.paused_until)} UTC"
    why = f": {one.pause_reason}" if one.pause_reason else ""
    return f"by {one.paused_by} until {until}{why}"


def _word(one: TargetNow, status: str) -> str:
    """How it is, or is in a region, in the word of its port or job."""
    if one.kind == JOB and status == "down":
        return job_word(region.reason for region in one.regions)
    return OF_CLOSED.get(status, status) if one.expect == "closed" else status


def _still(one: TargetNow) -> str:
    if one.kind == JOB:
        return "not succeeded since"
    return "still open" if one.expect == "closed" else "still not reachable"


def _in_full(region: RegionNow, expect: str = "open") -> Text:
    closed = expect == "closed"
    word = OF_CLOSED.get(region.status, region.status) if closed else region.status
    text = Text(word, style=STATUS_STYLE.get(region.status, "yellow"))
    if region.reason:
        text.append(f"  {one_line(_REASONS.get(region.reason, region.reason))}", style="red")
    if region.detail and region.status in {"up", "down"}:
        warns = region.status == "up" and not closed
        text.append(f"  {one_line(region.detail)}", style="yellow" if warns else "")
    if region.status == "blocked":
        text.append(f" {_UNBLOCK}", style="red")
    return text


def _lines(found: StatusAnswer) -> Iterable[str]:
    """The rows of a large fleet, without a table's lines and colours."""
    widest = max(len(one.target) for one in found.targets)
    for one in found.targets:
        row = _row(one, found.now)
        cells = (row[0].plain.ljust(widest), row[1].plain.ljust(9), row[2].plain.ljust(12))
        yield plain("  ".join((*cells, row[3].plain, row[4].plain)).rstrip()) + "\n"
