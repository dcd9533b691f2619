"""What status pages ask: days, outages and response times of many targets at once."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from portquorum.status_pages.model import DAYS, HOURS, SPANS
from portquorum.status_pages.uptime import Outage, TargetDay, day_of
from portquorum.web.history.asking import in_parts, rows, told_us
from portquorum.web.history.windows import DAY_MS, HOUR_MS

MOST_OUTAGES: Final = 50_000

_DAYS: Final = """
SELECT target, day, measured_s, down_s, down_in_maintenance_s,
       toUnixTimestamp64Milli(reckoned_at)
FROM {internal}.uptime_days FINAL
WHERE target IN {targets:Array(String)} AND day >= {first_day:Date}
"""

# Only of targets of which two were down on one day: the view looks at all incidents.
_OUTAGES: Final = """
SELECT target, begin_ms, end_ms
FROM outages
WHERE target IN {targets:Array(String)} AND end_ms > {since:Int64}
LIMIT {most:UInt32}
"""

_SPANS: Final = """
SELECT toString(target) AS name,
       sumIf(d.up, day >= {d0:Date}), sumIf(d.up, day >= {d1:Date}),
       sumIf(d.up, day >= {d2:Date}), sumIf(d.up, day >= {d3:Date}),
       maxIf(d.max_us, day >= {d0:Date}), maxIf(d.max_us, day >= {d1:Date}),
       maxIf(d.max_us, day >= {d2:Date}), maxIf(d.max_us, day >= {d3:Date}),
       quantilesBFloat16MergeIf(0.5, 0.95, 0.99)(d.latency_us, day >= {d0:Date}),
       quantilesBFloat16MergeIf(0.5, 0.95, 0.99)(d.latency_us, day >= {d1:Date}),
       quantilesBFloat16MergeIf(0.5, 0.95, 0.99)(d.latency_us, day >= {d2:Date}),
       quantilesBFloat16MergeIf(0.5, 0.95, 0.99)(d.latency_us, day >= {d3:Date}),
       max(d.region = 'receiver')
FROM {internal}.results_daily AS d
WHERE target IN {targets:Array(String)} AND day >= {d3:Date}
GROUP BY name
"""

_HOURS: Final = """
SELECT toString(target) AS name, intDiv(toUnixTimestamp(hour), 3600) AS number,
       sum(h.up), max(h.max_us), quantilesBFloat16Merge(0.5, 0.95, 0.99)(h.latency_us)
FROM {internal}.results_hourly AS h
WHERE target IN {targets:Array(String)} AND hour >= fromUnixTimestamp({since_s:Int64})
GROUP BY name, number
"""

_RUNS: Final = """
SELECT target,
       countIf(day >= {d0:Date}), countIf(day >= {d1:Date}),
       countIf(day >= {d2:Date}), countIf(day >= {d3:Date}),
       quantileExactIf(0.5)(took_ms, day >= {d0:Date}),
       quantileExactIf(0.5)(took_ms, day >= {d1:Date}),
       quantileExactIf(0.5)(took_ms, day >= {d2:Date}),
       quantileExactIf(0.5)(took_ms, day >= {d3:Date})
FROM
(
    SELECT target, toDate(ended_at) AS day, assumeNotNull(duration_ms) AS took_ms
    FROM job_runs
    WHERE target IN {targets:Array(String)} AND end = 'success' AND duration_ms IS NOT NULL
)
GROUP BY target
"""

_RUN_HOURS: Final = """
SELECT target, intDiv(toUnixTimestamp(assumeNotNull(ended_at)), 3600) AS number,
       quantileExact(0.5)(assumeNotNull(duration_ms))
FROM job_runs
WHERE target IN {targets:Array(String)} AND end = 'success' AND duration_ms IS NOT NULL
    AND ended_at >= fromUnixTimestamp({since_s:Int64})
GROUP BY target, number
"""


class Responses(Struct, frozen=True):
    """Median response times (ms) of a target: over `SPANS`, and of the last `HOURS` hours.

    Of a job they are how long its runs took that ended well, as far back as results are kept.
    """

    spans: tuple[float | None, ...]
    hours: tuple[float | None, ...]


def days(
    client: Client, targets: Collection[str], now: int, count: int = DAYS
) -> dict[str, list[TargetDay]]:
    """The last days of targets that were measured, by target."""
    first = day_of(now) - timedelta(days=count - 1)
    found: dict[str, list[TargetDay]] = {}
    for part in in_parts(sorted(targets)):
        for target, *values in rows(client, _DAYS, targets=list(part), first_day=first):
            found.setdefault(target, []).append(TargetDay(*values))
    return found


def outages(client: Client, targets: Collection[str], since: int) -> tuple[Outage, ...]:
    """When targets were down, as far as it touches the time from `since` (UTC ms) on."""
    found: list[Outage] = []
    for part in in_parts(sorted(targets)):
        told = rows(client, _OUTAGES, targets=list(part), since=since, most=MOST_OUTAGES)
        found += [Outage(*row) for row in told]
    return tuple(found)


def responses(client: Client, targets: Collection[str], now: int) -> dict[str, Responses]:
    """Response times by target."""
    today = day_of(now)
    firsts = {f"d{place}": today - timedelta(days=span - 1) for place, span in enumerate(SPANS)}
    spans: dict[str, tuple[float | None, ...]] = {}
    hours: dict[str, list[float | None]] = {}
    last = now // HOUR_MS
    since_s = (last - HOURS + 1) * HOUR_MS // 1000
    jobs = []
    for part in in_parts(sorted(targets)):
        for name, *values, is_job in rows(client, _SPANS, targets=list(part), **firsts):
            if is_job:
                jobs.append(name)
                continue
            spans[name] = tuple(
                _median(values[place], values[place + 4], values[place + 8]) for place in range(4)
            )
        told = rows(client, _HOURS, targets=list(part), since_s=since_s)
        for name, number, up, most_us, least_us in told:
            _put(hours, name, number - (last - HOURS + 1), _median(up, most_us, least_us))
    for part in in_parts(jobs):
        for name, *values in rows(client, _RUNS, targets=list(part), **firsts):
            spans[name] = tuple(
                _length(values[place + 4]) if values[place] else None for place in range(4)
            )
        for name, number, took_ms in rows(client, _RUN_HOURS, targets=list(part), since_s=since_s):
            _put(hours, name, number - (last - HOURS + 1), _length(took_ms))
    return {
        name: Responses(
            spans.get(name, (None,) * len(SPANS)), tuple(hours.get(name, [None] * HOURS))
        )
        for name in targets
    }


def _put(hours: dict[str, list[float | None]], name: str, place: int, value: float | None) -> None:
    if 0 <= place < HOURS and value is not None:
        hours.setdefault(name, [None] * HOURS)[place] = value


def _length(took_ms: float) -> float:
    """How long a run took; one of more than a day is told as a day."""
    return min(float(took_ms), float(DAY_MS))


def _median(up: int, most_us: float, least_us: Sequence[float]) -> float | None:
    return told_us(least_us[0], most_us) / 1000 if up else None


def day_begin(at: int) -> int:
    """The begin (UTC ms) of the day of a time."""
    return at - at % DAY_MS
