"""What the page's own inventory sees of the fleet: all that [targets] and [policy] have."""

from typing import cast

from msgspec.structs import replace

from portquorum.editing.entries import by_itself
from portquorum.inventory.document import TargetEntry
from portquorum.inventory.plan import encode
from portquorum.inventory.present import pauses_of
from portquorum.web.fleet import Fleet
from portquorum.web.following.followed_topics import FollowedTopics
from portquorum.web.following.topic_feed import TopicFeed
from schemas import policy
from schemas.policy import Pause, Region
from schemas.target import Target

PAUSE = Pause(name="a", paused_at=1, until=None, reason="move", by="ann")


def target(name: str, **fields: object) -> Target:
    found = by_itself(TargetEntry(id=name, host="h", port=1))
    assert found is not None
    return cast(Target, replace(found, **fields))


def followed() -> tuple[Fleet, FollowedTopics]:
    fleet = Fleet()
    return fleet, FollowedTopics(fleet, cast(TopicFeed, None))


def test_policy_has_regions_and_pauses_with_their_sources() -> None:
    fleet, topics = followed()
    region = Region(name="eu")
    fleet.apply_policy(policy.key("file", region), policy.encode(region), 0)
    fleet.apply_policy(b"pause/pause/a", policy.encode(PAUSE), 1)
    found = list(topics.policy())
    assert pauses_of(found) == {"a": PAUSE}
    assert [(one.source, one.entry) for one in found] == [("file", region), ("pause", PAUSE)]
    fleet.apply_policy(b"pause/pause/a", None, 2)
    assert pauses_of(topics.policy()) == {}


def test_a_target_that_moves_is_in_both_partitions_the_newest_first() -> None:
    fleet, topics = followed()
    old, new = target("a", version=1, source="web"), target("a", version=2, source="web", host="b")
    other = target("c", depends_on=("a",))
    for partition, one in ((0, old), (1, new), (0, other)):
        before = topics.version
        fleet.apply_target(one.id.encode(), encode(one), partition, 0)
        assert topics.version > before
    assert [(one.partition, one.target) for one in topics.placed("a")] == [(1, new), (0, old)]
    assert sorted(topics.ids_of("web")) == ["a", "c"]
    assert [one.id for one in topics.dependents("a")] == ["c"]
    fleet.apply_target(b"a", None, 0, 1)
    assert [one.partition for one in topics.placed("a")] == [1]
    assert topics.placed("none") == []
