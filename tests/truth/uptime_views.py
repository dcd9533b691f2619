"""The views that come from uptime: days, months, teams, budgets, reliability, cost."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from tests.truth.expected import Expected
from tests.truth.outages import Case
from tests.truth.records import History, month_of
from tests.truth.spans import within
from tests.truth.uptime import TargetDay, Time, days_between, window


def uptime_views(history: History, cases: list[Case], days: list[TargetDay]) -> dict[str, Expected]:
    """By name of the view."""
    month_days = by_target_month(days)
    return {
        "uptime_daily": _uptime_daily(days),
        "uptime_monthly": _uptime_monthly(month_days),
        "team_uptime_daily": _team_daily(days),
        "team_uptime_monthly": _team_monthly(days),
        "error_budget": _error_budget(history, days),
        "error_budget_monthly": _error_budget_monthly(month_days),
        "least_reliable": _least_reliable(history, cases, days),
        "downtime_cost_daily": _cost_daily(days),
        "downtime_cost_monthly": _cost_monthly(days),
    }


def total(days: Iterable[TargetDay]) -> Time:
    """All together."""
    time = Time()
    for one in days:
        time.add(one.time)
    return time


def by_target_month(days: list[TargetDay]) -> dict[tuple[str, date], list[TargetDay]]:
    found: dict[tuple[str, date], list[TargetDay]] = {}
    for one in days:
        found.setdefault((one.target, month_of(one.day)), []).append(one)
    return found


def by_target(days: list[TargetDay]) -> dict[str, list[TargetDay]]:
    found: dict[str, list[TargetDay]] = {}
    for one in days:
        found.setdefault(one.target, []).append(one)
    return found


def unplanned_cost(one: TargetDay) -> float:
    """At the price of the day; 0 without one."""
    return one.time.unplanned / 3_600_000 * (one.row["downtime_cost_per_hour"] or 0)


def budget(time: Time, slo: float) -> dict[str, Any]:
    """Columns of an error budget."""
    allowed = time.unmaintained / 1000 * (1 - slo / 100)
    spent = time.unplanned / 1000
    return {
        "slo_percent": slo,
        "uptime_without_maintenance_percent": time.uptime_without_maintenance,
        "budget_s": allowed,
        "spent_s": spent,
        "left_s": allowed - spent,
        "met": int(spent <= allowed),
    }


def _about(one: TargetDay) -> dict[str, Any]:
    return {"name": one.row["name"], "team": one.row["team"]}


def _uptime_daily(days: list[TargetDay]) -> Expected:
    return Expected(
        key=("target", "day"),
        rows={
            (one.target, one.day): _about(one)
            | {"slo_percent": one.row["slo"], "cost_per_hour": one.row["downtime_cost_per_hour"]}
            | one.time.columns
            for one in days
        },
    )


def _uptime_monthly(months: dict[tuple[str, date], list[TargetDay]]) -> Expected:
    return Expected(
        key=("target", "month"),
        rows={
            key: _about(days[-1]) | {"slo_percent": days[-1].row["slo"]} | total(days).columns
            for key, days in months.items()
        },
    )


def _team_daily(days: list[TargetDay]) -> Expected:
    found: dict[tuple[Any, ...], list[TargetDay]] = {}
    for one in days:
        found.setdefault((one.row["team"], one.day), []).append(one)
    return Expected(
        key=("team", "day"),
        rows={key: {"targets": len(some)} | total(some).columns for key, some in found.items()},
    )


def _team_monthly(days: list[TargetDay]) -> Expected:
    found: dict[tuple[Any, ...], list[TargetDay]] = {}
    for one in days:
        found.setdefault((one.row["team"], month_of(one.day)), []).append(one)
    return Expected(
        key=("team", "month"),
        rows={
            key: {"targets": len(by_target(some))} | total(some).columns
            for key, some in found.items()
        },
    )


def _error_budget(history: History, days: list[TargetDay]) -> Expected:
    first, _ = window(history.now, 30)
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for target, some in by_target(days_between(days, first, date.max)).items():
        time, slo = total(some), some[-1].row["slo"]
        if slo is None or not time.unmaintained:
            continue
        columns = budget(time, slo)
        allowed = columns["budget_s"]
        left = 100 * columns["left_s"] / allowed if allowed else None
        rows[(target,)] = _about(some[-1]) | columns | {"left_percent": left}
    return Expected(key=("target",), rows=rows)


def _error_budget_monthly(months: dict[tuple[str, date], list[TargetDay]]) -> Expected:
    return Expected(
        key=("target", "month"),
        rows={
            key: _about(days[-1]) | budget(total(days), days[-1].row["slo"])
            for key, days in months.items()
            if days[-1].row["slo"] is not None
        },
    )


def _least_reliable(history: History, cases: list[Case], days: list[TargetDay]) -> Expected:
    first, begin = window(history.now, 30)
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for target, some in by_target(days_between(days, first, date.max)).items():
        time = total(some)
        spans = [
            case.span(history.now)
            for case in cases
            if case.is_outage and case.newest["target"] == target
        ]
        parts = within(spans, begin, history.now)
        down, measured, number = time.down / 1000, time.measured / 1000, len(parts)
        rows[(target,)] = _about(some[-1]) | {
            "uptime_percent": time.uptime,
            "down_s": down,
            "outages": number,
            "longest_s": max((end - start for start, end in parts), default=0) / 1000,
            "mean_time_to_recover_s": down / number if number else None,
            "mean_time_between_s": (measured - down) / number if number else None,
        }
    return Expected(key=("target",), rows=rows)


def _cost_daily(days: list[TargetDay]) -> Expected:
    return Expected(
        key=("target", "day"),
        rows={
            (one.target, one.day): _about(one)
            | {
                "cost_per_hour": one.row["downtime_cost_per_hour"],
                "unplanned_s": one.time.unplanned / 1000,
                "planned_s": one.time.down_in_maintenance / 1000,
                "cost": unplanned_cost(one),
            }
            for one in days
            if one.row["downtime_cost_per_hour"] is not None
        },
    )


def _cost_monthly(days: list[TargetDay]) -> Expected:
    priced = [one for one in days if one.row["downtime_cost_per_hour"] is not None]
    return Expected(
        key=("target", "month"),
        rows={
            key: _about(some[-1])
            | {
                "unplanned_s": total(some).unplanned / 1000,
                "planned_s": total(some).down_in_maintenance / 1000,
                "cost": sum(unplanned_cost(one) for one in some),
            }
            for key, some in by_target_month(priced).items()
        },
    )
