"""The views that come from incidents."""

from datetime import date
from typing import Any

from tests.truth.expected import Expected, nearest, percent
from tests.truth.inventory import last_known, rows_by_target
from tests.truth.outages import Case
from tests.truth.records import History, day_of, moment, month_of
from tests.truth.spans import length, within
from tests.truth.uptime import window


def incident_views(history: History, cases: list[Case]) -> dict[str, Expected]:
    """By name of the view."""
    return {
        "outages": _outages(history, cases),
        "incidents_current": _incidents_current(history, cases),
        "incident_times": _incident_times(history, cases),
        "response_monthly": _response_monthly(cases),
        "flappers": _flappers(history, cases),
    }


def _seconds(case: Case, now: int) -> float:
    begin, end = case.span(now)
    return (end - begin) / 1000


def detect_s(case: Case) -> float:
    """From the first failure to the opening."""
    return (case.newest["opened_at"] - case.begin) / 1000  # type: ignore[no-any-return]


def acknowledge_s(case: Case) -> float | None:
    """From the opening to the first acknowledgement."""
    said = case.acknowledgement
    return None if said is None else (said["at"] - said["opened_at"]) / 1000


def recover_s(case: Case) -> float | None:
    """The length of what is over."""
    return None if case.end is None else (case.end - case.begin) / 1000


def _outages(history: History, cases: list[Case]) -> Expected:
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for case in cases:
        begin, end = case.span(history.now)
        if case.is_outage and begin < end:
            rows[(case.newest["incident_id"],)] = {
                **{name: case.newest[name] for name in ("target", "incident_type", "team")},
                "began_at": moment(begin),
                "ended_at": None if case.end is None else moment(end),
                "begin_ms": begin,
                "end_ms": end,
                "duration_s": (end - begin) / 1000,
                "is_open": int(case.end is None),
            }
    return Expected(key=("incident_id",), rows=rows)


def _incidents_current(history: History, cases: list[Case]) -> Expected:
    same = [
        "incident_type",
        "severity",
        "target",
        "name",
        "kind",
        "host",
        "port",
        "team",
        "tags",
        "criticality",
        "verdicts",
        "reasons",
        "closed_because",
        "summary",
        "acknowledged_by",
    ]
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for case in cases:
        row, closed = case.newest, case.newest["closed_at"]
        over = history.now if closed is None else closed
        rows[(row["incident_id"],)] = {name: row[name] for name in same} | {
            "status": "open" if closed is None else "closed",
            "first_failed_at": moment(case.begin),
            "opened_at": moment(row["opened_at"]),
            "closed_at": None if closed is None else moment(closed),
            "changed_at": moment(row["at"]),
            "detect_s": detect_s(case),
            "open_s": (over - row["opened_at"]) / 1000,
            "duration_s": _seconds(case, history.now),
        }
    return Expected(key=("incident_id",), rows=rows)


def _incident_times(history: History, cases: list[Case]) -> Expected:
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for case in cases:
        row, said = case.newest, case.acknowledgement
        rows[(row["incident_id"],)] = {
            **{name: row[name] for name in ("target", "incident_type", "team")},
            "opened_at": moment(row["opened_at"]),
            "detect_s": detect_s(case),
            "acknowledge_s": acknowledge_s(case),
            "duration_s": _seconds(case, history.now),
            "recover_s": recover_s(case),
            "acknowledged_by": said["acknowledged_by"] if said else "",
        }
    return Expected(key=("incident_id",), rows=rows)


def response(cases: list[Case]) -> dict[str, Any]:
    """Columns of `response_monthly` of some outages."""
    detected = [detect_s(case) for case in cases]
    acknowledged = [found for case in cases if (found := acknowledge_s(case)) is not None]
    recovered = [found for case in cases if (found := recover_s(case)) is not None]
    return {
        "incidents": len(cases),
        "detect_p50_s": nearest(detected, 50),
        "detect_p95_s": nearest(detected, 95),
        "acknowledged_percent": percent(len(acknowledged), len(cases)),
        "acknowledge_p50_s": nearest(acknowledged, 50),
        "acknowledge_p95_s": nearest(acknowledged, 95),
        "recover_p50_s": nearest(recovered, 50),
        "recover_p95_s": nearest(recovered, 95),
    }


def _response_monthly(cases: list[Case]) -> Expected:
    found: dict[tuple[date, str], list[Case]] = {}
    for case in cases:
        if case.is_outage:
            month = month_of(day_of(case.newest["opened_at"]))
            found.setdefault((month, case.newest["team"]), []).append(case)
    return Expected(
        key=("month", "team"), rows={key: response(some) for key, some in found.items()}
    )


def _flappers(history: History, cases: list[Case]) -> Expected:
    _, begin = window(history.now, 7)
    inventory = rows_by_target(history)
    by_target: dict[str, list[Case]] = {}
    for case in cases:
        if case.is_outage and within([case.span(history.now)], begin, history.now):
            by_target.setdefault(case.newest["target"], []).append(case)
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for target, some in by_target.items():
        flapping = [case for case in some if case.newest["incident_type"] == "flapping"]
        if len(some) - len(flapping) <= 1 and not flapping:
            continue
        known = last_known(inventory.get(target, []))
        parts = within([case.span(history.now) for case in some], begin, history.now)
        median = nearest([end - start for start, end in parts], 50)
        rows[(target,)] = {
            "name": known["name"] if known else "",
            "team": known["team"] if known else "",
            "outages": len(some) - len(flapping),
            "flapping": len(flapping),
            "down_s": length(parts) / 1000,
            "median_s": None if median is None else median / 1000,
            "last_at": moment(max(case.begin for case in some)),
        }
    return Expected(key=("target",), rows=rows)
