"""What an apply would change: a pure comparison."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from portquorum.inventory import ApplyPlan, Inventory, InventoryError, check
from portquorum.inventory.errors import Problem, Where
from portquorum.inventory.plan import encode, home, plan
from portquorum.inventory.present import Placed, PolicyKept, Present
from producers.checks.model import Vantage
from schemas import control, policy
from schemas._types import MAX_MILLIS
from schemas.control import TargetRemoved, TargetSet
from schemas.policy import ApplyMark, EscalationStep, Policy, Region, Route, Team
from schemas.target import Target, decode
from tests.unit.streams.rules.fleet import Fleet

P = 16


def target(target_id: str, **fields: object) -> Target:
    values: dict[str, object] = {
        "id": target_id,
        "name": target_id,
        "kind": "tcp",
        "host": f"{target_id}.example.com",
        "port": 1,
        "regions": ("a",),
        "interval_ms": 10_000,
        "timeout_ms": 3_000,
        "version": 0,
        "source": "s",
        **fields,
    }
    return Target(**values)  # type: ignore[arg-type]


def present(*targets: Target, entries: tuple[tuple[str, Policy], ...] = ()) -> Present:
    kept = {policy.key(s, e): PolicyKept(s, e, n) for n, (s, e) in enumerate(entries)}
    return Present(tuple(Placed(t, home(t, P)) for t in targets), kept)


def compared(wanted: list[Target], there: Present, **more: bool) -> ApplyPlan:
    return plan(Inventory("s", (), tuple(wanted)), there, P, 1000, **more)


def elsewhere(old: Target) -> str:
    """A host in another partition."""
    hosts = (f"h{n}.example.com" for n in range(1000))
    return next(h for h in hosts if home(replace(old, host=h), P) != home(old, P))


def test_added_changed_removed_unchanged() -> None:
    there = present(*(target(x, version=5) for x in "abc"))
    made = compared([target("a"), target("b", port=2), target("d")], there)
    assert [t.id for t in made.added] == ["d"]
    assert [(t.id, t.version) for t in made.changed] == [("b", 1000)]
    assert made.removed == ("c",)
    assert made.unchanged == 1
    assert [(r.target.id, r.moved, r.version) for r in made.removals] == [("c", False, 1000)]


def test_a_version_is_always_newer_than_the_one_before() -> None:
    made = compared([target("a", port=2)], present(target("a", version=9_000)))
    assert made.changed[0].version == 9_001
    (gone,) = compared([], present(target("a", version=9_000))).removals
    assert gone.version == 9_001


@pytest.mark.parametrize("version", [MAX_MILLIS - 1, MAX_MILLIS])
def test_behind_the_last_version_there_is_none_and_it_takes_the_place_of_itself(
    version: int,
) -> None:
    mark = ApplyMark(source="s", at=version, state="done")
    there = present(target("a", version=version), target("b", version=version))
    there = replace(there, policy=present(entries=(("s", mark),)).policy)
    made = compared([target("a", port=2), target("c")], there)
    written = [*made.changed, *made.added]
    assert [(one.id, one.version) for one in written] == [("a", MAX_MILLIS), ("c", MAX_MILLIS)]
    assert [(gone.target.id, gone.version) for gone in made.removals] == [("b", MAX_MILLIS)]
    assert made.at == MAX_MILLIS
    # Whoever follows them can read them, and the stream takes them for the newest.
    assert [decode(encode(one)) for one in written] == written
    fleet = Fleet(*(one.target for one in there.placed))
    for record in (
        *map(TargetSet, written),
        *(TargetRemoved(target=gone.target.id, version=gone.version) for gone in made.removals),
    ):
        read = control.decode(control.headers(record)[0][1])
        fleet.control(read)
    assert {key: entry.port for key, entry in fleet.state.targets.items()} == {"a": 2, "c": 1}


def test_targets_of_other_sources_are_left_alone() -> None:
    there = present(target("a", source="other"), target("b"))
    made = compared([target("b")], there)
    assert made.empty
    assert made.owned == 1


def test_a_target_that_moves_is_removed_in_the_old_partition() -> None:
    old = target("a", version=5)
    new = replace(old, host=elsewhere(old), version=0)
    made = compared([new], present(old))
    assert [(r.partition, r.moved) for r in made.removals] == [(home(old, P), True)]
    assert [t.host for t in made.changed] == [new.host]
    assert made.removed == ()


def test_what_an_unfinished_move_left_behind_is_cleared() -> None:
    old = target("a", version=5)
    new = replace(old, host=elsewhere(old), version=6)
    made = compared([replace(new, version=0)], present(old, new))
    assert [r.partition for r in made.removals] == [home(old, P)]


def test_an_unfinished_apply_is_written_again_with_new_versions() -> None:
    mark = ApplyMark(source="s", state="begun", at=2_000)
    there = present(target("a", version=5), entries=(("s", mark), ("s", Region(name="a"))))
    inventory = Inventory("s", (Region(name="a"),), (target("a"),))
    made = plan(inventory, there, P, 1000)
    assert [(t.id, t.version) for t in made.republished] == [("a", 2_001)]
    assert made.policy_set == (Region(name="a"),)
    assert not made.empty


def test_republish_by_hand_keeps_the_versions() -> None:
    made = compared([target("a")], present(target("a", version=5)), republish=True)
    assert [t.version for t in made.republished] == [5]


def test_more_than_a_fifth_is_too_many_from_five_upward() -> None:
    many = [target(f"t{n}") for n in range(25)]
    assert not compared(many[5:], present(*many)).removes_too_many
    assert compared(many[6:], present(*many)).removes_too_many
    assert compared([], present(*many[:5])).removes_too_many
    assert not compared([target("new")], present(*many[:4])).removes_too_many
    assert not compared([], present()).removes_too_many


def test_an_inventory_that_leaves_nothing_empties_its_source() -> None:
    region = Region(name="a")
    there = present(target("x"), entries=(("s", region),))
    assert compared([], there).empties
    assert plan(Inventory("s", (region,), ()), there, P, 1000).empties
    assert compared([], present(entries=(("s", region),))).empties
    assert not plan(Inventory("s", (region,), (target("y"),)), there, P, 1000).empties
    assert not compared([], present()).empties
    assert not compared([], present(replace(target("x"), source="o"))).empties
    team = Team(name="t")
    assert not plan(Inventory("s", (team,), ()), present(entries=(("s", region),)), P, 1).empties


def test_the_plan_carries_the_warnings() -> None:
    warning = Problem(Where("f.yaml", 3), "so and so")
    made = plan(Inventory("s", (), (target("a"),), (warning,)), present(), P, 1)
    assert made.warnings == ("f.yaml:3: so and so",)
    assert Present((), {b"o/region/a": PolicyKept("o", Region(name="a", internal=True), 0)}).known(
        "s"
    ).vantages == {"a": Vantage(internal=True)}


def test_the_goals_of_other_sources_teams_are_known() -> None:
    theirs = Team(name="t", slo=99.9, downtime_cost_per_hour=10)
    own = Team(name="own", slo=90)
    there = present(entries=(("o", theirs), ("s", own)))
    assert there.known("s").goals == {"t": theirs}


def test_policy_that_changed_or_went() -> None:
    there = present(entries=(("s", Region(name="a")), ("s", Region(name="b"))))
    made = plan(Inventory("s", (Region(name="a", internal=True),), ()), there, P, 1)
    assert made.policy_set == (Region(name="a", internal=True),)
    assert made.policy_removed == (b"s/region/b",)


@pytest.mark.parametrize("user", ["target", "team", "route"])
def test_what_another_source_uses_may_not_go(user: str) -> None:
    if user == "target":
        there = present(target("x", source="o"), entries=(("s", Region(name="a")),))
    else:
        route = policy.Route(name="r", urls=("console://",))
        users: dict[str, policy.Policy] = {
            "team": Team(name="t", routes=("r",)),
            "route": policy.Route(name="t", urls=("json://x",), fallback=("r",)),
        }
        there = present(entries=(("s", route), ("o", users[user])))
    with pytest.raises(InventoryError, match="of source o uses it"):
        plan(Inventory("s", (), ()), there, P, 1)


def test_a_dependency_that_moves_changes_the_records_of_its_dependents() -> None:
    def inventory(host: str) -> list[Target]:
        gateway = target("gateway", host=host)
        apps = [target(f"app{n}", depends_on=("gateway",), depends_on_hosts=(host,)) for n in "12"]
        return [gateway, *apps, target("alone")]

    there = present(*inventory("old.example.com"))
    assert compared(inventory("old.example.com"), there).empty
    made = compared(inventory("new.example.com"), there)
    assert [one.id for one in made.changed] == ["gateway", "app1", "app2"]
    assert made.unchanged == 1
    assert made.warnings == ()


def test_a_source_whose_targets_depend_on_one_that_moves_is_named() -> None:
    gateway = target("gateway", host="old.example.com")
    theirs = target(
        "app", source="other", depends_on=("gateway",), depends_on_hosts=("old.example.com",)
    )
    there = present(gateway, theirs)
    made = compared([replace(gateway, host="new.example.com")], there)
    (warning,) = made.warnings
    assert "apply 'other' again" in warning
    assert "gateway" in warning
    assert [one.id for one in made.changed] == ["gateway"], "theirs is theirs to write"
    assert compared([replace(gateway, port=2)], there).warnings == ()
    # What other sources know of it is the host that it has now.
    known = present(replace(gateway, host="new.example.com")).known("other")
    assert known.hosts == {"gateway": "new.example.com"}


def test_what_version_0_1_wrote_is_not_written_again(tmp_path: Path) -> None:
    written = {
        b"s/route/r": b'{"policy":"route","name":"r","urls":["console://"],"severities":'
        b'["critical"],"tags":["prod"],"kinds":["tcp"]}',
        b"s/maintenance/w": b'{"policy":"maintenance","name":"w","targets":["tag:prod"],"start":'
        b'1796090400000,"duration_ms":7200000,"rrule":"FREQ=MONTHLY"}',
        b"s/region/a": b'{"policy":"region","name":"a","internal":false,"source":null,'
        b'"connectivity":[],"allow":[],"deny":[]}',
    }
    there = Present(
        (), {key: PolicyKept("s", policy.decode(value), 1) for key, value in written.items()}
    )
    file = tmp_path / "s.yaml"
    file.write_text(
        "regions: {a: {}}\n"
        "routes: {r: {urls: [console://], severities: [critical], tags: [prod], kinds: [tcp]}}\n"
        "maintenance:\n"
        "  - {name: w, targets: [tag:prod], start: 2026-12-01T02:00Z, duration: 2h,"
        " rrule: FREQ=MONTHLY}\n"
    )
    assert plan(check([file]), there, P, 1000).empty
    file.write_text(file.read_text().replace("kinds: [tcp]", "kinds: [tcp], default: true"))
    assert plan(check([file]), there, P, 1000).lines() == ["~ route r"]


def test_what_a_route_of_another_source_names_must_stay() -> None:
    theirs = Route(
        name="x",
        urls=("console://",),
        regions=("a",),
        teams=("t",),
        escalate=(EscalationStep(after_ms=60_000, routes=("r",)),),
    )
    mine: tuple[Policy, ...] = (
        Region(name="a"),
        Team(name="t"),
        Route(name="r", urls=("console://",)),
    )
    for entry in mine:
        there = present(entries=(("s", entry), ("o", theirs)))
        with pytest.raises(InventoryError, match="since the route x of source o uses it"):
            compared([target("new")], there)
