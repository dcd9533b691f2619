"""The kind `heartbeat` of an inventory."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from portquorum.inventory import InventoryError, check, heartbeats
from portquorum.inventory.heartbeats import (
    OFFSETS_LEFT_MS,
    default_grace_ms,
    next_due,
    with_old_offsets,
    written_of,
)
from portquorum.inventory.lint import advice
from portquorum.inventory.plan import plan
from portquorum.inventory.present import Placed, Present
from portquorum.inventory.reach import reach
from portquorum.inventory.resolve import Inventory
from schemas.duration import DAY_MS, HOUR_MS
from schemas.probe import HeartbeatProbe, ZoneOffset
from schemas.target import Target

AT = round(datetime(2026, 11, 30, 19, tzinfo=UTC).timestamp() * 1000)
MINUTE = 60_000


def read(tmp_path: Path, text: str) -> Inventory:
    path = tmp_path / "jobs.yaml"
    path.write_text(text)
    return check([path])


def target(tmp_path: Path, fields: str, before: str = "") -> Target:
    text = f"{before}targets:\n  - {{name: Nightly, kind: heartbeat, {fields}}}\n"
    return read(tmp_path, text).targets[-1]


def probe(tmp_path: Path, fields: str, before: str = "") -> HeartbeatProbe:
    found = target(tmp_path, fields, before).probe
    assert isinstance(found, HeartbeatProbe)
    return found


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InventoryError) as error:
        read(tmp_path, text)
    return [f"{(one.where.path or ('',))[-1]}: {one.message}" for one in error.value.problems]


def test_a_job_has_no_host_and_is_of_the_region_of_receivers(tmp_path: Path) -> None:
    # Without a region: nobody checks it.
    found = target(tmp_path, "interval: 10m, tags: [a], depends_on: [nightly2]", OTHER)
    assert (found.id, found.host, found.port, found.regions) == (
        "nightly",
        None,
        None,
        ("receiver",),
    )
    assert (found.interval_ms, found.timeout_ms, found.retries) == (600_000, 1_000, 0)
    assert found.probe == HeartbeatProbe(interval_ms=600_000, grace_ms=MINUTE)
    assert (found.tags, found.depends_on, found.depends_on_hosts) == (("a",), ("nightly2",), ())


OTHER = """
defaults: {interval: 30s, retries: 5, latency: {max_ms: 5}, regions: [nowhere]}
regions: {nowhere: {}}
---
targets: [{id: nightly2, kind: heartbeat, interval: 366d}]
---
"""


@pytest.mark.parametrize(
    ("criticality", "interval_ms", "grace_ms"),
    [
        ("critical", 5 * MINUTE, MINUTE),
        ("important", HOUR_MS, 6 * MINUTE),
        ("normal", DAY_MS, HOUR_MS),
    ],
)
def test_the_interval_follows_from_the_criticality(
    tmp_path: Path, criticality: str, interval_ms: int, grace_ms: int
) -> None:
    # That of `defaults:` is one of checks.
    found = probe(tmp_path, f"criticality: {criticality}", "defaults: {interval: 30s}\n")
    assert (found.interval_ms, found.grace_ms) == (interval_ms, grace_ms)


@pytest.mark.parametrize(
    ("schedule", "grace_ms"),
    [
        ("0 3 * * *", HOUR_MS),
        ("*/5 * * * *", MINUTE),
        ("0 * * * *", 6 * MINUTE),
        ("0,30 3 * * *", 3 * MINUTE),
        ("0 0 29 2 *", HOUR_MS),
        ("@daily", HOUR_MS),
    ],
)
def test_grace_is_a_tenth_of_the_shortest_time_between_two(
    tmp_path: Path, schedule: str, grace_ms: int
) -> None:
    assert probe(tmp_path, f"schedule: '{schedule}'").grace_ms == grace_ms


def test_grace_has_bounds() -> None:
    assert default_grace_ms(1_000) == MINUTE
    assert default_grace_ms(2 * HOUR_MS) == 12 * MINUTE
    assert default_grace_ms(366 * DAY_MS) == HOUR_MS


def test_a_schedule_has_the_offsets_of_its_zone(tmp_path: Path) -> None:
    found = probe(tmp_path, "schedule: 0 3 * * *, zone: Europe/Berlin, grace: 2h, max_runtime: 1h")
    assert (found.grace_ms, found.max_runtime_ms) == (2 * HOUR_MS, HOUR_MS)
    assert {one.seconds for one in found.offsets} == {3600, 7200}
    assert len(found.offsets) in {10, 11}
    assert probe(tmp_path, "schedule: 0 3 * * *").offsets == (ZoneOffset(at=0, seconds=0),)
    of_all = probe(tmp_path, "schedule: 0 3 * * *", "defaults: {zone: Asia/Tokyo}\n")
    assert (of_all.zone, of_all.offsets) == ("Asia/Tokyo", (ZoneOffset(at=0, seconds=32_400),))


REFUSED = {
    "host": "x",
    "port": "1",
    "regions": "[a]",
    "retries": "1",
    "retry_delay": "1s",
    "consensus": "quorum",
    "timeout": "3s",
    "open_after": "1s",
    "recover_after": "2",
    "abandon_after": "1m",
    "latency": "{max_ms: 3}",
    "max_ms": "3",
    "expect": "closed",
    "resolver": "1.1.1.1",
    "probe": "{}",
}


@pytest.mark.parametrize("field", REFUSED)
def test_fields_of_checks_are_refused_each_with_a_sentence(tmp_path: Path, field: str) -> None:
    text = (
        "regions: {a: {}}\n"
        f"targets: [{{name: n, kind: heartbeat, interval: 1d, {field}: {REFUSED[field]}}}]\n"
    )
    (found,) = problems(tmp_path, text)
    assert found.startswith(f"{field}: expected none (a heartbeat")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("name: n, interval: 1d, schedule: 0 3 * * *", "schedule: expected an interval or a sch"),
        ("name: n, schedule: 0 3 * *", "schedule: a schedule has five fields"),
        ("name: n, schedule: 0 3 30 2 *", "schedule: no month that the schedule names"),
        ("name: n, schedule: 0 3 * * *, zone: Mars/X", "zone: expected a zone of the IANA"),
        ("name: n, schedule: 5", "schedule: a schedule has five fields"),
        ("name: n, zone: UTC", "zone: expected none without a schedule"),
        ("name: n, grace: 0s", "grace: expected 1s to 31d, found 0s"),
        ("name: n, grace: soon", "grace: expected a duration"),
        ("name: n, max_runtime: 32d", "max_runtime: expected 1s to 31d, found 32d"),
        ("name: n, interval: 367d", "interval: expected 1s to 366d, found 367d"),
        ("interval: 1d", "name: expected a name or an id of a heartbeat, found neither"),
        ("name: ☃, interval: 1d", "name: expected an `id:`, since none can be made"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, fields: str, words: str) -> None:
    (found,) = problems(tmp_path, f"targets: [{{kind: heartbeat, {fields}}}]\n")
    assert found.startswith(words)


def test_only_jobs_have_the_fields_of_jobs(tmp_path: Path) -> None:
    text = "regions: {a: {}}\ntargets: [{host: h, port: 1, schedule: 0 3 * * *, grace: 1m}]\n"
    found = problems(tmp_path, text)
    assert found == [
        f"{field}: expected it of kind heartbeat alone, found it of 'tcp'"
        for field in ("schedule", "grace")
    ]


def test_names_of_other_monitors_lead_to_it(tmp_path: Path) -> None:
    found = problems(tmp_path, "regions: {a: {}}\ntargets: [{host: h, kind: push}]\n")
    assert found == ["kind: expected a kind that can be checked (heartbeat), found 'push'"]


def test_an_unquoted_schedule_that_begins_with_a_star_is_explained(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "targets:\n- {name: n, kind: heartbeat, schedule: */5 * * * *}\n")
    assert "a text that begins with * needs quotes" in found


def test_no_region_is_called_receiver(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "regions: {receiver: {}}\n")
    assert found.startswith("receiver: expected another name")
    (found,) = problems(
        tmp_path, "regions: {a: {}}\ntargets: [{host: h, port: 1, regions: [receiver]}]\n"
    )
    assert "expected a region that is defined (a)" in found
    # But routes may name it: that nobody listens is told, too.
    read(tmp_path, "routes: {r: {urls: ['json://h'], regions: [receiver]}}\n")


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_when_the_next_report_is_due(tmp_path: Path) -> None:
    nightly = probe(tmp_path, "schedule: 0 3 * * *")
    assert next_due(nightly, at("2026-12-01T02:00")) == at("2026-12-01T03:00")
    # Its clock is a little ahead: this is the run of 3:00.
    assert next_due(nightly, at("2026-12-01T02:59:30")) == at("2026-12-02T03:00")
    assert next_due(nightly, at("2026-12-01T02:59:00")) == at("2026-12-02T03:00")
    assert next_due(nightly, at("2026-12-01T02:58:59")) == at("2026-12-01T03:00")
    minutely = probe(tmp_path, "schedule: '* * * * *'")
    assert next_due(minutely, at("2026-12-01T02:59:40")) == at("2026-12-01T03:00")
    assert next_due(minutely, at("2026-12-01T02:59:50")) == at("2026-12-01T03:01")
    assert next_due(probe(tmp_path, "interval: 90s"), AT) == AT + 90_000


def test_what_it_says_can_be_written_again(tmp_path: Path) -> None:
    for fields in (
        "interval: 90s, grace: 5s, max_runtime: 2h",
        "schedule: '*/5 * * * *', zone: Europe/Berlin, grace: 5s",
    ):
        found = probe(tmp_path, fields)
        again = written_of(found)
        pairs = ", ".join(f"{name}: '{value}'" for name, value in again.items())
        assert probe(tmp_path, pairs) == found


# --- offsets, from one day to the next

BERLIN = "targets: [{name: n, kind: heartbeat, schedule: 0 3 * * *, zone: Europe/Berlin}]\n"


def of_day(tmp_path: Path, day: int, text: str = BERLIN) -> Inventory:
    """As it is read so many days after AT."""
    path = tmp_path / "of_day.yaml"
    path.write_text(text)
    inventory = check([path])
    moved = []
    for one in inventory.targets:
        assert isinstance(one.probe, HeartbeatProbe)
        at_that_day = heartbeats._offsets(one.probe.zone, (AT + day * DAY_MS) // DAY_MS)
        moved.append(structs.replace(one, probe=structs.replace(one.probe, offsets=at_that_day)))
    return structs.replace(inventory, targets=tuple(moved))


def present(inventory: Inventory) -> Present:
    return Present(tuple(Placed(one, 0) for one in inventory.targets), {})


@pytest.mark.parametrize("days", [0, 1, 100, 300, 700, 1_000])
def test_a_file_that_is_the_same_changes_nothing_for_years(tmp_path: Path, days: int) -> None:
    before = of_day(tmp_path, 0)
    found = plan(of_day(tmp_path, days), present(before), 1, AT + days * DAY_MS)
    assert (found.unchanged, found.changed) == (1, ())


def test_offsets_are_written_anew_when_less_than_two_years_are_left(tmp_path: Path) -> None:
    days = (heartbeats.OFFSETS_MS - OFFSETS_LEFT_MS) // DAY_MS + 220
    now = AT + days * DAY_MS
    wanted = of_day(tmp_path, days)
    found = plan(wanted, present(of_day(tmp_path, 0)), 1, now)
    (changed,) = found.changed
    assert changed.probe == wanted.targets[0].probe
    # And then it is the same again.
    after = Present((Placed(changed, 0),), {})
    assert plan(of_day(tmp_path, days + 1), after, 1, now + DAY_MS).unchanged == 1


def test_offsets_are_written_anew_when_the_zone_has_others(tmp_path: Path) -> None:
    before = of_day(tmp_path, 0).targets[0]
    assert isinstance(before.probe, HeartbeatProbe)
    # As if an older database had known of one change less.
    old = structs.replace(
        before,
        probe=structs.replace(before.probe, offsets=before.probe.offsets[:1]),
    )
    assert with_old_offsets(before, old, AT) == before
    later = of_day(tmp_path, 1).targets[0]
    assert with_old_offsets(later, before, AT + DAY_MS) == before
    other = of_day(tmp_path, 1, BERLIN.replace("Berlin", "London")).targets[0]
    assert with_old_offsets(other, before, AT + DAY_MS) == other


def test_another_schedule_keeps_the_offsets(tmp_path: Path) -> None:
    before = of_day(tmp_path, 0).targets[0]
    later = of_day(tmp_path, 200, BERLIN.replace("0 3 *", "0 4 *")).targets[0]
    kept = with_old_offsets(later, before, AT + 200 * DAY_MS).probe
    assert isinstance(kept, HeartbeatProbe)
    assert isinstance(before.probe, HeartbeatProbe)
    assert kept.schedule == "0 4 * * *"
    assert kept.offsets == before.probe.offsets


# --- what others say of it


def test_no_advice_of_checks_is_given_on_it(tmp_path: Path) -> None:
    text = "targets: [{name: n, kind: heartbeat, interval: 1s, purpose: p}]\n"
    assert [one.rule for one in advice(read(tmp_path, text).targets)] == ["team"]


def test_whom_it_reaches_is_said_and_who_learns_that_nobody_listens(tmp_path: Path) -> None:
    text = "routes: {r: {urls: ['json://h'], kinds: [tcp]}}\n" + BERLIN
    found = [one.message for one in reach(read(tmp_path, text), AT)]
    assert any("1 normal target (n) reaches nobody" in one for one in found)
    assert any("what befalls regions: receiver reaches nobody" in one for one in found)


def test_a_definition_survives_its_record(tmp_path: Path) -> None:
    found = target(tmp_path, "schedule: 0 3 * * *, zone: Europe/Berlin")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Target) == found
