"""What `portquorum report` must say of some days."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.truth.check_views import counts
from tests.truth.expected import nearest
from tests.truth.incident_views import acknowledge_s, detect_s, recover_s
from tests.truth.outages import Case
from tests.truth.records import DAY, History, day_of, midnight
from tests.truth.spans import within
from tests.truth.uptime import TargetDay, Time, days_between
from tests.truth.uptime_views import budget, by_target, total, unplanned_cost

Parts = dict[str, Any]
"""By name: the value of a figure; rows of a table by their first column; values by day."""


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


def _row(time: Time) -> list[Any]:
    return [time.uptime, time.uptime_without_maintenance, time.down / 1000]


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
            target: [some[-1].row["team"], *_row(total(some))]
            for target, some in by_target(days).items()
        },
        "tables.teams": {
            team: [len(by_target(some)), *_row(total(some))]
            for team, some in _by(days, lambda one: one.row["team"]).items()
        },
    }
    if not asked.team:
        begin, end = midnight(asked.since), midnight(asked.until) + DAY
        by_region: dict[str, list[Any]] = {}
        for row in history.results:
            if begin <= row["scheduled_at"] < end:
                by_region.setdefault(row["region"], []).append(row)
        found["tables.regions"] = {
            region: [said["up_percent"], said["checks"], said["missed"]]
            for region, rows in by_region.items()
            for said in [counts(rows)]
        }
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
            target: [
                last.row["team"],
                said["slo_percent"],
                said["uptime_without_maintenance_percent"],
                _left_percent(said),
                said["left_s"],
                said["spent_s"],
            ]
            for target, (last, said) in goals.items()
        },
    }


def _left_percent(said: dict[str, Any]) -> float:
    if said["budget_s"]:
        return float(100 * said["left_s"] / said["budget_s"])
    return -100 if said["spent_s"] else 100


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
            team: [
                sum(map(unplanned_cost, some)),
                total(some).unplanned / 1000,
                total(some).down_in_maintenance / 1000,
            ]
            for team, some in _by(priced, lambda one: one.row["team"]).items()
        },
    }


def _reliability(history: History, asked: Asked, known: list[Case]) -> Parts:
    begin, end = midnight(asked.since), min(history.now, midnight(asked.until) + DAY)
    there = [
        case
        for case in known
        if case.is_outage
        and asked.team in {"", case.newest["team"]}
        and within([case.span(history.now)], begin, end)
    ]
    acknowledged = [found for case in there if (found := acknowledge_s(case)) is not None]
    recovered = [found for case in there if (found := recover_s(case)) is not None]
    return {
        "incidents": len(there),
        "flapping": sum(case.newest["incident_type"] == "flapping" for case in there),
        "detect_p50_s": nearest([detect_s(case) for case in there], 50),
        "acknowledge_p50_s": nearest(acknowledged, 50),
        "recover_p50_s": nearest(recovered, 50),
    }


def last_days(history: History) -> list[Asked]:
    """Ranges that begin and end within outages: today, a week, a month, and days that are over."""
    today = day_of(history.now)
    ago = [day_of(history.now - days * DAY) for days in range(32)]
    return [
        Asked(since=today, until=today),
        Asked(since=ago[6], until=today),
        Asked(since=ago[29], until=today),
        Asked(since=ago[20], until=ago[11]),
        Asked(since=ago[8], until=ago[8]),
        Asked(since=ago[29], until=today, team="db"),
    ]
