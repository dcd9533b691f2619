from pathlib import Path

import msgspec

from portquorum.inventory import check
from portquorum.supervisor import Stage, fleet, running
from portquorum.supervisor.running import Running
from portquorum.supervisor.sample import sample_inventory
from schemas.policy import Region, Team

ENV = {"PORTQUORUM_KAFKA": "127.0.0.1:1"}


def test_one_prober_a_region_from_its_source() -> None:
    policy = (Region(name="a"), Team(name="t"), Region(name="b", source="127.0.0.2"))
    a, b = fleet.prober_roles(policy, ENV)
    assert a.name == "probe a"
    assert a.argv[-3:] == ("probe", "--region", "a")
    assert b.argv[-2:] == ("--source", "127.0.0.2")
    assert a.stage is Stage.PROBERS
    assert a.env == ENV


def test_changes_stop_what_went_and_restart_what_changed() -> None:
    have = fleet.prober_roles((Region(name="a"), Region(name="b"), Region(name="c")), ENV)
    want = fleet.prober_roles((Region(name="a"), Region(name="b", source="::1")), ENV)
    stop, start = fleet.changes(have, want)
    assert stop == ["probe b", "probe c"]
    assert [role.name for role in start] == ["probe b"]
    assert fleet.changes(have, have) == ([], [])


def test_the_sample_is_a_valid_inventory(tmp_path: Path) -> None:
    file = tmp_path / "inventory.yaml"
    file.write_text(sample_inventory("127.0.0.1:9092", "[::1]:8123"), encoding="utf-8")
    inventory = check([file])
    assert [target.place for target in inventory.targets] == ["127.0.0.1:9092", "[::1]:8123"]
    assert {region for target in inventory.targets for region in target.regions} == {"local"}


def test_the_inventory_of_the_last_up_is_found(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    assert running.inventory_file(tmp_path).name == "inventory.yaml"
    file.touch()
    mine = Running(pid=1, inventory=str(file), kafka="k:1", clickhouse="c:1")
    running.write(tmp_path, mine)
    assert running.inventory_file(tmp_path) == file
    assert running.following(tmp_path, file)
    assert not running.following(tmp_path, tmp_path / "other.yaml")
    file.unlink()
    assert running.inventory_file(tmp_path).name == "inventory.yaml"
    (tmp_path / running.FILE).write_bytes(msgspec.json.encode({"pid": "?"}))
    assert running.read(tmp_path) is None
