"""`portquorum status`: how each region sees each target, by the rows that the sink wrote."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from foundation.clickhouse import connect, database, internal_database
from foundation.settings import Settings
from portquorum.bench.status import fill
from sinks.clickhouse.fleet_queries import FleetFilter, RegionNow, fleet_summary, targets_now
from sinks.clickhouse.incident_queries import IncidentFilter, find_incidents
from sinks.clickhouse.migrate import migrate
from tests.commands import Said, called
from tests.integration.sinks.clickhouse import rig

NOW = int(time.time() * 1000)
MINUTE = 60_000
HOUR = 60 * MINUTE
BLOCKED = {"status": "missed", "reason": "address_blocked", "connect_us": None}


class StartOffset:
    """A database with the tables; rows go in as the sink writes them."""

    def __init__(self, settings: Settings) -> None:
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
        times = ("version", "scheduled_at", "started_at", "appended_at", "first_failed_at")
        for name in (*times, "opened_at", "closed_at", "at"):
            if name in row:
                row[name] = f"{row[name] / 1000:.3f}"
        line = msgspec.json.encode(row | {"log_offset": self._offset}).decode()
        self.client.command(f"INSERT INTO {table} FORMAT JSONEachRow {line}")

    def regions(self) -> dict[tuple[str, str], RegionNow]:
        """Target and region → what it says."""
        _, ids = fleet_summary(self.client, FleetFilter(), 0)
        found = targets_now(self.client, sorted(target for target, _ in ids))
        return {(one.target, said.region): said for one in found for said in one.regions}

    def shown(self) -> dict[tuple[str, str], str]:
        """Target and region → status."""
        return {place: said.status for place, said in self.regions().items()}

    def status_of(self, target: str) -> tuple[str, bool]:
        """Status, and whether it was resolved by hand."""
        (found,) = targets_now(self.client, [target])
        return found.status, found.is_resolved

    def region_event(self, event: str, region: str, at: int, summary: str) -> None:
        self._insert(
            "region_events",
            {
                "event_id": f"{event}-{region}",
                "event": event,
                "region": region,
                "at": at,
                "summary": summary,
            },
        )

    def forget_newest(self) -> None:
        """As a version that had no table of the newest results left its database."""
        internal = f"`{internal_database(database(self.settings))}`"
        self.client.command(f"DROP VIEW {internal}.newest_results_mv SYNC")
        self.client.command(f"TRUNCATE TABLE {internal}.newest_results")
        self.client.command("DELETE FROM migrations WHERE version = 9")

    def one(self) -> RegionNow:
        (only,) = self.regions().values()
        return only

    def incident(self, incident_id: str, target: str, began: int, **changes: Any) -> None:
        """The newest event of an incident."""
        self._insert(
            "incidents",
            {
                "event_id": f"{incident_id}-{changes.get('event', 'opened')}",
                "event": "opened",
                "incident_id": incident_id,
                "incident_type": "unreachable",
                "severity": "critical",
                "target": target,
                "name": target,
                "kind": "tcp",
                "host": "db.example.com",
                "port": 5432,
                "verdicts": {"eu": "down"},
                "first_failed_at": began,
                "opened_at": began + 1_000,
                "at": changes.get("closed_at", began + 1_000),
                "summary": f"{target} is down",
            }
            | changes,
        )

    def command(self, *arguments: str) -> Said:
        """What the program says to somebody."""
        env = {"PORTQUORUM_CLICKHOUSE": self.settings.clickhouse, "COLUMNS": "200"}
        return called(Path.cwd(), env, *arguments)


@pytest.fixture(scope="module")
def tables(clickhouse: str) -> Settings:
    return rig.used_place(rig.NO_KAFKA, clickhouse, "status", for_file=True)


@pytest.fixture
def place(tables: Settings) -> Iterator[StartOffset]:
    there = StartOffset(tables)
    rig.empty(there.client, tables)
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
    eu, us = place.regions().values()
    assert (eu.region, eu.status, eu.reason, eu.detail) == ("eu", "down", "timed_out", "no answer")
    assert (eu.latency_ms, eu.checked_at) == (None, now - 10_000)
    assert (us.region, us.status, us.reason, us.latency_ms) == ("us", "up", None, 1.5)


def test_a_removed_target_is_gone_and_one_that_comes_back_is_there(place: StartOffset) -> None:
    place.target()
    place.target("web")
    place.result(int(time.time() * 1000))
    place.target(removed=1, regions=[], interval_ms=0, kind="", host="", port=0)
    assert place.shown() == {("web", "eu"): "pending"}
    place.target()
    assert place.shown() == {("db", "eu"): "up", ("web", "eu"): "pending"}


def test_what_never_reported_is_pending(place: StartOffset) -> None:
    place.target(regions=["eu", "us"])
    now = int(time.time() * 1000)
    place.result(now, region="us", status="missed", reason="prober_error", connect_us=None)
    place.result(now, region="old")
    eu, us = place.regions().values()
    assert (eu.region, eu.status, eu.reason, eu.checked_at) == ("eu", "pending", None, None)
    assert (us.region, us.status, us.latency_ms) == ("us", "pending", None)


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
    assert (one.status, one.checked_at) == (status, at)
    assert one.latency_ms == (1.5 if status == "up" else None)


def test_the_longest_interval_is_not_stale_within_the_look_back(place: StartOffset) -> None:
    place.target(interval_ms=24 * HOUR, timeout_ms=HOUR)
    place.result(int(time.time() * 1000) - 61 * HOUR + MINUTE)
    assert place.one().status == "up"


def test_a_prober_that_is_dead_for_days_leaves_stale_not_pending(place: StartOffset) -> None:
    place.target()
    at = int(time.time() * 1000) - 5 * 24 * HOUR
    place.result(at)
    one = place.one()
    assert (one.status, one.checked_at) == ("stale", at)
    place.target(host="other.example.com")
    assert place.one().status == "pending"
    place.target()
    assert place.one().status == "stale", "that is what was measured of it"


def test_an_older_result_that_comes_later_changes_nothing(place: StartOffset) -> None:
    place.target()
    now = int(time.time() * 1000)
    place.result(now - 10_000)
    down = {"status": "down", "reason": "timed_out", "connect_us": None}
    place.result(now - 70_000, **down, appended_at=now)  # a spool that is drained
    assert (place.one().status, place.one().checked_at) == ("up", now - 10_000)
    # Of one check the last attempt counts.
    place.result(now - 5_000, **down)
    place.result(now - 5_000, attempt=1)
    assert place.one().status == "up"


def test_a_clock_that_is_ahead_does_not_rule_for_ever(place: StartOffset) -> None:
    place.target()
    now = int(time.time() * 1000)
    place.result(now - 60_000, started_at=now + HOUR)  # history only: rules.md, 1
    assert place.one().status == "pending"
    place.result(now - 20_000, started_at=now - 6_000)
    one = place.one()
    assert (one.status, one.checked_at) == ("up", now - 20_000), "not later than the broker has it"
    down = {"status": "down", "reason": "timed_out", "connect_us": None}
    place.result(now - 10_000, **down)
    assert place.one().status == "down"


def test_an_older_installation_has_its_newest_results_at_once(place: StartOffset) -> None:
    place.target(regions=["eu", "us", "ap"])
    now = int(time.time() * 1000)
    long_ago = now - 5 * 24 * HOUR
    down = {"status": "down", "reason": "timed_out", "connect_us": None}
    place.result(now - 30_000)
    place.result(now - 10_000, **down, detail="no answer")
    place.result(now - 5_000, region="us", **BLOCKED)
    place.result(long_ago, region="ap")
    before = place.regions()
    place.forget_newest()
    assert set(place.shown().values()) == {"pending"}
    migrate(place.settings)
    after = place.regions()
    assert after["db", "ap"].checked_at == long_ago - long_ago % HOUR, "the roll-up knows the hour"
    ap = msgspec.structs.replace(after["db", "ap"], checked_at=long_ago)
    assert after | {("db", "ap"): ap} == before
    assert [one.status for one in after.values()] == ["down", "blocked", "stale"]
    migrate(place.settings)
    assert place.regions() == after


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
    assert (one.latency_ms, one.checked_at) == (None, now - 10_000)
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
    assert list(answer) == [
        "now",
        "trouble",
        "open_incidents",
        "incidents",
        "summary",
        "targets",
    ]
    (target,) = answer["targets"]
    assert [(r["region"], r["status"], r["checked_at"] is None) for r in target["regions"]] == [
        ("eu", "blocked", False),
        ("us", "pending", True),
    ]


WRONG: list[tuple[tuple[str, ...], str]] = [
    (
        ("nosuch",),
        (
            "no target has 'nosuch' as its id, or in its id, name or host; "
            "`portquorum status --all` lists them"
        ),
    ),
    (("--team", "nosuch", "--json"), "no team is 'nosuch'; there is database, web"),
    (("--region", "nosuch"), "no region is 'nosuch'; there is eu"),
    (("--tag", "nosuch"), "no tag is 'nosuch': no target has one"),
    (
        ("--status", "stale"),
        (
            "no status is 'stale'; there is down, flapping, unwatched, failing, late, slow, "
            "pending, paused, up"
        ),
    ),
    (
        ("db", "--team", "web"),
        (
            "no target of team web has 'db' as its id, or in its id, name or host; "
            "`portquorum status --all` lists them"
        ),
    ),
]


def test_a_filter_that_names_nothing_is_wrong_use(place: StartOffset) -> None:
    place.target(team="database", host="10.0.0.1")
    place.target("www", host="www.example.com", team="web")
    for asked, said in WRONG:
        done = place.command("status", *asked)
        assert (done.returncode, done.stdout) == (2, ""), asked
        assert done.stderr == f"portquorum: {said}\n"


def fleet(place: StartOffset) -> int:
    """Targets in each status; the time of their results."""
    now = int(time.time() * 1000)
    down = {"status": "down", "reason": "timed_out", "connect_us": None}
    for name, team, regions in (
        ("calm", "web", {"eu": "up", "us": "up"}),
        ("dead", "web", {"eu": "down", "us": "down"}),
        ("flaps", "web", {"eu": "up", "us": "up"}),
        ("fresh_failure", "database", {"eu": "down", "us": "down"}),
        ("half", "database", {"eu": "up", "us": "down"}),
        ("new", "database", {}),
        ("resolved", "", {"eu": "down", "us": "down"}),
        ("resolved_and_up", "", {"eu": "up", "us": "up"}),
        ("sluggish", "", {"eu": "up", "us": "up"}),
    ):
        # Nothing is stale before this machine has come to the end of a test.
        defined = {"interval_ms": 5 * MINUTE} | ({"appended_at": now} if name == "new" else {})
        place.target(
            name, name=f"The {name}", team=team, regions=["eu", "us"], tags=[name[0]], **defined
        )
        for region, status in regions.items():
            place.result(now, target=name, region=region, **(down if status == "down" else {}))
    place.incident("i1", "dead", now - 5 * MINUTE)
    place.incident("i2", "dead", now - 30 * 24 * HOUR, incident_type="expiring", severity="warning")
    place.incident("i3", "flaps", now - HOUR, incident_type="flapping", acknowledged_by="alice")
    place.incident("i4", "sluggish", now - HOUR, incident_type="slow", severity="warning")
    for number, name in enumerate(("resolved", "resolved_and_up"), 5):
        place.incident(f"i{number}", name, now - 2 * HOUR)
        place.incident(
            f"i{number}",
            name,
            now - 2 * HOUR,
            event="closed",
            closed_at=now - HOUR,
            closed_because="resolved",
        )
    return now


def test_how_each_target_is(place: StartOffset) -> None:
    now = fleet(place)
    place.target("blind", regions=["eu", "us"])
    summary, ids = fleet_summary(place.client, FleetFilter(), 0)
    assert ids == [
        ("dead", "down"),
        ("resolved", "down"),
        ("flaps", "flapping"),
        ("blind", "unwatched"),
        ("fresh_failure", "failing"),
        ("sluggish", "slow"),
        ("new", "pending"),
        ("calm", "up"),
        ("half", "up"),
        ("resolved_and_up", "up"),
    ]
    found = {one.target: one for one in targets_now(place.client, [name for name, _ in ids])}
    # From the first failure of the incident that decides, not of the oldest one.
    assert found["dead"].since == now - 5 * MINUTE
    assert (found["resolved"].since, found["resolved"].is_resolved) == (now - 2 * HOUR, True)
    assert [name for name, one in found.items() if one.is_resolved] == ["resolved"]
    assert found["flaps"].since == now - HOUR
    # What was said of it was said of the old place; of a removed one, of what was before.
    later = {"appended_at": now - 30 * MINUTE, "regions": ["eu", "us"]}
    place.target("resolved", **later, port=5433)
    for region in ("eu", "us"):
        place.result(
            now, target="resolved", region=region, port=5433, status="down", reason="timed_out"
        )
    assert place.status_of("resolved") == ("failing", False)
    place.target("resolved", **(later | {"appended_at": now - 29 * MINUTE}))
    assert place.status_of("resolved") == ("failing", False)
    assert found["calm"].since is found["fresh_failure"].since is None
    assert summary.by_status == {
        "down": 2,
        "flapping": 1,
        "unwatched": 1,
        "failing": 1,
        "slow": 1,
        "pending": 1,
        "up": 3,
    }
    assert summary.by_team["database"] == {"failing": 1, "pending": 1, "up": 1}
    assert summary.by_region == {
        "eu": {"down": 3, "pending": 2, "up": 5},
        "us": {"down": 4, "pending": 2, "up": 4},
    }
    assert summary.newest_result_at == now


FILTERS: list[tuple[FleetFilter, set[str]]] = [
    (FleetFilter(text="half"), {"half"}),
    (FleetFilter(text="RESOLVED"), {"resolved", "resolved_and_up"}),
    (FleetFilter(text="resolved"), {"resolved"}),  # an id is that target only
    (FleetFilter(text="The f"), {"flaps", "fresh_failure"}),
    (FleetFilter(text="db.example", teams=("web",)), {"calm", "dead", "flaps"}),
    (FleetFilter(teams=("web", "database"), tags=("f", "h")), {"flaps", "fresh_failure", "half"}),
    (FleetFilter(statuses=("down", "slow")), {"dead", "resolved", "sluggish"}),
    (
        FleetFilter(regions=("us",), statuses=("down",)),
        {"dead", "fresh_failure", "half", "resolved"},
    ),
    (FleetFilter(regions=("eu",), statuses=("down",)), {"dead", "fresh_failure", "resolved"}),
    (FleetFilter(regions=("eu",), statuses=("flapping",)), {"flaps"}),
    (FleetFilter(regions=("moon",)), set()),
    (FleetFilter(text="a'b\\"), set()),
]


def test_filters(place: StartOffset) -> None:
    fleet(place)
    for wanted, found in FILTERS:
        summary, ids = fleet_summary(place.client, wanted, 0)
        assert {name for name, _ in ids} == found, wanted
        assert len(ids) == summary.targets
        assert fleet_summary(place.client, wanted, 2)[1] == ids[:2]


def test_what_is_wrong_comes_first(place: StartOffset) -> None:
    now = fleet(place)
    place.region_event("region.silent", "us", now - MINUTE, "No prober of region us has reported.")
    place.region_event("region.suspect", "eu", now - 2 * MINUTE, "Region eu is set aside.")
    place.region_event("region.cleared", "eu", now - MINUTE, "Region eu counts again.")
    place.region_event("region.silent", "gone", now - MINUTE, "No prober of region gone.")
    done = place.command("status")
    assert (done.returncode, done.stderr) == (1, "")
    said = done.stdout
    assert (
        said.index("No prober of region us") < said.index("dead is down") < said.index("9 targets")
    )
    assert "Region eu" not in said
    assert "region gone" not in said
    assert "resolved by hand, still not reachable: 2 down: Connection timed out" in said
    assert "acknowledged by alice" in said
    answer = msgspec.json.decode(place.command("status", "--json").stdout)
    assert [(one["what"], one["region"]) for one in answer["trouble"]] == [("region_silent", "us")]
    # The worst first, what somebody takes care of last.
    assert [one["incident_id"] for one in answer["incidents"]] == ["i1", "i4", "i2", "i3"]
    quiet = place.command("status", "--team", "database")
    assert (quiet.returncode, "no incident is open" in quiet.stdout) == (0, True)


def test_results_that_stopped_are_said(place: StartOffset) -> None:
    now = int(time.time() * 1000)
    for number in range(30):
        place.target(f"t{number:02}", regions=["eu"])
        place.result(now - 45_000, target=f"t{number:02}")
    done = place.command("status")
    assert done.returncode == 0
    # 30 targets, each 30 s: a result a second.
    assert done.stdout.startswith("● The newest result is ")
    assert "portquorum health" in done.stdout
    place.result(int(time.time() * 1000) + MINUTE, target="t00")
    assert "The newest result is" not in place.command("status").stdout


def test_incidents_are_never_cut_in_silence(place: StartOffset) -> None:
    fleet(place)
    done = place.command("incidents", "--limit", "2")
    assert (done.returncode, done.stderr) == (1, "2 of 6 shown; --limit 0 shows all\n")
    done = place.command("incidents", "--limit", "0", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    newest_first = [one["incident_id"] for one in msgspec.json.decode(done.stdout)]
    assert newest_first[0] == "i1"
    assert newest_first[-1] == "i2"

    def ids(*asked: str) -> set[str]:
        told = place.command("incidents", "--json", *asked)
        return {one["incident_id"] for one in msgspec.json.decode(told.stdout)}

    assert ids("--open") == {"i1", "i2", "i3", "i4"}
    assert ids("--open", "--team", "web") == set()  # the incidents here have no team
    assert ids("--type", "slow", "--type", "expiring") == {"i2", "i4"}
    assert ids("--target", "resolved") == {"i5"}
    assert ids("--since", "30m", "--type", "unreachable") == {"i1"}
    done = place.command("incidents", "--type", "broken")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "portquorum: no type is 'broken'; there is unreachable, slow, flapping, expiring\n"
    )
    done = place.command("incidents", "--team", "nosuch")
    assert done.returncode == 2
    assert "no team is 'nosuch'; there is database, web" in done.stderr


def test_the_unwatched_are_named_by_what_they_matter(place: StartOffset) -> None:
    for name, matters, newest in (
        ("a_minor", "normal", NOW - HOUR // 2),
        ("b_major", "critical", NOW - HOUR // 2),
        ("c_seen", "critical", NOW + HOUR),  # fresh for as long as the test takes
    ):
        place.target(name, name=f"The {name}", criticality=matters, regions=["eu", "us"])
        place.result(max(NOW, newest), target=name)
        place.result(newest, target=name, region="us")
    _, ids = fleet_summary(place.client, FleetFilter(statuses=("unwatched",)), 0)
    assert [name for name, _ in ids] == ["b_major", "a_minor"]
    first, _ = targets_now(place.client, ["b_major", "a_minor"])
    assert first.since == NOW - HOUR // 2 + 78_000  # 2.5 × 30 s and the timeout
    said = place.command("status")
    assert "2 targets are unwatched" in said.stdout, said.stderr
    assert "why: portquorum explain b_major" in said.stdout
    assert "no incident is open" in said.stdout


def test_the_fleet_of_the_benchmark_is_what_it_says(place: StartOffset) -> None:
    fill(place.settings, 4_000)
    summary, _ = fleet_summary(place.client, FleetFilter(), 1)
    found = find_incidents(place.client, IncidentFilter(only_open=True), 0)
    assert summary.targets == 4_000
    assert found.open == summary.by_status["down"] > 0
    assert set(summary.by_status) <= {"down", "failing", "up"}
    assert all(sum(counts.values()) == 4_000 for counts in summary.by_region.values())
