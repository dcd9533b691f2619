"""When outages end, and one length of an incident everywhere, on the real engine, by hand."""

# ruff: noqa: S608 - the ids and days of the questions are the test's own

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from foundation.clickhouse import connect, internal_database
from sinks.clickhouse import tables
from sinks.clickhouse.migrate import migrate
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.past import DAY, HOUR, MINUTE, TODAY, Past

ZERO = TODAY - 6 * DAY
BEGAN = ZERO + 10 * HOUR
CLOSED = ZERO + 12 * HOUR
THREE = ["ap", "eu", "us"]
RESOLVED = {"closed_because": "resolved"}
FLAPPING = {"incident_type": "flapping"}
SLOWLY = "a has been steadily reachable for two hours after 3 h."


@contextlib.contextmanager
def new_past(clickhouse: str, *, for_file: bool = False) -> Iterator[Past]:
    settings = rig.used_place(rig.NO_KAFKA, clickhouse, "outages", for_file=for_file)
    with (
        contextlib.closing(connect(settings)) as client,
        rig.not_used_again_after_a_failure(settings),
    ):
        yield Past(client, settings)


def ask(client: Client, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in client.query(sql).result_rows]


def day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, tz=UTC).date().isoformat()


def now_ms() -> int:
    return int(time.time() * 1000)


def said(
    past: Past, incident_id: str, target: str, *events: tuple[str, int]
) -> list[dict[str, Any]]:
    """Further events of an incident, written like its first one."""
    first = past.incident(incident_id, target, BEGAN, None)[0]
    return [
        first | {"event": event, "event_id": f"{incident_id}-{event}-{at}", "at": at}
        for event, at in events
    ]


@pytest.fixture(scope="module")
def client(clickhouse: str) -> Iterator[Client]:
    """Incidents from 10 to 12 o'clock of a day, each of a target of its own."""
    with new_past(clickhouse, for_file=True) as past:
        _write(past)
        past.reckon()
        yield past.client


def _write(past: Past) -> None:
    targets = [
        past.target(name, ZERO, regions=regions)
        for name, regions in (
            ("answers", THREE),
            ("two", ["eu", "us"]),
            ("dead", THREE),
            ("removed", THREE),
            ("moved", THREE),
            ("paused", THREE),
            ("disabled", THREE),
            ("renamed", THREE),
            ("again", THREE),
            ("improved", THREE),
            ("added", ["eu"]),
            ("up", THREE),
            ("one_up", THREE),
            ("blocked", THREE),
            ("never_failed", THREE),
        )
    ]
    targets += [
        past.target("removed", CLOSED + 30 * MINUTE, removed=1),
        past.target("moved", CLOSED + 40 * MINUTE, regions=THREE, port=8443),
        past.target("disabled", CLOSED + 45 * MINUTE, regions=THREE, enabled=False),
        past.target("renamed", CLOSED + 50 * MINUTE, regions=THREE, name="another"),
        # From one region to three, after it was resolved: the majority is that of one.
        past.target("added", CLOSED + MINUTE, regions=THREE),
    ]
    past.insert(tables.TARGETS, targets)
    past.insert(tables.PAUSES, [past.pause("paused", at) for at in (BEGAN, CLOSED + 20 * MINUTE)])
    incidents = [
        event
        for name in (
            *("answers", "two", "dead", "removed", "moved", "paused", "disabled", "renamed"),
            *("again", "added"),
        )
        for event in past.incident(f"r-{name}", name, BEGAN, CLOSED, **RESOLVED)
    ]
    episodes = [("improved", CLOSED - HOUR), ("worsened", CLOSED - MINUTE)]
    incidents += said(past, "r-again", "again", *episodes)
    incidents += past.incident("r-improved", "improved", BEGAN, CLOSED, **RESOLVED)
    incidents += said(past, "r-improved", "improved", ("improved", CLOSED - HOUR))
    for because in (
        "recovered",
        "abandoned",
        "target_removed",
        "target_changed",
        "target_paused",
        "policy_changed",
        "flapping",
    ):
        incidents += past.incident(because, because, BEGAN, CLOSED, closed_because=because)
    last = CLOSED - 47 * MINUTE
    for name, end, fields in (
        ("says", CLOSED, {"recovered_at": last}),
        ("says_steady", CLOSED, {"recovered_at": last, "closed_because": "steady"}),
        ("older", CLOSED, {}),
        ("older_steady", CLOSED, {"closed_because": "steady"}),
        ("older_slowly", CLOSED + HOUR, {"summary": SLOWLY}),
        ("short_slowly", CLOSED, {"summary": SLOWLY}),
        ("by_name", CLOSED, {"closed_because": "abandoned", "recovered_at": last}),
        ("short", BEGAN + 20 * MINUTE, {}),
        ("half_an_hour_and_a_bit", BEGAN + 30 * MINUTE + 1, {}),
    ):
        incidents += past.incident(f"f-{name}", f"f_{name}", BEGAN, end, **(FLAPPING | fields))
    for name in ("up", "one_up", "blocked", "never_failed"):
        incidents += past.incident(f"o-{name}", name, BEGAN, None, **FLAPPING)
    past.insert(tables.INCIDENTS, incidents)
    past.insert(tables.RESULTS, _results(past))


def _results(past: Past) -> list[dict[str, Any]]:
    down = {"status": "down", "reason": "timed_out", "connect_us": None}
    found = []
    for name in ("answers", "two", "moved", "renamed", "again", "improved"):
        found += [
            # A success before the incident was closed, and failures after it, answer nothing.
            past.result(name, "ap", CLOSED - 1),
            past.result(name, "eu", CLOSED - 10 * MINUTE),
            *(past.result(name, one, CLOSED + 2 * MINUTE, **down) for one in THREE),
            # A region that is not one of the target's.
            past.result(name, "else", CLOSED + 3 * MINUTE),
            past.result(name, "us", CLOSED + 7 * MINUTE),
            past.result(name, "us", CLOSED + 9 * MINUTE),
            past.result(name, "eu", CLOSED + 95 * MINUTE + 123, scheduled_at=CLOSED + 95 * MINUTE),
            past.result(name, "ap", CLOSED + 130 * MINUTE),
        ]
    found += [past.result("removed", one, CLOSED + 31 * MINUTE) for one in THREE]
    found += [past.result("added", "eu", CLOSED + 7 * MINUTE)]
    found += [past.result("added", one, CLOSED + MINUTE) for one in ("ap", "us")]
    # ap and us are up since 11:00 and 11:10, eu failed later than it was up.
    for name in ("up", "one_up", "blocked"):
        found += [past.result(name, one, BEGAN + MINUTE, **down) for one in THREE]
        found += [past.result(name, "us", BEGAN + 70 * MINUTE)]
        found += [past.result(name, "eu", BEGAN + 80 * MINUTE)]
        found += [past.result(name, "eu", BEGAN + 90 * MINUTE, **down)]
    found += [past.result("up", "ap", BEGAN + 60 * MINUTE)]
    found += [past.result("up", "us", BEGAN + 75 * MINUTE)]
    found += [
        past.result("blocked", "ap", BEGAN + 60 * MINUTE, status="missed", reason="address_blocked")
    ]
    found += [past.result("never_failed", one, BEGAN + MINUTE, **down) for one in ("eu", "us")]
    found += [past.result("never_failed", one, BEGAN + 2 * MINUTE) for one in ("ap", "us")]
    return found


def end_of(client: Client, incident_id: str) -> tuple[int, int]:
    """When it ended (UTC ms), and 1 if it goes on."""
    ((end, is_open),) = ask(
        client, f"SELECT end_ms, is_open FROM outages WHERE incident_id = '{incident_id}'"
    )
    return end, is_open


@pytest.mark.parametrize(
    "because",
    [
        "recovered",
        "abandoned",
        "target_removed",
        "target_changed",
        "target_paused",
        "policy_changed",
        "flapping",
    ],
)
def test_an_outage_ends_when_its_incident_closes(client: Client, because: str) -> None:
    assert end_of(client, because) == (CLOSED, 0)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        # us after 7 min, eu after 95: two of three.
        ("answers", CLOSED + 95 * MINUTE + 123),
        # Only eu and us are its regions, and both are more than half.
        ("two", CLOSED + 95 * MINUTE + 123),
        ("again", CLOSED + 95 * MINUTE + 123),
        ("renamed", CLOSED + 95 * MINUTE + 123),
        # It left before a second region had a success.
        ("moved", CLOSED + 40 * MINUTE),
        ("removed", CLOSED + 30 * MINUTE),
        ("paused", CLOSED + 20 * MINUTE),
        ("disabled", CLOSED + 45 * MINUTE),
        ("added", CLOSED + 7 * MINUTE),
        # Most regions already saw it up.
        ("improved", CLOSED),
    ],
)
def test_a_word_by_hand_does_not_make_a_port_answer(client: Client, name: str, end: int) -> None:
    assert end_of(client, f"r-{name}") == (end, 0)


def test_what_never_answers_is_down_until_now(client: Client) -> None:
    before = now_ms()
    end, is_open = end_of(client, "r-dead")
    assert is_open == 1
    assert before - 1_000 <= end <= now_ms() + 1_000
    ((ended, duration),) = ask(
        client, "SELECT ended_at, duration_s FROM outages WHERE incident_id = 'r-dead'"
    )
    assert ended is None
    assert duration == pytest.approx((now_ms() - BEGAN) / 1000, abs=60)
    # Not one hour was checked: what is measured is the outage.
    days = ask(
        client,
        "SELECT measured_s, down_s, uptime_percent FROM uptime_daily "
        f"WHERE target = 'dead' AND day < '{day(TODAY)}' ORDER BY day",
    )
    assert days == [(14 * 3_600, 14 * 3_600, 0)] + [(86_400, 86_400, 0)] * 5


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("says", CLOSED - 47 * MINUTE),
        ("says_steady", CLOSED - 47 * MINUTE),
        ("older", CLOSED - 30 * MINUTE),
        ("older_steady", CLOSED - 30 * MINUTE),
        ("older_slowly", CLOSED - HOUR),
        ("by_name", CLOSED),
        ("half_an_hour_and_a_bit", BEGAN + 1),
    ],
)
def test_flapping_ends_with_its_last_recovery(client: Client, name: str, end: int) -> None:
    assert end_of(client, f"f-{name}") == (end, 0)


def test_flapping_ends_never_before_it_began(client: Client) -> None:
    short = "WHERE incident_id IN ('f-short', 'f-short_slowly')"
    assert not ask(client, f"SELECT 1 FROM outages {short}")
    assert ask(client, f"SELECT duration_s FROM incident_times {short}") == [(0,), (0,)]


def test_open_flapping_that_is_up_ended_when_most_regions_were(client: Client) -> None:
    # ap is up since 11:00, us since 11:10; eu fails.
    assert end_of(client, "o-up") == (BEGAN + 70 * MINUTE, 0)
    # ap did not fail since it began, us is up since 10:02.
    assert end_of(client, "o-never_failed") == (BEGAN + 2 * MINUTE, 0)
    for name in ("one_up", "blocked"):
        assert end_of(client, f"o-{name}")[1] == 1


def test_one_length_of_an_incident_in_every_view(client: Client) -> None:
    found = ask(
        client,
        "SELECT incident_id, o.duration_s, c.duration_s, t.duration_s, t.recover_s, c.detect_s, "
        "t.detect_s, c.open_s, t.open_s FROM outages AS o "
        "INNER JOIN incidents_current AS c USING (incident_id) "
        "INNER JOIN incident_times AS t USING (incident_id) "
        "WHERE incident_id IN ('recovered', 'r-answers', 'f-older', 'o-up') ORDER BY incident_id",
    )
    open_s = pytest.approx((now_ms() - BEGAN - 2_000) / 1000, abs=60)
    assert found == [
        ("f-older", *[5_400] * 4, 2, 2, 7_198, 7_198),
        ("o-up", *[4_200] * 4, 2, 2, open_s, open_s),
        ("r-answers", *[7_200 + 95 * 60 + 0.123] * 4, 2, 2, 7_198, 7_198),
        ("recovered", *[7_200] * 4, 2, 2, 7_198, 7_198),
    ]
    # What goes on has no time to recover, whatever was said by hand.
    dead = "SELECT recover_s, open_s FROM incident_times WHERE incident_id = 'r-dead'"
    assert ask(client, dead) == [(None, 7_198)]


def test_slow_and_expiring_last_until_they_close(clickhouse: str) -> None:
    with new_past(clickhouse) as past:
        past.insert(
            tables.INCIDENTS,
            [
                *past.incident("s", "a", BEGAN, CLOSED, incident_type="slow", **RESOLVED),
                *past.incident("e", "a", BEGAN, None, incident_type="expiring"),
            ],
        )
        past.reckon()
        found = ask(
            past.client,
            "SELECT t.incident_id, t.duration_s, c.duration_s, t.recover_s "
            "FROM incident_times AS t INNER JOIN incidents_current AS c "
            "USING (incident_id) ORDER BY incident_id",
        )
        lasts = pytest.approx((now_ms() - BEGAN) / 1000, abs=60)
        assert found == [("e", lasts, lasts, None), ("s", 7_200, 7_200, 7_200)]
        assert ask(past.client, "SELECT count() FROM outages") == [(0,)]


def test_the_end_of_an_outage_is_kept_when_its_results_are_not(clickhouse: str) -> None:
    with new_past(clickhouse) as past:
        past.insert(tables.TARGETS, [past.target("a", ZERO), past.target("b", ZERO)])
        past.insert(
            tables.INCIDENTS,
            [
                *past.incident("known", "a", BEGAN, CLOSED, **RESOLVED),
                *past.incident("expired", "b", BEGAN, CLOSED, **RESOLVED),
            ],
        )
        at = CLOSED + 65 * MINUTE
        past.insert(tables.RESULTS, [past.result("a", one, at) for one in ("eu", "us")])
        past.reckon()
        past.insert(tables.RESULTS, [past.result("b", one, at) for one in ("eu", "us")])
        past.client.command("TRUNCATE TABLE results")
        past.reckon()
        assert end_of(past.client, "known") == (at, 0)
        # Of hours whose results have expired the roll-up tells the hour.
        assert end_of(past.client, "expired") == (CLOSED + HOUR, 0)


def test_a_success_that_comes_late_moves_an_end_that_is_days_old(clickhouse: str) -> None:
    with new_past(clickhouse) as past:
        past.insert(tables.TARGETS, [past.target("a", ZERO, regions=["eu"])])
        past.insert(tables.INCIDENTS, past.incident("r", "a", BEGAN, CLOSED, **RESOLVED))
        past.reckon()
        down = "SELECT day, down_s FROM uptime_daily WHERE target = 'a' ORDER BY day LIMIT 4"
        assert [row[1] for row in ask(past.client, down)] == [14 * 3_600, 86_400, 86_400, 86_400]
        past.insert(tables.RESULTS, [past.result("a", "eu", ZERO + DAY + HOUR)])
        past.reckon()
        assert [row[1] for row in ask(past.client, down)] == [14 * 3_600, 3_600, 0, 0]
        # It was found to be long over: what comes even later moves nothing.
        past.insert(tables.RESULTS, [past.result("a", "eu", ZERO + DAY)])
        past.reckon()
        assert end_of(past.client, "r") == (ZERO + DAY + HOUR, 0)


def test_an_upgrade_finds_the_ends_before_it_reckons_all_days(clickhouse: str) -> None:
    with new_past(clickhouse) as past:
        past.insert(tables.TARGETS, [past.target("a", ZERO, regions=["eu"])])
        past.insert(tables.INCIDENTS, past.incident("r", "a", BEGAN, CLOSED, **RESOLVED))
        past.insert(tables.RESULTS, [past.result("a", "eu", CLOSED + HOUR)])
        internal = f"`{internal_database(str(past.client.database))}`"
        past.client.command(f"DROP VIEW {internal}.uptime_all_mv SYNC")
        migrate(past.settings)
        past.client.command(f"SYSTEM WAIT VIEW {internal}.uptime_all_mv")
        found = ask(past.client, "SELECT down_s FROM uptime_daily ORDER BY day LIMIT 2")
        assert found == [(3 * 3_600,), (0,)]


def test_down_is_never_more_than_what_was_measured(clickhouse: str) -> None:
    with new_past(clickhouse) as past:
        past.insert(
            tables.TARGETS,
            [
                # Younger than its outage; removed while it was down; a window on both sides.
                past.target("young", BEGAN + HOUR, tags=["t"]),
                past.target("gone", ZERO, tags=["t"]),
                past.target("gone", BEGAN + 90 * MINUTE, removed=1),
            ],
        )
        past.insert(
            tables.MAINTENANCE, [past.window("w", ["tag:t"], BEGAN + 30 * MINUTE, 45 * MINUTE)]
        )
        past.insert(
            tables.INCIDENTS,
            [
                *past.incident("y", "young", BEGAN, CLOSED),
                *past.incident("g", "gone", BEGAN, CLOSED),
            ],
        )
        past.reckon()
        found = ask(
            past.client,
            "SELECT target, watched_s, measured_s, down_s, maintenance_s, down_in_maintenance_s, "
            "uptime_percent, uptime_without_maintenance_percent "
            f"FROM uptime_daily WHERE day = '{day(ZERO)}' ORDER BY target",
        )
        assert found == [
            ("gone", 11.5 * 3_600, 5_400, 5_400, 2_700, 2_700, 0, 0),
            ("young", 13 * 3_600, 3_600, 3_600, 900, 900, 0, 0),
        ]


def test_what_is_in_the_window_counts_with_its_part(clickhouse: str) -> None:
    first, week = TODAY - 29 * DAY, TODAY - 6 * DAY
    with new_past(clickhouse) as past:
        past.insert(tables.TARGETS, [past.target(one, first - 9 * DAY) for one in ("a", "b")])
        past.insert(
            tables.INCIDENTS,
            [
                # Of 30 days: the last 10 min of two days, all of an hour, and the first 5 min of a
                # day of which the week has the rest; none of what ended with the day before.
                *past.incident("1", "a", first - 2 * DAY, first + 10 * MINUTE),
                *past.incident("2", "a", first + DAY, first + DAY + HOUR),
                *past.incident("3", "a", week - 5 * MINUTE, week + 25 * MINUTE),
                *past.incident("4", "a", week + 20 * MINUTE, week + 40 * MINUTE),
                *past.incident("5", "b", first - DAY, first),
                *past.incident("6", "b", first - 3 * DAY, first - 2 * DAY),
            ],
        )
        past.reckon()
        reliable = "SELECT target, down_s, outages, longest_s, mean_time_to_recover_s "
        flapping = "SELECT target, outages, down_s, median_s FROM flappers"
        for zone in ("UTC", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati"):
            there = {"session_timezone": zone}
            sql = f"{reliable} FROM least_reliable ORDER BY target"
            found = past.client.query(sql, settings=there).result_rows
            # 10 min, 60 min, 45 min of the two that overlap.
            assert found == [("a", 6_900, 4, 3_600, 6_900 / 4), ("b", 0, 0, 0, None)]
            found = past.client.query(flapping, settings=there).result_rows
            assert found == [("a", 2, 2_400, 1_200)]


def test_a_budget_names_what_it_is_of(clickhouse: str) -> None:
    with new_past(clickhouse) as past:
        past.insert(tables.TARGETS, [past.target("a", BEGAN, slo=50.0)])
        past.insert(tables.INCIDENTS, past.incident("1", "a", BEGAN, CLOSED))
        past.insert(tables.MAINTENANCE, [past.window("w", ["a"], BEGAN, 30 * MINUTE)])
        past.insert(tables.RESULTS, [past.result("a", "eu", CLOSED)])
        past.reckon()
        month = "SELECT uptime_percent, uptime_without_maintenance_percent FROM uptime_monthly"
        by_month = "SELECT uptime_without_maintenance_percent FROM error_budget_monthly"
        by_budget = "SELECT uptime_without_maintenance_percent FROM error_budget"
        # Of three hours two were down; of two and a half without the window one and a half.
        assert ask(past.client, f"{month} WHERE measured_s > 0") == [
            (pytest.approx(100 / 3), pytest.approx(40))
        ]
        assert ask(past.client, f"{by_month} WHERE budget_s > 0") == [(pytest.approx(40),)]
        assert ask(past.client, by_budget) == [(pytest.approx(40),)]
