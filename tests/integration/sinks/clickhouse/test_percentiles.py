"""Percentiles of every view against a sorted list: at the nearest rank, within 0.5 %."""

# ruff: noqa: S608 - the names of the questions are the test's own

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from clickhouse_connect.driver.client import Client
from msgspec import structs

from foundation.clickhouse import connect, database, internal_database
from foundation.settings import Settings
from portquorum.report import reliability
from portquorum.report.history import History
from sinks.clickhouse import tables
from sinks.clickhouse.migrate import migrate
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.old_schema import create_old_schema
from tests.integration.sinks.clickhouse.past import DAY, HOUR, MINUTE, TODAY, Past
from tests.integration.sinks.clickhouse.test_views import settings_of

ZERO = TODAY - 3 * DAY
WITHIN = 0.005
LEVELS = (50, 95, 99)
HOURS = 3
BLOCKS = 4
LARGEST = 2**32 - 1


def _cases() -> dict[str, list[int]]:
    """Latencies in µs by the name of the target and region that has them."""
    draw = random.Random(16)  # noqa: S311 - the same values each time
    found = {
        "one-100-ms": [100_000],
        "two": [100_000, 900_000],
        "twenty-seven": [100_000 + 10_000 * n for n in range(27)],
        "equal": [100_000] * 40,
        "equal-but-one": [99_841] * 40 + [2_000_000],
        "least": [0, 1, 1, 2, 3],
        "around-256": [255, 256, 257],
        "largest": [LARGEST] * 3 + [LARGEST - 1],
        "huge-spread": [1, 70_000, 2**31, LARGEST],
    }
    # The first and the last of each step of the rounding have the largest error.
    for power in (8, 13, 17, 23, 24, 31):
        step = 2 ** (power - 7)
        for value in (2**power - 1, 2**power, 2**power + step - 1, 2**power + step):
            found[f"step-{value}"] = [value, LARGEST]
    for count in (*range(1, 24), 39, 40, 41, 99, 100, 101, 199, 200, 201, 400):
        found[f"even-{count}"] = [draw.randrange(1_000, 700_000) for _ in range(count)]
        found[f"wide-{count}"] = [int(2 ** draw.uniform(0, 32)) for _ in range(count)]
    return found


CASES = _cases()


@pytest.fixture(scope="module")
def settings(clickhouse: str) -> Settings:
    return settings_of(clickhouse)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[Client]:
    """Several blocks an hour, with failures between, whose times count nowhere."""
    one = connect(settings)
    past = Past(one, settings)
    past.insert(tables.TARGETS, [past.target(name, ZERO) for name in CASES])
    failed = {"status": "down", "reason": "timed_out", "connect_us": None, "total_us": 3_000_000}
    for block in range(BLOCKS):
        rows = [past.result(name, name, ZERO + MINUTE, **failed) for name in CASES]
        for name, values in CASES.items():
            rows += [
                past.result(name, name, at(index), connect_us=value)
                for index, value in enumerate(values)
                if index % BLOCKS == block
            ]
        past.insert(tables.RESULTS, rows)
    past.reckon()
    yield one
    one.close()


def at(index: int) -> int:
    """The time of a case's value with this index."""
    return ZERO + index % HOURS * HOUR + index // HOURS


def nearest(values: Sequence[int], percent: int) -> int:
    """The value at rank ⌈percent · n / 100⌉, in µs."""
    return sorted(values)[-(-percent * len(values) // 100) - 1]


def expected(values: Sequence[int]) -> tuple[object, ...]:
    """p50, p95, p99 and the largest, in ms."""
    percentiles = (nearest(values, percent) / 1000 for percent in LEVELS)
    return *(pytest.approx(one, rel=WITHIN) for one in percentiles), max(values) / 1000


def by_hour(values: Sequence[int]) -> list[list[int]]:
    """The values of each hour that has any."""
    hours = defaultdict(list)
    for index, value in enumerate(values):
        hours[index % HOURS].append(value)
    return [hours[number] for number in sorted(hours)]


def answers(client: Client, view: str, key: str, order: str) -> dict[str, list[tuple[object, ...]]]:
    """p50, p95, p99 and the largest by target or region, in order of time."""
    found = defaultdict(list)
    sql = f"SELECT {key}, p50_ms, p95_ms, p99_ms, max_ms FROM {view} WHERE up > 0 ORDER BY {order}"
    for name, *row in client.query(sql).result_rows:
        found[str(name)].append(tuple(row))
    return dict(found)


def check(client: Client) -> None:
    hourly = {name: [expected(one) for one in by_hour(all_)] for name, all_ in CASES.items()}
    whole = {name: [expected(all_)] for name, all_ in CASES.items()}
    assert answers(client, "target_checks_hourly", "target", "hour") == hourly
    assert answers(client, "region_latency_hourly", "region", "hour") == hourly
    assert answers(client, "target_checks_daily", "target", "day") == whole
    assert answers(client, "slowest", "target", "target") == whole


def test_each_is_within_half_a_percent_of_the_nearest_rank(client: Client) -> None:
    check(client)


def test_they_are_the_same_after_all_parts_were_merged(client: Client, settings: Settings) -> None:
    place = internal_database(database(settings))
    for table in ("results_hourly", "results_daily", "region_latencies"):
        client.command(f"OPTIMIZE TABLE {place}.{table} FINAL")
    Past(client, settings).reckon()
    check(client)


def test_a_single_value_and_equal_values_are_exact_if_rounding_would_be_upward(
    client: Client,
) -> None:
    # Half a step above 99,840 µs would be 100,095.5: nothing was slower than the slowest.
    found = answers(client, "target_checks_daily", "target", "day")
    assert found["one-100-ms"] == found["equal"] == [(100, 100, 100, 100)]


def test_no_success_has_no_percentiles(client: Client, settings: Settings) -> None:
    past = Past(client, settings)
    failed = {"status": "down", "reason": "timed_out", "connect_us": None}
    past.insert(tables.RESULTS, [past.result("silent", "silent", ZERO, **failed)])
    for view, key in (
        ("target_checks_hourly", "target"),
        ("target_checks_daily", "target"),
        ("region_latency_hourly", "region"),
    ):
        sql = f"SELECT p50_ms, p95_ms, p99_ms, max_ms FROM {view} WHERE {key} = 'silent'"
        assert client.query(sql).result_rows == [(None, None, None, None)], view


OF_SCHEMA_5 = structs.replace(
    tables.RESULTS,
    columns=tuple(
        column
        for column in tables.RESULTS.columns
        if column[0] not in {"signal", "exit_code", "run", "output"}
    ),
)


def test_hours_from_before_the_counts_keep_their_sketch(clickhouse: str) -> None:
    settings = rig.place("127.0.0.1:1", clickhouse, "sketches")
    client = rig.client_of(settings)
    create_old_schema(client, settings)
    past = Past(client, settings)
    values = CASES["twenty-seven"]
    slower = [2 * value for value in values]

    def insert(region: str, hour: int, latencies: Sequence[int]) -> None:
        rows = [
            past.result("a", region, ZERO + hour * HOUR + n, connect_us=latency)
            for n, latency in enumerate(latencies)
        ]
        past.insert(table, rows)

    table = OF_SCHEMA_5
    insert("before", 0, values)
    insert("both", 0, values)
    migrate(settings)
    table = tables.RESULTS
    insert("both", 0, slower)
    insert("after", 0, values)
    insert("after", 0, slower)
    view = "SELECT region, up, p50_ms, p95_ms, p99_ms, max_ms FROM {db}.region_latency_hourly"
    found = {str(row[0]): tuple(row[1:]) for row in rig.ask(client, settings, view)}
    assert found["after"] == (54, *expected(values + slower))
    sketch = (pytest.approx(one, rel=0.0101) for one in (230, 340, 350))
    assert found["before"] == (27, *sketch, 360)
    assert found["both"] == (54, *found["before"][1:4], 720)
    # Targets have had counts all the time: what is told of old ones is as near as of new ones.
    daily = "SELECT p50_ms, p95_ms, p99_ms, max_ms FROM {db}.target_checks_daily WHERE region = "
    assert rig.ask(client, settings, daily + "'before'") == [expected(values)]
    rig.drop(client, settings)


@pytest.mark.parametrize("count", [1, 2, 20, 27, 100])
def test_times_of_incidents_are_exactly_those_at_the_nearest_rank(
    client: Client, settings: Settings, count: int
) -> None:
    past = Past(client, settings)
    team = f"team-{count}"
    past.insert(tables.TARGETS, [past.target(team, ZERO, team=team)])
    values = list(range(1, count + 1))
    rows = []
    for value in values:
        rows += past.incident(
            f"{team}-{value}",
            team,
            ZERO,
            ZERO + MINUTE * value,
            acknowledged=ZERO + 2_000 + 1_000 * value,
            team=team,
        )
    past.insert(tables.INCIDENTS, rows)
    columns = "acknowledge_p50_s, acknowledge_p95_s, recover_p50_s, recover_p95_s"
    found = client.query(f"SELECT {columns} FROM response_monthly WHERE team = '{team}'")
    p50, p95 = nearest(values, 50), nearest(values, 95)
    assert found.result_rows == [(p50, p95, 60 * p50, 60 * p95)]
    day = datetime.fromtimestamp(ZERO / 1000, tz=UTC).date()
    report = reliability.report(History(client, day, day, team=team), None)
    told = {figure.name: figure.value for figure in report.figures}
    assert (told["acknowledge_p50_s"], told["recover_p50_s"]) == (p50, 60 * p50)
