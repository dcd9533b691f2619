"""Questions that two views answer: one result. Nothing here knows what the result is."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from math import isclose
from typing import Any, Final

from tests.truth.records import DAY, Row, day_of, month_of

Views = dict[str, list[Row]]
"""The rows of each view, read one after the other; `uptime_…` was reckoned once before."""

_TIMES: Final = ("watched_s", "measured_s", "down_s", "maintenance_s", "down_in_maintenance_s")
_COUNTS: Final = ("checks", "up", "missed")


def broken(views: Views, now: int, slack_s: float) -> list[str]:
    """One line for each identity that does not hold, with an example.

    `slack_s`: the views were read within so many seconds, in which what is open goes on.
    """
    found: list[str] = []
    for identity in (_sums, _bounds, _money, _budgets, _checks, _latest):
        found += identity(views, now)
    found += _lengths(views, slack_s) + _reliability(views, now, slack_s)
    return found + (_status(views) if "region_status_now" in views else [])


def _sums(views: Views, _: int) -> list[str]:
    days, months = views["uptime_daily"], views["uptime_monthly"]
    teams, team_months = views["team_uptime_daily"], views["team_uptime_monthly"]
    return [
        *_same(
            "months of targets",
            _total(days, _target_month, _TIMES),
            _total(months, _target_month, _TIMES),
        ),
        *_same("days of teams", _total(days, _team_day, _TIMES), _total(teams, _team_day, _TIMES)),
        *_same(
            "months of teams",
            _total(teams, _team_month, _TIMES),
            _total(team_months, _team_month, _TIMES),
        ),
    ]


def _bounds(views: Views, _: int) -> list[str]:
    found = []
    for row in views["uptime_daily"]:
        down, measured, watched = row["down_s"], row["measured_s"], row["watched_s"]
        planned, down_planned = row["maintenance_s"], row["down_in_maintenance_s"]
        if not (
            0 <= down <= measured <= watched <= 86_400
            and down_planned <= planned <= measured
            and down_planned <= down
        ):
            found.append(f"uptime_daily is out of bounds: {_short(row)}")
        found += [
            f"uptime_daily: {name} is out of bounds: {_short(row)}"
            for name in ("uptime_percent", "uptime_without_maintenance_percent")
            if row[name] is not None and not 0 <= row[name] <= 100
        ]
    return found[:3]


def _money(views: Views, _: int) -> list[str]:
    priced = [row for row in views["uptime_daily"] if row["cost_per_hour"] is not None]
    by_day = {
        _target_day(row): {
            "unplanned_s": row["down_s"] - row["down_in_maintenance_s"],
            "planned_s": row["down_in_maintenance_s"],
            "cost": (row["down_s"] - row["down_in_maintenance_s"]) / 3600 * row["cost_per_hour"],
        }
        for row in priced
    }
    columns = ("unplanned_s", "planned_s", "cost")
    daily, monthly = views["downtime_cost_daily"], views["downtime_cost_monthly"]
    return [
        *_same("cost of days", by_day, _total(daily, _target_day, columns)),
        *_same(
            "cost of months",
            _total(daily, _target_month, columns),
            _total(monthly, _target_month, columns),
        ),
    ]


def _budgets(views: Views, now: int) -> list[str]:
    first = day_of(now) - timedelta(29)
    spent: dict[Any, float] = defaultdict(float)
    spent_monthly: dict[Any, float] = defaultdict(float)
    for row in views["uptime_daily"]:
        unplanned = row["down_s"] - row["down_in_maintenance_s"]
        spent_monthly[_target_month(row)] += unplanned
        spent[row["target"]] += unplanned if row["day"] >= first else 0
    found = [
        f"error_budget: spent_s is not that of the days: {_short(row)}"
        for row in views["error_budget"]
        if not _close(row["spent_s"], spent[row["target"]])
        or not _close(row["left_s"], row["budget_s"] - row["spent_s"])
        or bool(row["met"]) != (row["spent_s"] <= row["budget_s"])
    ]
    found += [
        f"error_budget_monthly: spent_s is not that of the days: {_short(row)}"
        for row in views["error_budget_monthly"]
        if not _close(row["spent_s"], spent_monthly[_target_month(row)])
    ]
    return found[:3]


def _checks(views: Views, _: int) -> list[str]:
    def region_day(row: Row) -> Any:
        return row["region"], row["day"] if "day" in row else row["hour"].date()

    def whole(row: Row) -> Any:
        return row["target"], row["region"], row["day"] if "day" in row else row["hour"].date()

    daily = _total(views["region_uptime_daily"], region_day, _COUNTS)
    failed: dict[Any, dict[str, float]] = {}
    for key, row in daily.items():
        if row["checks"] > row["up"]:
            failed[key] = {"failures": row["checks"] - row["up"]}
    missed = [{**row, "up": 0} for row in views["missed_daily"]]
    no_up = {key: {**row, "up": 0} for key, row in daily.items()}
    return [
        *_same(
            "regions of targets", daily, _total(views["target_checks_daily"], region_day, _COUNTS)
        ),
        *_same(
            "hours of regions", daily, _total(views["region_uptime_hourly"], region_day, _COUNTS)
        ),
        *_same("missed", no_up, _total(missed, region_day, _COUNTS)),
        *_same(
            "hours of targets",
            _total(views["target_checks_daily"], whole, _COUNTS),
            _total(views["target_checks_hourly"], whole, _COUNTS),
        ),
        *_same(
            "failures by reason",
            failed,
            _total(views["failure_reasons_daily"], region_day, ("failures",)),
        ),
    ]


def _latest(views: Views, now: int) -> list[str]:
    week = day_of(now) - timedelta(6)
    up: dict[str, int] = defaultdict(int)
    most: dict[str, float] = defaultdict(float)
    for row in views["target_checks_daily"]:
        if row["day"] >= week and row["up"]:
            up[row["target"]] += row["up"]
            most[row["target"]] = max(most[row["target"]], row["max_ms"])
    return [
        f"slowest: up or max_ms is not that of the days: {_short(row)}"
        for row in views["slowest"]
        if row["up"] != up[row["target"]] or not _close(row["max_ms"], most[row["target"]])
    ][:3]


def _lengths(views: Views, slack_s: float) -> list[str]:
    """The length of one incident is the same in three views."""
    current = {row["incident_id"]: row for row in views["incidents_current"]}
    outages = {row["incident_id"]: row for row in views["outages"]}
    found = []
    for row in views["incident_times"]:
        names = [row, current.get(row["incident_id"], {}), outages.get(row["incident_id"], row)]
        lengths = [one.get("duration_s") for one in names]
        goes_on = row["recover_s"] is None
        slack = slack_s if goes_on else 1e-6
        if None in lengths:
            found.append(f"no duration_s of {row['incident_id']} in one of three views")
        elif max(lengths) - min(lengths) > slack:
            found.append(f"the three lengths of {row['incident_id']} are {lengths}")
        if not goes_on and not _close(row["recover_s"], row.get("duration_s", -1)):
            found.append(f"incident_times: recover_s is not duration_s: {_short(row)}")
        if (
            row["incident_id"] in outages
            and bool(outages[row["incident_id"]]["is_open"]) != goes_on
        ):
            found.append(f"outages.is_open and recover_s differ: {_short(row)}")
        if not _close(row["detect_s"], names[1].get("detect_s", -1)):
            found.append(f"detect_s is another one in incidents_current: {_short(row)}")
    kinds = ("unreachable", "flapping")
    opened = [
        {**row, "month": month_of(row["opened_at"].date()), "incidents": 1}
        for row in views["incident_times"]
        if row["incident_type"] in kinds
    ]
    return found[:3] + _same(
        "incidents of a month",
        _total(opened, _team_month, ("incidents",)),
        _total(views["response_monthly"], _team_month, ("incidents",)),
    )


def _reliability(views: Views, now: int, slack_s: float) -> list[str]:
    found = []
    down: dict[str, float] = defaultdict(float)
    first = day_of(now) - timedelta(29)
    for row in views["uptime_daily"]:
        down[row["target"]] += row["down_s"] if row["day"] >= first else 0
    month = (now // DAY - 29) * DAY
    week = (now // DAY - 6) * DAY
    in_month: dict[str, list[float]] = defaultdict(list)
    in_week: dict[str, int] = defaultdict(int)
    for row in views["outages"]:
        if row["end_ms"] > month:
            length = row["end_ms"] - max(month, row["begin_ms"])
            in_month[row["target"]].append(length / 1000)
        in_week[row["target"]] += row["end_ms"] > week
    for row in views["least_reliable"]:
        lengths = in_month[row["target"]]
        if not _close(row["down_s"], down[row["target"]]):
            found.append(f"least_reliable: down_s is not that of the days: {_short(row)}")
        if row["outages"] != len(lengths):
            found.append(
                f"least_reliable: not {len(lengths)} outages, as in outages: {_short(row)}"
            )
        if row["down_s"] > sum(lengths) + slack_s:
            found.append(f"least_reliable: down_s is more than all outages: {_short(row)}")
        if abs((row["longest_s"] or 0) - max(lengths, default=0)) > slack_s:
            found.append(f"least_reliable: longest_s is not that of outages: {_short(row)}")
    found += [
        f"flappers: not as many as in outages: {_short(row)}"
        for row in views["flappers"]
        if row["outages"] + row["flapping"] != in_week[row["target"]]
    ]
    return found[:6]


def _status(views: Views) -> list[str]:
    """How a target is now: by its open incidents, its outages and its regions."""
    regions: dict[str, list[Row]] = defaultdict(list)
    for row in views["region_status_now"]:
        regions[row["target"]].append(row)
    open_: dict[str, set[str]] = defaultdict(set)
    for row in views["incidents_current"]:
        if row["status"] == "open":
            open_[row["target"]].add(row["incident_type"])
    down = {row["target"] for row in views["outages"] if row["is_open"]}
    found = []
    for row in views["status_now"]:
        target = row["target"]
        said = [one["status"] for one in regions.pop(target, [])]
        wrong = _contradictions(row["status"], open_[target], target in down, said)
        found += [f"status_now: {text}: {said} {_short(row)}" for text in wrong]
    return [*found[:3], *(f"only region_status_now has {target}" for target in regions)]


def _contradictions(status: str, open_: set[str], goes_on: bool, said: list[str]) -> list[str]:
    is_down = status == "down"
    looks = {
        "an open incident says down": "unreachable" in open_ and not is_down,
        "it flaps, or does not": (status == "flapping") != ("flapping" in open_ and not is_down),
        "down, but no outage goes on": is_down and not goes_on,
        "an outage goes on": goes_on and status in {"up", "slow", "failing"},
        "most regions do not fail": status == "failing" and 2 * said.count("down") <= len(said),
        "regions have results": status == "pending" and not set(said) <= {"pending", "blocked"},
    }
    return [text for text, is_wrong in looks.items() if is_wrong]


def _target_day(row: Row) -> Any:
    return row["target"], row["day"]


def _target_month(row: Row) -> Any:
    return row["target"], row["month"] if "month" in row else month_of(row["day"])


def _team_day(row: Row) -> Any:
    return row["team"], row["day"]


def _team_month(row: Row) -> Any:
    return row["team"], row["month"] if "month" in row else month_of(row["day"])


def _total(
    rows: Iterable[Row], key: Callable[[Row], Any], columns: tuple[str, ...]
) -> dict[Any, dict[str, float]]:
    found: dict[Any, dict[str, float]] = {}
    for row in rows:
        held = found.setdefault(key(row), dict.fromkeys(columns, 0))
        for column in columns:
            held[column] += row[column]
    return found


def _same(
    what: str, one: dict[Any, dict[str, float]], other: dict[Any, dict[str, float]]
) -> list[str]:
    found = [f"{what}: {key} is in one view only" for key in one.keys() ^ other.keys()]
    for key in one.keys() & other.keys():
        for column, value in one[key].items():
            if not _close(value, other[key][column]):
                found.append(f"{what}: {key}: {column} is {value} and {other[key][column]}")
    return found[:3]


def _close(one: float, other: float) -> bool:
    return isclose(one, other, rel_tol=1e-9, abs_tol=1e-4)


def _short(row: Row) -> str:
    return ", ".join(f"{name}={value}" for name, value in row.items())[:300]
