"""What each outage cost."""

from typing import Any

from tests.truth.expected import Expected
from tests.truth.inventory import maintained, rows_by_target, stands, windows
from tests.truth.outages import Case
from tests.truth.records import DAY, History, midnight, moment
from tests.truth.spans import common, length, within
from tests.truth.uptime import TargetDay


def cost_views(history: History, cases: list[Case], days: list[TargetDay]) -> dict[str, Expected]:
    """By name of the view."""
    return {"outage_costs": _outage_costs(history, cases, days)}


def _outage_costs(history: History, cases: list[Case], days: list[TargetDay]) -> Expected:
    known, inventory = windows(history), rows_by_target(history)
    stood = {target: stands(rows, history.now) for target, rows in inventory.items()}
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for case in cases:
        target, span = case.newest["target"], case.span(history.now)
        of_target = stood.get(target, [])
        watched = [(one.begin, one.end) for one in of_target]
        planned = [span for one in of_target for span in maintained(one, known)]
        unplanned_ms = planned_ms = cost = 0.0
        has_price = False
        for day in days:
            price, begin = day.row["downtime_cost_per_hour"], midnight(day.day)
            if day.target != target or price is None:
                continue
            down = common(watched, within([span], begin, begin + DAY))
            whole, spared = length(down), length(common(down, planned))
            has_price |= whole > 0
            unplanned_ms += whole - spared
            planned_ms += spared
            cost += (whole - spared) / 3_600_000 * price
        if case.is_outage and has_price:
            rows[(case.newest["incident_id"],)] = {
                **{name: case.newest[name] for name in ("target", "incident_type", "team")},
                "began_at": moment(span[0]),
                "ended_at": None if case.end is None else moment(case.end),
                "duration_s": (span[1] - span[0]) / 1000,
                "is_open": int(case.end is None),
                "unplanned_s": unplanned_ms / 1000,
                "planned_s": planned_ms / 1000,
                "cost": cost,
            }
    return Expected(key=("incident_id",), rows=rows)
