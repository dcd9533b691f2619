"""The views that come from results: shares of checks, latencies, reasons, certificates."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.truth.expected import Expected, Latency, nearest, percent
from tests.truth.inventory import Window, rows_by_target, standing, windows
from tests.truth.records import DAY, HOUR, History, Row, day_of, moment, month_of
from tests.truth.uptime import window


def check_views(history: History) -> dict[str, Expected]:
    """By name of the view."""
    results = history.results

    def hour(row: Row) -> Any:
        return moment(row["scheduled_at"] // HOUR * HOUR)

    def day(row: Row) -> Any:
        return day_of(row["scheduled_at"])

    def month(row: Row) -> Any:
        return month_of(day_of(row["scheduled_at"]))

    def target(row: Row) -> Any:
        return row["target"]

    def region(row: Row) -> Any:
        return row["region"]

    return {
        "region_uptime_hourly": _grouped(results, {"region": region, "hour": hour}, counts),
        "region_uptime_daily": _grouped(results, {"region": region, "day": day}, counts),
        "region_uptime_monthly": _grouped(results, {"region": region, "month": month}, counts),
        "target_checks_hourly": _grouped(
            results, {"target": target, "region": region, "hour": hour}, counts_and_latencies
        ),
        "target_checks_daily": _grouped(
            results, {"target": target, "region": region, "day": day}, counts_and_latencies
        ),
        "region_latency_hourly": _grouped(results, {"region": region, "hour": hour}, latencies),
        "missed_daily": _grouped(results, {"region": region, "day": day}, _missed),
        "failure_reasons_daily": _grouped(
            [row for row in results if row["status"] == "down"],
            {"day": day, "region": region, "reason": lambda row: row["reason"]},
            lambda rows: {"failures": len(rows), "targets": len({row["target"] for row in rows})},
        ),
        "slowest": _slowest(history),
        "certificates_ending": _certificates(history),
        "domains_ending": _domains(history),
        "maintenance_windows": _windows(history),
    }


def _grouped(
    results: list[Row],
    key: dict[str, Callable[[Row], Any]],
    columns: Callable[[list[Row]], dict[str, Any]],
) -> Expected:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in results:
        found.setdefault(tuple(part(row) for part in key.values()), []).append(row)
    return Expected(key=tuple(key), rows={one: columns(rows) for one, rows in found.items()})


def counts(rows: list[Row]) -> dict[str, Any]:
    checks = [row for row in rows if row["status"] != "missed"]
    up = [row for row in checks if row["status"] == "up"]
    return {
        "checks": len(checks),
        "up": len(up),
        "missed": len(rows) - len(checks),
        "up_percent": percent(len(up), len(checks)),
    }


def latencies(rows: list[Row]) -> dict[str, Any]:
    """Of successes: of the connection, or of the whole check where there was none; ms."""
    found = [
        (row["connect_us"] if row["connect_us"] is not None else row["total_us"]) / 1000
        for row in rows
        if row["status"] == "up"
    ]
    columns: dict[str, Any] = {"up": len(found), "max_ms": max(found, default=None)}
    for level in (50, 95, 99):
        value = nearest(found, level)
        columns[f"p{level}_ms"] = None if value is None else Latency(value)
    return columns


def counts_and_latencies(rows: list[Row]) -> dict[str, Any]:
    return counts(rows) | latencies(rows)


def _missed(rows: list[Row]) -> dict[str, Any]:
    found = counts(rows)
    return {
        "missed": found["missed"],
        "checks": found["checks"],
        "missed_percent": percent(found["missed"], len(rows)),
    }


def _slowest(history: History) -> Expected:
    _, begin = window(history.now, 7)
    by_target: dict[str, list[Row]] = {}
    for row in history.results:
        if row["scheduled_at"] >= begin and row["status"] == "up":
            by_target.setdefault(row["target"], []).append(row)
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for target, definitions in rows_by_target(history).items():
        stands = standing(definitions, history.now)
        if stands is not None and target in by_target:
            about = {"name": stands["name"], "team": stands["team"]}
            rows[(target,)] = about | latencies(by_target[target])
    return Expected(key=("target",), rows=rows)


def _certificates(history: History) -> Expected:
    rows = {
        target: about | {name: stands[name] for name in ("name", "team", "host", "port")}
        for target, stands, about in _ends(history)
        if stands["kind"] != "domain"
    }
    return Expected(key=("target",), rows={(target,): row for target, row in rows.items()})


def _domains(history: History) -> Expected:
    rows = {
        target: about | {"name": stands["name"], "team": stands["team"], "domain": stands["host"]}
        for target, stands, about in _ends(history)
        if stands["kind"] == "domain"
    }
    return Expected(key=("target",), rows={(target,): row for target, row in rows.items()})


def _ends(history: History) -> Iterator[tuple[str, Row, dict[str, Any]]]:
    """Id, definition and end of each target that showed one since it is what and where it is."""
    known = rows_by_target(history)
    inventory = {
        target: found
        for target, rows in known.items()
        if (found := standing(rows, history.now)) is not None
    }
    newest: dict[tuple[str, str], Row] = {}
    for row in sorted(history.results, key=lambda row: row["started_at"]):
        if row["cert_expires_at"] is not None:
            newest[row["target"], row["region"]] = row
    by_target: dict[str, list[Row]] = {}
    for (target, region), row in newest.items():
        if (
            target in inventory
            and region in inventory[target]["regions"]
            and row["started_at"] >= _moved_at(known[target])
        ):
            by_target.setdefault(target, []).append(row)
    for target, seen in by_target.items():
        first = min(row["cert_expires_at"] for row in seen)
        about = {
            "expires_at": moment(first),
            "days_left": (first - history.now) / DAY,
            "seen_at": moment(max(row["started_at"] for row in seen)),
        }
        yield target, inventory[target], about


def _moved_at(rows: list[Row]) -> int:
    """When the target came to its present kind, host and port; 0: it never had others."""
    places = [(row["kind"], row["host"], row["port"]) for row in rows if not row["removed"]]
    begins = [row["appended_at"] for row in rows if not row["removed"]]
    moves = [at for at, old, new in zip(begins[1:], places, places[1:], strict=False) if old != new]
    return max(moves, default=0)


def _windows(history: History) -> Expected:
    def columns(one: Window) -> dict[str, Any]:
        return {
            "selectors": list(one.selectors),
            "begin_at": moment(one.begin),
            "end_at": moment(one.end),
            "end_ms": one.end,
        }

    return Expected(
        key=("source", "name", "begin_ms"),
        rows={(one.source, one.name, one.begin): columns(one) for one in windows(history)},
    )
