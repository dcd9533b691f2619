"""`portquorum status`: how each region sees each target, by the rows that the sink wrote."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from foundation.clickhouse import connect
from foundation.settings import Settings
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.queries import LOOK_BACK_H, TargetStatus, blind_targets, target_status
from tests.integration.sinks.clickhouse import rig

NOW = int(time.time() * 1000)
MINUTE = 60_000
HOUR = 60 * MINUTE
BLOCKED = {"status": "missed", "reason": "address_blocked", "connect_us": None}


class StartOffset:
    """A database with the tables; rows go in as the sink writes them."""

    def __init__(self, settings: Settings) -> None:
        migrate(settings)
        self.settings = settings
        self.client: Client = connect(settings)
        self._offset = 0

    def target(self, target: str = "db", **changes: Any) -> None:
        self._insert(
            "targets",
            {
                "target": target,
                "removed": 0,
                "version": NOW - 30 * 24 * HOUR,
                "kind": "tcp",
                "host": "db.example.com",
                "port": 5432,
                "regions": ["eu"],
                "interval_ms": 30_000,
                "timeout_ms": 3_000,
            }
            | changes,
        )

    def result(self, at: int, **changes: Any) -> None:
        self._insert(
            "results",
            {
                "target": "db",
                "kind": "tcp",
                "host": "db.example.com",
                "port": 5432,
                "region": "eu",
                "prober": "p1",
                "scheduled_at": at,
                "started_at": at,
                "status": "up",
                "reason": "",
                "connect_us": 1_500,
                "appended_at": at,
            }
            | changes,
        )

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        self._offset += 1
        row = {"appended_at": NOW - HOUR + self._offset} | row
        for name in ("version", "scheduled_at", "started_at", "appended_at"):
            if name in row:
                row[name] = f"{row[name] / 1000:.3f}"
        line = msgspec.json.encode(row | {"log_offset": self._offset}).decode()
        self.client.command(f"INSERT INTO {table} FORMAT JSONEachRow {line}")

    def shown(self, target: str | None = None) -> dict[tuple[str, str], str]:
        """Target and region → status."""
        found = target_status(self.client, target)
        return {(one.target, one.region): one.status for one in found}

    def one(self) -> TargetStatus:
        (only,) = target_status(self.client)
        return only

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What the program says to somebody."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PORTQUORUM_")}
        return subprocess.run(
            [sys.executable, "-m", "portquorum.cli", *arguments],
            env=clean | {"PORTQUORUM_CLICKHOUSE": self.settings.clickhouse, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def place(clickhouse: str) -> Iterator[StartOffset]:
    there = StartOffset(rig.place("127.0.0.1:1", clickhouse, "status"))
    yield there
    there.client.close()


def test_the_newest_counted_result_is_shown(place: StartOffset) -> None:
    place.target(regions=["eu", "us"])
    now = int(time.time() * 1000)
    place.result(now - 20_000)
    down = {"status": "down", "reason": "timed_out", "connect_us": None}
    place.result(now - 10_000, **down, detail="no answer")
    place.result(now - 5_000, status="missed", reason="prober_error", connect_us=None)
    place.result(now - 10_000, region="us")
    eu, us = target_status(place.client)
    assert (eu.region, eu.status, eu.reason, eu.detail) == ("eu", "down", "timed_out", "no answer")
    assert (eu.connect_ms, eu.started_at) == (None, now - 10_000)
    assert (us.region, us.status, us.reason, us.connect_ms) == ("us", "up", None, 1.5)
    assert (us.kind, us.host, us.port) == ("tcp", "db.example.com", 5432)


def test_a_removed_target_is_gone_and_one_that_comes_back_is_there(place: StartOffset) -> None:
    place.target()
    place.target("web")
    place.result(int(time.time() * 1000))
    place.target(removed=1, regions=[], interval_ms=0, kind="", host="", port=0)
    assert place.shown() == {("web", "eu"): "pending"}
    assert place.shown("db") == {}
    place.target()
    assert place.shown() == {("db", "eu"): "up", ("web", "eu"): "pending"}


def test_what_never_reported_is_pending(place: StartOffset) -> None:
    place.target(regions=["eu", "us"])
    now = int(time.time() * 1000)
    place.result(now, region="us", status="missed", reason="prober_error", connect_us=None)
    place.result(now, region="old")
    eu, us = target_status(place.client)
    assert (eu.region, eu.status, eu.reason, eu.started_at) == ("eu", "pending", None, None)
    assert (us.region, us.status, us.connect_ms) == ("us", "pending", None)


def test_results_about_another_host_or_port_say_nothing(place: StartOffset) -> None:
    place.target(version=NOW - HOUR)  # the roll-up of this hour is after it
    place.result(int(time.time() * 1000), host="before.example.com")
    place.result(int(time.time() * 1000), port=5433)
    assert place.one().status == "pending"


@pytest.mark.parametrize(
    ("age_ms", "status"), [(70_000, "up"), (85_000, "stale"), (61 * HOUR, "stale")]
)
def test_stale_after_two_and_a_half_intervals_and_the_timeout(
    place: StartOffset, age_ms: int, status: str
) -> None:
    # 2.5 x 30 s + 3 s = 78 s
    place.target()
    at = int(time.time() * 1000) - age_ms
    place.result(at)
    one = place.one()
    assert (one.status, one.started_at) == (status, at)
    assert one.connect_ms == (1.5 if status == "up" else None)


def test_the_longest_interval_is_not_stale_within_the_look_back(place: StartOffset) -> None:
    place.target(interval_ms=24 * HOUR, timeout_ms=HOUR)
    place.result(int(time.time() * 1000) - 61 * HOUR + MINUTE)
    assert place.one().status == "up"


def test_a_prober_that_is_dead_for_days_leaves_stale_not_pending(place: StartOffset) -> None:
    place.target()
    at = int(time.time() * 1000) - (LOOK_BACK_H + 48) * HOUR
    place.result(at)
    one = place.one()
    assert (one.status, one.started_at) == ("stale", at - at % HOUR)
    place.target(version=NOW - HOUR)
    assert place.one().status == "pending"


def test_a_region_that_may_not_reach_the_address_is_blocked(place: StartOffset) -> None:
    place.target()
    now = int(time.time() * 1000)
    place.result(now - 10_000, **BLOCKED, detail="10.0.0.5 is private")
    one = place.one()
    assert (one.status, one.reason, one.detail) == (
        "blocked",
        "address_blocked",
        "10.0.0.5 is private",
    )
    assert (one.connect_ms, one.started_at) == (None, now - 10_000)
    # Once it is allowed, what is measured counts.
    place.result(now)
    assert place.one().status == "up"


def test_a_policy_that_came_later_blocks(place: StartOffset) -> None:
    place.target()
    now = int(time.time() * 1000)
    place.result(now - 5 * MINUTE)
    place.result(now - 10_000, **BLOCKED)
    assert place.one().status == "blocked"


def test_the_command_says_it_in_words(place: StartOffset) -> None:
    done = place.command("status")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no target yet" in done.stdout
    place.target(regions=["eu", "us"])
    place.result(int(time.time() * 1000), **BLOCKED)
    done = place.command("status")
    assert (done.returncode, done.stderr) == (0, "")
    shown = " ".join(done.stdout.split())
    assert (
        "blocked Address blocked by policy (add internal: true to the region if it may reach "
        "private addresses)"
    ) in shown
    assert "pending" in shown
    done = place.command("status", "db", "--json")
    answer = msgspec.json.decode(done.stdout)
    assert [(t["region"], t["status"], t["started_at"] is None) for t in answer["targets"]] == [
        ("eu", "blocked", False),
        ("us", "pending", True),
    ]


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_an_unknown_target_is_wrong_use(place: StartOffset, more: tuple[str, ...]) -> None:
    place.target()
    done = place.command("status", "nosuch", *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "portquorum: no target has the id 'nosuch'; `portquorum status` lists them\n"
    )


def test_the_unwatched_are_named_by_what_they_matter(place: StartOffset) -> None:
    for name, matters, newest in (
        ("a_minor", "normal", NOW - HOUR // 2),
        ("b_major", "critical", NOW - HOUR // 2),
        ("c_seen", "critical", NOW + HOUR),  # fresh for as long as the test takes
    ):
        place.target(name, name=f"The {name}", criticality=matters, regions=["eu", "us"])
        place.result(max(NOW, newest), target=name)
        place.result(newest, target=name, region="us")
    found = blind_targets(place.client)
    assert [(one.target, one.name) for one in found] == [
        ("b_major", "The b_major"),
        ("a_minor", "The a_minor"),
    ]
    assert found[0].since == NOW - HOUR // 2 + 78_000  # 2.5 × 30 s and the timeout
    assert [one.target for one in blind_targets(place.client, "a_minor")] == ["a_minor"]
    said = place.command("status")
    assert "2 targets are unwatched" in said.stdout, said.stderr
    assert "no incident is open" in said.stdout
    told = msgspec.json.decode(place.command("status", "--json").stdout)
    assert [one["target"] for one in told["unwatched"]] == ["b_major", "a_minor"]
