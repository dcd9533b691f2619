"""What is said to follow when a field changes is what the rules, probers and the notifier do."""

from pathlib import Path
from typing import Final

import pytest
from msgspec import structs

from portquorum.inventory import check, document
from portquorum.inventory.reference.changes import EFFECTS
from portquorum.inventory.reference.fact import Fact
from portquorum.inventory.reference.facts import FACTS, facts_of
from portquorum.inventory.reference.page import page
from producers.checks.model import CheckOutcome
from producers.schedule.scheduler import Scheduler
from schemas.control import TargetRemoved, TargetSet
from schemas.incident import IncidentEvent
from schemas.probe import TlsProbe
from schemas.target import Target
from streams.state.windows import Window
from tests.unit.streams.rules.fleet import Fleet, target

BASE: Final = """\
regions: {eu: {}, us: {}, ap: {}}
teams: {database: {slo: 99, downtime_cost_per_hour: 5}}
targets:
  - {id: core-switch, host: sw.example.com, port: 22}
"""
OF_CHECKED: Final = [
    (name, known)
    for name, known in facts_of(document.FileTargetEntry).items()
    if known.change not in {"section", "job_clock", "job_deadline"}
]
VALUES: Final = {"probe": "{tls: starttls}", "host": "other.example.com", "port": "1"}
"""Values other than those of the base, where the example is not."""


def loaded(folder: Path, version: int, **fields: str) -> Target:
    """A target of the inventory as it is published."""
    base = {"id": "a", "kind": "smtp", "host": "a.example.com", "port": "2525", "interval": "2m"}
    written = {**base, "retries": "0", **fields}
    line = ", ".join(f"{name}: {value}" for name, value in written.items())
    (folder / "inventory.yaml").write_text(f"{BASE}  - {{{line}}}\n")
    return structs.replace(check([folder]).targets[-1], version=version)


@pytest.mark.parametrize(("name", "known"), OF_CHECKED, ids=lambda one: str(one)[:20])
def test_a_target_with_an_open_incident(tmp_path: Path, name: str, known: Fact) -> None:
    kind = {"kind": "tcp"} if name == "expect" else {}
    before = loaded(tmp_path, 1, **kind)
    after = loaded(tmp_path, 2, **kind, **{name: VALUES.get(name, known.example)})
    assert after != structs.replace(before, version=2), "the example changes nothing"
    fleet = Fleet(before)
    fleet.wait(1_000)
    fleet.append([fleet.result(region, "timed_out", of="a") for region in before.regions])
    assert [one.incident_type for one in fleet.state.targets["a"].incidents] == ["unreachable"]
    windows = fleet.windows("a")
    seen = len(fleet.events)
    fleet.wait(1_000)
    if known.change == "another_target":
        fleet.control(TargetRemoved(target="a", version=2))
    else:
        fleet.control(TargetSet(after))
    told = [event.closed_because for event in events(fleet, seen) if event.event == "closed"]
    effect = EFFECTS[known.change]
    assert told == ([effect.closes] if effect.closes else [])
    entry = fleet.state.targets.get("a")
    if effect.forgets:
        assert entry is None or fleet.windows("a") == [None] * len(after.regions)
    elif known.change == "regions":
        kept = [place for place, region in enumerate(before.regions) if region in after.regions]
        assert [one is not None for one in fleet.windows("a")] == [True] * len(kept)
    elif known.change == "pace":
        assert [as_seen(one) for one in fleet.windows("a")] == [as_seen(one) for one in windows]
    else:
        assert fleet.windows("a") == windows
    if known.change in {"words", "dependencies", "criticality"}:
        severity = entry.incidents[0].severity if entry else None
        assert severity == "warning", "as it opened"
        fleet.control(TargetRemoved(target="a", version=3))
        if name in IncidentEvent.__struct_fields__:
            assert getattr(fleet.events[-1], name) == getattr(after, name)


def as_seen(window: Window | None) -> Window | None:
    """A window without what another pace changes."""
    return None if window is None else structs.replace(window, fresh_until=0)


def events(fleet: Fleet, since: int) -> list[IncidentEvent]:
    return [one for one in fleet.events[since:] if isinstance(one, IncidentEvent)]


@pytest.mark.parametrize(("name", "known"), OF_CHECKED, ids=lambda one: str(one)[:20])
def test_a_changed_target_is_checked_at_once(tmp_path: Path, name: str, known: Fact) -> None:
    kind = {"kind": "tcp"} if name == "expect" else {}
    before, now = loaded(tmp_path, 1, **kind), 1_000_000.0
    scheduler = Scheduler("eu")
    scheduler.set_targets([before], now)
    (first,), _ = scheduler.due(now, 10)
    scheduler.done(first, CheckOutcome(status="up", reason=None, started_at=0), now + 5)
    scheduler.set_targets([structs.replace(before)], now + 6)
    assert (scheduler.next_due_ms() or 0) > now + 6, "the same definition changes nothing"
    now += 10
    after = loaded(tmp_path, 2, **kind, **{name: VALUES.get(name, known.example)})
    scheduler.set_targets([after], now)
    due = scheduler.next_due_ms()
    assert due is not None
    assert due <= now, "at once, also what is not enabled: its prober leaves it out elsewhere"


@pytest.mark.parametrize("days", [0, 5])
def test_fewer_days_of_warning_end_what_is_told_of_a_certificate(days: int) -> None:
    day = 86_400_000
    fleet = Fleet(target(kind="tls", probe=TlsProbe(warn_days=30), retries=0))
    for _ in range(2):
        fleet.wait(1_000)
        ends = fleet.now + 20 * day
        fleet.append([fleet.result(region, cert_expires_at=ends) for region in "abc"])
    assert [one.incident_type for one in fleet.state.targets["db"].incidents] == ["expiring"]
    seen = len(fleet.events)
    fleet.control(
        TargetSet(target(kind="tls", probe=TlsProbe(warn_days=days), retries=0, version=2))
    )
    assert [one.closed_because for one in events(fleet, seen)] == ["policy_changed"]
    seen = len(fleet.events)
    fleet.control(TargetSet(target(kind="tls", probe=TlsProbe(), retries=0, version=3)))
    assert events(fleet, seen) == []


def test_every_change_is_used_and_explained() -> None:
    used = {known.change for facts in FACTS.values() for known in facts.values()}
    assert used == set(EFFECTS)
    titles = [effect.title for effect in EFFECTS.values()]
    assert len(set(titles)) == len(titles)
    assert all(f"| **{title}** |" in page() for title in titles)
