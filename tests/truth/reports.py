"""What `portquorum report` must say of some days."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.truth.check_views import counts
from tests.truth.expected import nearest
from tests.truth.incident_views import response
from tests.truth.inventory import last_known, rows_by_target
from tests.truth.outages import Case
from tests.truth.records import DAY, History, Row, day_of, midnight
from tests.truth.spans import Span, length, within
from tests.truth.uptime import TargetDay, Time, days_between
from tests.truth.uptime_views import budget, by_target, total, unplanned_cost

Parts = dict[str, Any]
"""By name: the value of a figure; rows of a table by their first column; values by day.

The rows of `reasons` go by their first two columns."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The days of a report, both included, and the team ("": all)."""

    since: date
    until: date
    team: str = ""


def reports(
    history: History, asked: Asked, known: list[Case], all_days: list[TargetDay]
) -> dict[str, Parts]:
    """By kind of report."""
    days = [
        one
        for one in days_between(all_days, asked.since, asked.until)
        if asked.team in {"", one.row["team"]}
    ]
    return {
        "uptime": _uptime(history, asked, days),
        "slo": _slo(days),
        "cost": _cost(days),
        "reliability": _reliability(history, asked, known),
    }


def _by(days: list[TargetDay], key: Callable[[TargetDay], Any]) -> dict[Any, list[TargetDay]]:
    found: dict[Any, list[TargetDay]] = {}
    for one in days:
        found.setdefault(key(one), []).append(one)
    return found


def _row(time: Time) -> dict[str, Any]:
    names = ("uptime_percent", "uptime_without_maintenance_percent", "down_s")
    return {name: time.columns[name] for name in names}


def _uptime(history: History, asked: Asked, days: list[TargetDay]) -> Parts:
    time = total(days)
    found: Parts = {
        "uptime_percent": time.uptime,
        "uptime_without_maintenance_percent": time.uptime_without_maintenance,
        "down_s": time.down / 1000,
        "days.uptime_percent": {
            day: total(some).uptime for day, some in _by(days, lambda one: one.day).items()
        },
        "tables.targets": {
            target: {"team": some[-1].row["team"]} | _row(total(some))
            for target, some in by_target(days).items()
        },
        "tables.teams": {
            team: {"targets": len(by_target(some))} | _row(total(some))
            for team, some in _by(days, lambda one: one.row["team"]).items()
        },
    }
    return found | {
        "tables.regions": {
            region: {name: counts(rows)[name] for name in ("up_percent", "checks", "missed")}
            for region, rows in _rows_by(_results(history, asked), ("region",)).items()
        }
    }


def _results(history: History, asked: Asked) -> list[Row]:
    """Of the days, of the targets that are or last were of the team."""
    begin, end = midnight(asked.since), midnight(asked.until) + DAY
    known = {
        target: found
        for target, rows in rows_by_target(history).items()
        if (found := last_known(rows)) is not None
    }
    return [
        row
        for row in history.results
        if begin <= row["scheduled_at"] < end and asked.team in {"", known[row["target"]]["team"]}
    ]


def _rows_by(rows: list[Row], names: tuple[str, ...]) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        found.setdefault(key if len(key) > 1 else key[0], []).append(row)
    return found


def _slo(days: list[TargetDay]) -> Parts:
    goals = {
        target: (some[-1], budget(total(some), some[-1].row["slo"]))
        for target, some in by_target(days).items()
        if some[-1].row["slo"] is not None and total(some).unmaintained
    }
    met = [target for target, (_, said) in goals.items() if said["met"]]
    return {
        "with_slo": len(goals),
        "met": len(met),
        "missed": len(goals) - len(met),
        "spent_s": sum(said["spent_s"] for _, said in goals.values()),
        "budget_s": sum(said["budget_s"] for _, said in goals.values()),
        "tables.targets": {
            target: {
                "team": last.row["team"],
                "slo_percent": said["slo_percent"],
                "uptime_without_maintenance_percent": said["uptime_without_maintenance_percent"],
                "left_percent": _left_percent(said),
                "left_s": said["left_s"],
                "spent_s": said["spent_s"],
            }
            for target, (last, said) in goals.items()
        },
    }


def _left_percent(said: dict[str, Any]) -> float | None:
    return float(100 * said["left_s"] / said["budget_s"]) if said["budget_s"] else None


def _cost(days: list[TargetDay]) -> Parts:
    priced = [one for one in days if one.row["downtime_cost_per_hour"] is not None]
    time = total(priced)
    return {
        "cost": sum(map(unplanned_cost, priced)),
        "unplanned_s": time.unplanned / 1000,
        "planned_s": time.down_in_maintenance / 1000,
        "targets": len(by_target(priced)),
        "days.cost": {
            day: sum(map(unplanned_cost, some))
            for day, some in _by(priced, lambda one: one.day).items()
        },
        "tables.teams": {
            team: {
                "cost": sum(map(unplanned_cost, some)),
                "unplanned_s": total(some).unplanned / 1000,
                "planned_s": total(some).down_in_maintenance / 1000,
            }
            for team, some in _by(priced, lambda one: one.row["team"]).items()
        },
    }


def _reliability(history: History, asked: Asked, known: list[Case]) -> Parts:
    """Incidents that opened in the days; outages of which a part lies in them."""
    begin, end = midnight(asked.since), min(history.now, midnight(asked.until) + DAY)
    there = [case for case in known if case.is_outage and asked.team in {"", case.newest["team"]}]
    opened = [case for case in there if begin <= case.newest["opened_at"] < end]
    parts: dict[str, list[Span]] = {}
    for case in there:
        for span in within([case.span(history.now)], begin, end):
            parts.setdefault(case.newest["target"], []).append(span)
    failed = [row for row in _results(history, asked) if row["status"] == "down"]
    teams: dict[str, list[Case]] = {}
    for case in opened:
        teams.setdefault(case.newest["team"], []).append(case)
    return _medians(opened) | {
        "flapping": sum(
            case.type == "flapping" and bool(within([case.span(history.now)], begin, end))
            for case in there
        ),
        "outages": sum(map(len, parts.values())),
        "longest_s": max(
            (last - first for some in parts.values() for first, last in some), default=0
        )
        / 1000,
        "tables.teams": {team: _medians(some) for team, some in teams.items()},
        "tables.targets": {
            target: {
                "outages": len(some),
                "down_s": length(some) / 1000,
                "longest_s": max(last - first for first, last in some) / 1000,
                "median_s": (nearest([last - first for first, last in some], 50) or 0) / 1000,
            }
            for target, some in parts.items()
        },
        "tables.reasons": {
            key: {"failures": len(rows), "targets": len({row["target"] for row in rows})}
            for key, rows in _rows_by(failed, ("reason", "region")).items()
        },
    }


def _medians(some: list[Case]) -> dict[str, Any]:
    names = ("incidents", "detect_p50_s", "acknowledge_p50_s", "recover_p50_s")
    columns = response(some)
    return {name: columns[name] for name in names}


def last_days(history: History) -> list[Asked]:
    """Ranges that begin and end within outages: a month, days that are over, a team, today, …"""
    today = day_of(history.now)
    known = [last_known(rows) for rows in rows_by_target(history).values()]
    team = max((row["team"] for row in known if row is not None), default="")
    ago = [day_of(history.now - days * DAY) for days in range(32)]
    return [
        Asked(since=ago[29], until=today),
        Asked(since=ago[20], until=ago[11]),
        Asked(since=ago[29], until=today, team=team),
        Asked(since=today, until=today),
        Asked(since=ago[6], until=today),
        Asked(since=ago[8], until=ago[8]),
    ]
