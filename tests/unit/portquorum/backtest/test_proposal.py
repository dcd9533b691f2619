"""Policy files: what they may say, which of it history can judge, and what is said of the rest."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from portquorum.backtest import proposal
from portquorum.backtest.proposal import Proposal, filtered
from portquorum.inventory.errors import InventoryError
from schemas.target import LatencyLimit, Target


def target(target_id: str, **changes: object) -> Target:
    values: dict[str, object] = {
        "id": target_id,
        "name": target_id,
        "kind": "tcp",
        "host": f"{target_id}.example.com",
        "port": 5432,
        "regions": ("eu", "us", "ap"),
        "interval_ms": 60_000,
        "timeout_ms": 3_000,
        "version": 1,
        "source": "fleet",
    }
    return Target(**(values | changes))  # type: ignore[arg-type]


FLEET = {
    "db": target("db", team="database", tags=("prod", "core")),
    "web": target("web", tags=("prod",)),
    "lab": target("lab"),
}


def read(tmp_path: Path, text: str, present: dict[str, Target] = FLEET) -> Proposal:
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    return proposal.read(file, present, present.keys())


def test_the_more_special_section_goes_before_the_more_general(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        targets: [{id: db, retries: 5}]
        tags: {prod: {retries: 4, consensus: unanimous}, core: {consensus: 0.9}}
        teams: {database: {retries: 3, open_after: 90s}}
        defaults: {retries: 2, recover_after: 2, latency: {max_ms: 80, for: 5}}
        """,
    ).targets
    assert [found[one].retries for one in ("db", "web", "lab")] == [5, 4, 2]
    assert [found[one].consensus for one in ("db", "web", "lab")] == [0.9, "unanimous", "quorum"]
    assert [found[one].open_after_ms for one in ("db", "web", "lab")] == [90_000, 0, 0]
    assert {one.recover_after for one in found.values()} == {2}
    assert found["lab"].latency == LatencyLimit(max_ms=80, for_results=5)


def test_what_changes_is_said_with_the_number_of_targets(tmp_path: Path) -> None:
    found = read(tmp_path, "defaults: {recover_after: 2}\ntags: {prod: {regions: [eu, us]}}")
    assert found.changes == [
        "recover_after 1 → 2 (3 targets)",
        "regions eu, us, ap → eu, us (2 targets)",
    ]
    assert found.notes == []
    assert found.targets["db"].regions == ("eu", "us")


def test_more_retries_than_were_made_are_a_bound_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, "tags: {prod: {retries: 3}}")
    assert found.notes[0].startswith("2 targets would be tried more often than it was")
    assert read(tmp_path, "defaults: {retries: 0}").notes == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("defaults: {interval: 10s}", "no such field; there are retries, retry_delay"),
        ("defaults: {retries: many}", "expected a whole number"),
        ("defaults: {latency: {for: 5}}", "latency: expected max_ms, times_usual or both"),
        ("tags: {nothing: {retries: 2}}", "no target has the tag 'nothing'"),
        ("teams: {nobody: {retries: 2}}", "no target has the team 'nobody'"),
        ("targets: [{id: x, retries: 2}]", "no target has the id 'x'"),
        ("targets: [{retries: 2}]", "expected an `id:`"),
        ("defaults: {regions: [mars]}", "expected a region that has checked 'db'"),
        ("routes: {a: {}}", "expected one of defaults, teams, tags, targets"),
        ("", "expected one of defaults, teams, tags, targets, found none"),
        ("- 1", "expected defaults, teams, tags, targets"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InventoryError) as caught:
        read(tmp_path, text)
    assert problem in str(caught.value)
    assert "policy.yaml" in str(caught.value)


INVENTORY = """
regions: {eu: {}, us: {}, mars: {}}
defaults: {interval: 30s, consensus: unanimous}
targets:
  - {id: db, host: db.example.com, port: 5432}
  - {id: web, host: other.example.com, port: 5432, regions: [eu, us]}
  - {id: fresh, host: fresh.example.com, port: 1}
"""


def test_an_inventory_is_judged_as_if_it_were_applied(tmp_path: Path) -> None:
    other = target("mail", source="elsewhere")
    found = read(tmp_path, INVENTORY, FLEET | {"mail": other})
    assert sorted(found.targets) == ["db", "mail", "web"]
    assert found.targets["mail"] == other
    expected = replace(FLEET["db"], consensus="unanimous", regions=("eu", "us"))
    assert found.targets["db"] == expected
    assert found.targets["web"].host == "web.example.com"
    assert found.changes == [
        "consensus quorum → unanimous (2 targets)",
        "regions eu, us, ap → eu, us (2 targets)",
        "no longer watched (1 target)",
    ]
    assert found.notes == [
        "2 targets would have another interval: kept as it was measured",
        "1 target would have more regions: only those that have checked it count",
        "1 target would have another host: kept as it was measured",
        "1 target is new: nobody has checked it yet",
    ]


def test_a_wrong_inventory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="expected a port"):
        read(tmp_path, "targets: [{id: db, host: db.example.com}]")


def test_filters_leave_what_fits_all_of_them() -> None:
    fleet = FLEET.values()
    assert filtered(fleet) == FLEET
    assert list(filtered(fleet, tags=["prod"])) == ["db", "web"]
    assert list(filtered(fleet, tags=["prod"], teams=["database"])) == ["db"]
    assert list(filtered(fleet, ids=["lab", "web"], tags=["prod"])) == ["web"]
    assert filtered(fleet, ids=["lab"], teams=["database"]) == {}


def test_only_the_chosen_targets_are_told_of(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("defaults: {recover_after: 2}")
    found = proposal.read(file, FLEET, {"db"})
    assert found.changes == ["recover_after 1 → 2 (1 target)"]
    assert list(found.targets) == ["db"]
