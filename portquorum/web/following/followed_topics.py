"""[targets] and [policy] as the fleet has them, for the page's own inventory."""

from collections.abc import Iterable, Sequence

from portquorum.inventory.present import Placed, PolicyKept
from portquorum.web.fleet import Fleet
from portquorum.web.following.topic_feed import TopicFeed
from schemas.target import Target


class FollowedTopics:
    """See `portquorum.editing.published.Published`."""

    def __init__(self, fleet: Fleet, feed: TopicFeed) -> None:
        self._fleet = fleet
        self._feed = feed

    @property
    def is_present(self) -> bool:
        return self._feed.is_present.is_set()

    @property
    def version(self) -> int:
        return self._fleet.inventory.version + self._fleet.policy.version

    async def caught_up(self) -> None:
        await self._feed.caught_up()

    def placed(self, target: str) -> Sequence[Placed]:
        found = self._fleet.inventory.placed(target)
        return [Placed(one.definition(), one.partition) for one in found]

    def ids_of(self, source: str) -> Iterable[str]:
        inventory = self._fleet.inventory
        rows = inventory.with_value("source", source)
        return [] if rows is None else [inventory.record(row).id for row in rows]

    def dependents(self, target: str) -> Iterable[Target]:
        inventory = self._fleet.inventory
        return [inventory.record(row).definition() for row in inventory.dependent_rows(target)]

    def policy(self) -> Iterable[PolicyKept]:
        for key, entry in self._fleet.policy.entries():
            source = key.partition(b"/")[0].decode(errors="replace")
            yield PolicyKept(source, entry, 0)
