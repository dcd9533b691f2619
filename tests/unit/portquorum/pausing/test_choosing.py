"""Which targets are meant, and how they are listed."""

from msgspec import structs

from portquorum.pausing.choosing import known_names, listed, matching
from schemas.policy import Pause
from schemas.target import Target

DB = Target(
    id="db",
    name="DB",
    kind="tcp",
    host="db.example.com",
    port=5432,
    regions=("a",),
    interval_ms=60_000,
    timeout_ms=3_000,
    version=1,
    source="fleet",
    team="database",
    tags=("prod", "rack-7"),
)
WEB = structs.replace(DB, id="web", team="web", tags=("prod",))
ALONE = structs.replace(DB, id="alone", team=None, tags=())
ALL = [WEB, DB, ALONE]


def ids(targets: list[Target]) -> list[str]:
    return [one.id for one in targets]


def test_teams_and_tags_are_alternatives_each_and_must_both_fit() -> None:
    assert ids(matching(ALL, (), ())) == ["alone", "db", "web"]
    assert ids(matching(ALL, ("database", "web"), ())) == ["db", "web"]
    assert ids(matching(ALL, (), ("prod",))) == ["db", "web"]
    assert ids(matching(ALL, ("web",), ("rack-7", "prod"))) == ["web"]
    assert ids(matching(ALL, ("web",), ("rack-7",))) == []


def test_the_names_that_there_are() -> None:
    assert known_names({one.id: one for one in ALL}) == (["database", "web"], ["prod", "rack-7"])


def test_a_target_is_checked_paused_or_disabled() -> None:
    pause = Pause(name="db", paused_at=1, until=None, reason="new disk", by="ann")
    assert (listed(DB, None).state, listed(DB, None).pause) == ("checked", None)
    assert listed(DB, pause).state == "paused"
    off = listed(structs.replace(DB, enabled=False), pause)
    assert (off.state, off.pause) == ("disabled", pause)
