"""Every view on the real engine: rows written by hand (`past.py`), answers computed by hand."""

# ruff: noqa: S608 - the days of the questions are the test's own

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from foundation.clickhouse import connect, database
from foundation.settings import Settings
from sinks.clickhouse import fleet_queries, tables
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.past import DAY, HOUR, MINUTE, TODAY, Past, write

ZERO = TODAY - 3 * DAY
ABOUT = 0.005
"""Latencies are told within 0.5 %."""


def day(number: int) -> date:
    return datetime.fromtimestamp(ZERO / 1000, tz=UTC).date() + timedelta(number)


def month(number: int) -> date:
    return day(number).replace(day=1)


def settings_of(clickhouse: str, *, for_file: bool = False) -> Settings:
    return rig.used_place(rig.NO_KAFKA, clickhouse, "views", for_file=for_file)


@pytest.fixture(scope="module")
def client(clickhouse: str) -> Iterator[Client]:
    settings = settings_of(clickhouse, for_file=True)
    one = connect(settings)
    write(Past(one, settings))
    yield one
    one.close()


def ask(client: Client, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in client.query(sql).result_rows]


def test_uptime_is_what_was_not_down_of_the_time_that_was_measured(client: Client) -> None:
    found = ask(
        client,
        "SELECT day, watched_s, measured_s, down_s, maintenance_s, down_in_maintenance_s, "
        "uptime_percent, uptime_without_maintenance_percent "
        "FROM uptime_daily WHERE target = 'a' ORDER BY day LIMIT 3",
    )
    # Down: 5:30-5:45, 10:00-10:30, 12:00-13:10 (the flapping one ended at 13:00), 23:45-24:00.
    # Measured: 22 h, and 5:30-5:45, since an incident was open then. In maintenance:
    # 5:40-5:45 (of 5:40-6:10) and 10:15-10:45; down in it: 5:40-5:45 and 10:15-10:30.
    assert found[0] == (
        day(0),
        86_400,
        79_200 + 900,
        900 + 1_800 + 4_200 + 900,
        300 + 1_800,
        300 + 900,
        pytest.approx(100 * (1 - 7_800 / 80_100)),
        pytest.approx(100 * (1 - 6_600 / 78_000)),
    )
    clean = pytest.approx(100 * (1 - 900 / 86_400))
    assert found[1] == (day(1), 86_400, 86_400, 900, 0, 0, clean, clean)
    assert found[2] == (day(2), 86_400, 0, 0, 0, 0, None, None)


def test_a_target_that_is_checked_once_a_day_was_measured_all_day(client: Client) -> None:
    found = ask(
        client,
        "SELECT day, watched_s, measured_s, uptime_percent FROM uptime_daily "
        "WHERE target = 'b' ORDER BY day",
    )
    # In the inventory from noon to noon; there was a check on the first day alone.
    assert found == [(day(0), 43_200, 43_200, 100), (day(1), 43_200, 0, None)]


def test_uptime_by_team_and_by_month_is_the_sum_of_the_days(client: Client) -> None:
    assert ask(
        client,
        "SELECT team, targets, down_s, uptime_percent FROM team_uptime_daily "
        f"WHERE day = '{day(0)}' ORDER BY team",
    ) == [("db", 1, 7_800, pytest.approx(100 * (1 - 7_800 / 80_100))), ("web", 1, 0, 100)]
    sums: dict[date, list[float]] = {}
    for number, (measured, down) in enumerate(((80_100, 7_800), (86_400, 900))):
        held = sums.setdefault(month(number), [0, 0])
        held[0] += measured
        held[1] += down
    expected = [
        (one, measured, down, pytest.approx(100 * (1 - down / measured)))
        for one, (measured, down) in sorted(sums.items())
    ]
    columns = "month, measured_s, down_s, uptime_percent"
    assert expected == ask(
        client,
        f"SELECT {columns} FROM uptime_monthly WHERE target = 'a' AND measured_s > 0 ORDER BY 1",
    )
    assert expected == ask(
        client,
        f"SELECT {columns} FROM team_uptime_monthly "
        "WHERE team = 'db' AND measured_s > 0 ORDER BY month",
    )


def test_a_region_has_its_share_of_checks(client: Client) -> None:
    # eu: 22 checks of `a`, 2 of them failed besides, and one of `b`.
    expected = [
        ("eu", 25, 23, 0, pytest.approx(92)),
        ("us", 23, 22, 1, pytest.approx(100 * 22 / 23)),
    ]
    columns = "region, checks, up, missed, up_percent"
    daily = f"SELECT {columns} FROM region_uptime_daily WHERE day = '{day(0)}' ORDER BY region"
    assert ask(client, daily) == expected
    hourly = f"SELECT {columns} FROM region_uptime_hourly WHERE hour = '{day(0)} 10:00:00'"
    assert sorted(ask(client, hourly)) == [
        ("eu", 3, 1, 0, pytest.approx(100 / 3)),
        ("us", 2, 1, 1, 50),
    ]
    monthly = "SELECT region, sum(checks), sum(up) FROM region_uptime_monthly GROUP BY 1 ORDER BY 1"
    assert ask(client, monthly) == [("eu", 49, 47), ("us", 47, 46)]
    targets = (
        "SELECT region, checks, up, missed FROM target_checks_daily "
        f"WHERE target = 'a' AND day = '{day(0)}' ORDER BY region"
    )
    assert ask(client, targets) == [("eu", 24, 22, 0), ("us", 23, 22, 1)]


def test_latencies_are_of_successes_alone(client: Client) -> None:
    columns = "p50_ms, p95_ms, p99_ms, max_ms"
    ten = (pytest.approx(10, rel=ABOUT),) * 3 + (10,)
    hour = f"hour = '{day(0)} 10:00:00'"
    assert ask(
        client, f"SELECT region, {columns} FROM region_latency_hourly WHERE {hour} ORDER BY region"
    ) == [("eu", *ten), ("us", *ten)]
    one = f"SELECT {columns} FROM target_checks_hourly WHERE target = 'a' AND region = 'eu' AND "
    assert ask(client, one + hour) == [ten]
    # One without a connection has the time of the whole check.
    hour = f"SELECT {columns} FROM target_checks_hourly WHERE target = 'b'"
    assert ask(client, hour) == [(pytest.approx(40, rel=ABOUT),) * 3 + (40,)]


def test_the_slowest_stand_first_and_what_was_removed_not_at_all(client: Client) -> None:
    columns = "target, name, team, up, p95_ms, max_ms"
    assert ask(client, f"SELECT {columns} FROM slowest") == [
        ("a", "A", "db", 92, pytest.approx(10, rel=ABOUT), 10)
    ]


def test_the_error_budget_is_that_of_the_time_outside_of_maintenance(client: Client) -> None:
    # 78,000 s and 86,400 s; 1 % of them may be down, 6,600 s and 900 s were.
    assert ask(client, "SELECT * FROM error_budget") == [
        (
            "a",
            "A",
            "db",
            99,
            pytest.approx(100 * (1 - 7_500 / 164_400)),
            pytest.approx(1_644),
            7_500,
            pytest.approx(1_644 - 7_500),
            pytest.approx(100 * (1_644 - 7_500) / 1_644),
            0,
        )
    ]
    monthly = ask(client, "SELECT sum(budget_s), sum(spent_s), max(met) FROM error_budget_monthly")
    assert monthly[0][:2] == (pytest.approx(1_644), 7_500)


def test_the_least_reliable_stand_first(client: Client) -> None:
    found = ask(
        client,
        "SELECT target, uptime_percent, down_s, outages, longest_s, mean_time_to_recover_s, "
        "mean_time_between_s FROM least_reliable",
    )
    down, measured = 7_800 + 900, 80_100 + 86_400
    assert found == [
        (
            "a",
            pytest.approx(100 * (1 - down / measured)),
            down,
            5,
            3_600,
            down / 5,
            (measured - down) / 5,
        ),
        ("b", 100, 0, 0, 0, None, None),
    ]


def test_flappers_have_how_often_and_for_how_long(client: Client) -> None:
    # The five lasted 15, 30, 60, 20 and 30 min; 10 min of the fourth are in the third too.
    columns = "target, outages, flapping, down_s, median_s, last_at"
    found = ask(client, f"SELECT {columns} FROM flappers WHERE target = 'a'")
    last = datetime.fromtimestamp((ZERO + DAY - 15 * MINUTE) / 1000, tz=UTC)
    assert [(*row[:5], row[5].replace(tzinfo=UTC)) for row in found] == [
        ("a", 4, 1, 8_700, 1_800, last)
    ]


def test_slow_flapping_ended_two_hours_before_its_incident_closed(client: Client) -> None:
    found = ask(client, "SELECT end_ms - begin_ms FROM outages WHERE target = 'slowly'")
    assert found == [(2 * HOUR,)]


def test_times_to_detect_to_acknowledge_and_to_recover(client: Client) -> None:
    columns = "incident_id, detect_s, acknowledge_s, recover_s, acknowledged_by"
    assert ask(
        client,
        f"SELECT {columns} FROM incident_times WHERE incident_id IN ('i2', 's1') ORDER BY 1",
    ) == [("i2", 2, 300, 1_800, "ann"), ("s1", 2, None, None, "")]
    found = ask(
        client,
        "SELECT incidents, detect_p50_s, acknowledged_percent, acknowledge_p50_s, recover_p50_s "
        f"FROM response_monthly WHERE team = 'db' AND month = '{month(0)}'",
    )
    # A slow one is no outage. The five were over after 15, 30, 90, 20 and 30 min.
    assert found == [(5, 2, 20, 300, 1_800)]


def test_failure_reasons_and_missed_checks_by_region(client: Client) -> None:
    assert ask(client, "SELECT * FROM failure_reasons_daily ORDER BY region, reason") == [
        (day(0), "eu", "connection_refused", 1, 1),
        (day(0), "eu", "timed_out", 1, 1),
        (day(0), "us", "timed_out", 1, 1),
    ]
    missed = f"SELECT region, missed, checks, missed_percent FROM missed_daily WHERE day='{day(0)}'"
    assert sorted(ask(client, missed)) == [
        ("eu", 0, 25, 0),
        ("us", 1, 23, pytest.approx(100 / 24)),
    ]


def test_downtime_costs_its_hours_outside_of_maintenance(client: Client) -> None:
    # 1 h 50 min and 15 min at 1,200 an hour.
    assert ask(
        client,
        "SELECT target, team, day, cost_per_hour, unplanned_s, planned_s, cost "
        "FROM downtime_cost_daily ORDER BY day LIMIT 2",
    ) == [
        ("a", "db", day(0), 1_200, 6_600, 1_200, pytest.approx(2_200)),
        ("a", "db", day(1), 1_200, 900, 0, pytest.approx(300)),
    ]
    assert ask(client, "SELECT sum(cost), sum(planned_s) FROM downtime_cost_monthly") == [
        (pytest.approx(2_500), 1_200)
    ]


def test_an_outage_costs_its_hours_outside_of_maintenance(client: Client) -> None:
    # Those of 12:00 and 12:50 overlap, and each has the whole: 600 s more than the days have.
    found = ask(
        client,
        "SELECT incident_id, incident_type, team, duration_s, is_open, unplanned_s, planned_s, "
        "cost FROM outage_costs",
    )
    assert found == [
        ("i3", "flapping", "db", 3_600, 0, 3_600, 0, pytest.approx(1_200)),
        ("i5", "unreachable", "db", 1_800, 0, 1_800, 0, pytest.approx(600)),
        ("i4", "unreachable", "db", 1_200, 0, 1_200, 0, pytest.approx(400)),
        ("i2", "unreachable", "db", 1_800, 0, 900, 900, pytest.approx(300)),
        ("i1", "unreachable", "db", 900, 0, 600, 300, pytest.approx(200)),
    ]


def test_certificates_are_those_seen_last_and_the_first_to_end(clickhouse: str) -> None:
    settings = settings_of(clickhouse)
    client = connect(settings)
    past = Past(client, settings)
    soon, late = TODAY + 5 * DAY, TODAY + 90 * DAY
    past.insert(tables.TARGETS, [past.target("web", TODAY - DAY), past.target("tcp", TODAY - DAY)])
    past.insert(
        tables.RESULTS,
        [
            past.result("web", "eu", TODAY - 3 * HOUR, cert_expires_at=TODAY + DAY),
            past.result("web", "eu", TODAY - 2 * HOUR, cert_expires_at=late),
            past.result("web", "us", TODAY - 2 * HOUR, cert_expires_at=soon),
            past.result("web", "gone", TODAY - 2 * HOUR, cert_expires_at=TODAY),
            past.result("tcp", "eu", TODAY - 2 * HOUR),
        ],
    )
    # An older result that comes late changes nothing.
    past.insert(tables.RESULTS, [past.result("web", "us", TODAY - 5 * HOUR, cert_expires_at=TODAY)])
    ((target, expires_at, days_left),) = ask(
        client, "SELECT target, expires_at, days_left FROM certificates_ending"
    )
    assert (target, expires_at.replace(tzinfo=UTC).timestamp() * 1000) == ("web", soon)
    assert 4 <= days_left <= 5
    client.close()


def test_domains_have_a_view_of_their_own(clickhouse: str) -> None:
    settings = settings_of(clickhouse)
    client = connect(settings)
    past = Past(client, settings)
    domain = {"kind": "domain", "port": 0}
    late, soon = TODAY + 90 * DAY, TODAY + 50 * DAY
    past.insert(
        tables.TARGETS,
        [
            past.target("web", TODAY - DAY),
            past.target("a", TODAY - DAY, host="a.example", **domain),
            past.target("b", TODAY - DAY, host="b.example", **domain),
            past.target("silent", TODAY - DAY, host="c.example", **domain),
        ],
    )
    at = TODAY - 2 * HOUR
    past.insert(
        tables.RESULTS,
        [
            past.result("web", "eu", at, cert_expires_at=TODAY),
            past.result("a", "eu", at, host="a.example", cert_expires_at=late, **domain),
            past.result("b", "eu", at - 1, host="b.example", cert_expires_at=TODAY, **domain),
            past.result("b", "eu", at, host="b.example", cert_expires_at=soon, **domain),
            past.result("silent", "eu", at, host="c.example", **domain),
        ],
    )
    shown = "SELECT target, domain, toUnixTimestamp64Milli(expires_at) FROM domains_ending"
    assert ask(client, shown) == [("b", "b.example", soon), ("a", "a.example", late)]
    assert ask(client, f"{shown} WHERE days_left < 60") == [("b", "b.example", soon)]
    assert ask(client, "SELECT target FROM certificates_ending") == [("web",)]
    client.close()


def test_the_certificate_of_another_server_is_not_that_of_the_target(clickhouse: str) -> None:
    settings = settings_of(clickhouse)
    client = connect(settings)
    past = Past(client, settings)
    names = ("moved", "plain", "renamed", "again")
    moved = TODAY - 2 * HOUR
    past.insert(
        tables.TARGETS,
        [
            *(past.target(name, TODAY - DAY, kind="tls") for name in names),
            past.target("moved", moved, kind="tls", host="new.example.com"),
            past.target("plain", moved, kind="tcp"),
            past.target("renamed", moved, kind="tls", name="another"),
            past.target("again", moved, removed=1),
            past.target("again", moved + MINUTE, kind="tls"),
        ],
    )
    past.insert(
        tables.RESULTS,
        [past.result(name, "eu", TODAY - 3 * HOUR, cert_expires_at=TODAY) for name in names],
    )
    shown = "SELECT target FROM certificates_ending ORDER BY target"
    assert ask(client, shown) == [("again",), ("renamed",)]
    past.insert(
        tables.RESULTS, [past.result("moved", "us", moved + MINUTE, cert_expires_at=TODAY + DAY)]
    )
    expires = "SELECT toUnixTimestamp64Milli(expires_at) FROM certificates_ending"
    assert ask(client, f"{expires} WHERE target = 'moved'") == [(TODAY + DAY,)]
    client.close()


def test_a_window_holds_while_its_definition_stands(clickhouse: str) -> None:
    settings = settings_of(clickhouse)
    client = connect(settings)
    past = Past(client, settings)
    weekly = past.window("w", ["a"], ZERO, 2 * HOUR) | {
        "begins": [ZERO, ZERO + DAY, ZERO + 2 * DAY]
    }
    late = {"appended_at": ZERO + HOUR}  # an hour after the first time began
    removed = {"removed": 1, "appended_at": ZERO + DAY + HOUR // 2, "log_offset": 9, "begins": []}
    past.insert(tables.MAINTENANCE, [weekly | late, weekly | removed])
    windows = "SELECT begin_ms, end_ms FROM maintenance_windows ORDER BY begin_ms"
    assert ask(client, windows) == [
        (ZERO + HOUR, ZERO + 2 * HOUR),
        (ZERO + DAY, ZERO + DAY + HOUR // 2),
    ]
    client.close()


def test_name_team_slo_and_price_are_those_of_the_day(clickhouse: str) -> None:
    settings = settings_of(clickhouse)
    client = connect(settings)
    past = Past(client, settings)
    past.insert(
        tables.TARGETS,
        [
            past.target("a", ZERO, team="db", downtime_cost_per_hour=60),
            past.target("a", ZERO + DAY, team="web", downtime_cost_per_hour=120, slo=99),
        ],
    )
    past.insert(
        tables.INCIDENTS,
        past.incident("i", "a", ZERO + DAY - HOUR, ZERO + DAY + HOUR),
    )
    past.reckon()
    assert ask(
        client, "SELECT team, cost_per_hour, cost FROM downtime_cost_daily ORDER BY day LIMIT 2"
    ) == [("db", 60, 60), ("web", 120, 120)]
    assert ask(client, "SELECT unplanned_s, cost FROM outage_costs") == [(7_200, 180)]
    assert ask(client, "SELECT DISTINCT slo_percent FROM error_budget_monthly") == [(99,)]
    client.close()


def test_an_open_incident_is_down_until_now(clickhouse: str) -> None:
    settings = settings_of(clickhouse)
    client = connect(settings)
    past = Past(client, settings)
    past.insert(tables.TARGETS, [past.target("a", TODAY - DAY)])
    past.insert(tables.INCIDENTS, past.incident("i", "a", TODAY - HOUR, None))
    past.reckon()
    found = ask(client, "SELECT down_s, measured_s FROM uptime_daily ORDER BY day")
    assert found[0] == (3_600, 3_600)
    now = ask(client, "SELECT toUnixTimestamp64Milli(now64(3))")[0][0]
    assert 0 <= found[1][0] <= (now - TODAY) / 1000
    client.close()


def test_what_nobody_checks_is_paused_and_neither_down_nor_late(clickhouse: str) -> None:
    settings = settings_of(clickhouse)
    client = connect(settings)
    past = Past(client, settings)
    names = ("off", "paused", "for_good", "resumed", "over", "checked")
    past.insert(
        tables.TARGETS, [past.target(name, TODAY - DAY, enabled=name != "off") for name in names]
    )
    soon = int(time.time() * 1000) + HOUR
    past.insert(
        tables.PAUSES,
        [
            past.pause("paused", TODAY, paused_until=soon),
            past.pause("for_good", TODAY),
            past.pause("resumed", TODAY),
            past.pause("resumed", TODAY, removed=1, paused_by="", reason=""),
            past.pause("over", TODAY, paused_until=soon - 2 * HOUR),
        ],
    )
    past.insert(tables.INCIDENTS, past.incident("i", "checked", TODAY - HOUR, None))
    asked = "SELECT target, status, paused_by, paused_until IS NULL FROM status_now ORDER BY target"
    assert ask(client, asked) == [
        ("checked", "down", "", 1),
        ("for_good", "paused", "ann", 1),
        ("off", "paused", "", 1),
        ("over", "unwatched", "", 1),
        ("paused", "paused", "ann", 0),
        ("resumed", "unwatched", "", 1),
    ]
    summary, ids = fleet_queries.fleet_summary(client, fleet_queries.FleetFilter(), 0)
    assert summary.by_status == {"down": 1, "unwatched": 2, "paused": 3}
    assert sum(summary.by_region["eu"].values()) == 3
    assert [one for one, status in ids if status == "paused"] == ["for_good", "off", "paused"]
    assert fleet_queries.inventory_now(client).gap_ms == pytest.approx(10_000)
    (shown,) = fleet_queries.targets_now(client, ["paused"])
    assert (shown.paused_by, shown.paused_until, shown.pause_reason) == (
        "ann",
        soon,
        "disk is replaced",
    )
    past.insert(tables.TARGETS, [past.target(name, TODAY, enabled=False) for name in names])
    assert not fleet_queries.inventory_now(client).is_late(DAY)
    client.close()


def test_roll_ups_count_a_block_that_is_sent_twice_once(clickhouse: str) -> None:
    settings = settings_of(clickhouse)
    client = connect(settings)
    past = Past(client, settings)
    failed = {"status": "down", "reason": "timed_out"}
    rows = [past.result("a", "eu", ZERO + n, cert_expires_at=TODAY, **failed) for n in range(5)]
    for name, sent in (("t1", rows), ("t1", rows), ("t2", rows[:2]), ("t1", rows)):
        past.insert(tables.RESULTS, sent, name)
    sums = {
        "results_hourly": "sum(checks)",
        "results_daily": "sum(checks)",
        "regions_hourly": "sum(checks)",
        "failures_daily": "sum(failures)",
    }
    for table, column in sums.items():
        place = f"{database(settings)}_internal.{table}"
        assert ask(client, f"SELECT {column} FROM {place}") == [(7,)], table
    client.close()


def test_how_each_target_is_now_and_which_nobody_can_judge(clickhouse: str) -> None:
    settings = settings_of(clickhouse)
    now = int(time.time() * 1000)
    long, often = now - 7 * DAY, {"timeout_ms": 1_000}
    seldom = {"interval_ms": 4 * HOUR, "timeout_ms": 1_000}
    with contextlib.closing(connect(settings)) as client:
        past = Past(client, settings)
        past.insert(
            tables.TARGETS,
            [
                past.target("blind", long, **often),
                past.target("blocked", long, **often),
                past.target("down", long, **often),
                past.target("new", now - MINUTE, **often),
                past.target("never", now - 30 * MINUTE, **often),
                past.target("one_of_three", long, **often, regions=["eu", "us", "asia"]),
                past.target("seldom", long, **seldom),
                past.target("slow", long, **often),
                past.target("too_seldom", long, **seldom),
                past.target("up", long, **often),
                past.target("gone", long, **often),
                past.target("gone", now - HOUR, removed=1),
            ],
        )
        both = [(name, region) for name in ("down", "slow", "up") for region in ("eu", "us")]
        past.insert(
            tables.RESULTS,
            [
                *(past.result(name, region, now - 2 * MINUTE) for name, region in both),
                past.result("blind", "eu", now - MINUTE),
                past.result("blind", "us", now - 20 * MINUTE),
                past.result("blocked", "eu", now - MINUTE),
                past.result(
                    "blocked", "us", now - MINUTE, status="missed", reason="address_blocked"
                ),
                past.result("one_of_three", "eu", now - MINUTE),
                past.result("one_of_three", "us", now - MINUTE),
                *(past.result("seldom", region, now - 8 * HOUR) for region in ("eu", "us")),
                past.result("too_seldom", "eu", now - 8 * HOUR),
                past.result("too_seldom", "us", now - 14 * HOUR),
            ],
        )
        past.insert(
            tables.INCIDENTS,
            [
                *past.incident("i1", "down", now - 10 * MINUTE, None),
                *past.incident("i2", "slow", now - 10 * MINUTE, None, incident_type="slow"),
                *past.incident("i3", "up", now - HOUR, now - 30 * MINUTE),
            ],
        )
        found = {
            name: (status, since)
            for name, status, since in ask(
                client, "SELECT target, status, toUnixTimestamp64Milli(since) FROM status_now"
            )
        }
    assert {name: status for name, (status, _) in found.items()} == {
        "blind": "unwatched",
        "blocked": "unwatched",
        "down": "down",
        "new": "pending",
        "never": "unwatched",
        "one_of_three": "up",
        "seldom": "up",
        "slow": "slow",
        "too_seldom": "unwatched",
        "up": "up",
    }
    # Fresh for 2.5 times the interval and the timeout.
    assert found["blind"][1] == now - 20 * MINUTE + 151_000
    assert found["down"][1] == found["slow"][1] == now - 10 * MINUTE
    assert found["up"][1] is None
