import asyncio

from portquorum.web.answers import Change
from portquorum.web.fleet.position import decode
from portquorum.web.following.announcer import SINGLE, Announcer
from portquorum.web.following.hub import Hub
from tests.unit.portquorum.web.fleet.fleet_story import NOW, FleetStory, target


class Recorder(Hub):
    """Keeps what is published."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[list[Change]] = []

    def publish(self, changes, steps=()) -> None:  # noqa: ANN001 - as the hub's
        super().publish(changes, steps)
        self.told.append(list(changes))


def announcer(story: FleetStory) -> tuple[Announcer, Recorder]:
    hub = Recorder()
    return Announcer(story.fleet, hub, lambda: NOW), hub


def test_an_incident_is_told_with_its_row_the_counts_and_the_position() -> None:
    web = target("web")
    story = FleetStory(web)
    tells, hub = announcer(story)
    event = story.open(web)
    tells.applied("incidents", 0, 5)
    tells.changed("incident", event.incident_id)
    tells.tell()
    ((told,),) = hub.told
    assert told.incident is not None
    assert (told.kind, told.incident.state, told.counts.down) == ("incident", "down", 1)
    position = decode(told.id)
    assert position is not None
    assert position == story.fleet.vector()


def test_only_the_last_change_of_a_moment_has_a_position() -> None:
    web = target("web")
    story = FleetStory(web)
    tells, hub = announcer(story)
    for kind in ("slow", "unreachable"):
        tells.changed("incident", story.open(web, kind).incident_id)
    tells.applied("incidents", 0, 5)
    tells.tell()
    ((first, last),) = hub.told
    assert (first.id, last.id) == ("", story.fleet.position)


def test_a_flood_is_one_change_a_kind() -> None:
    story = FleetStory()
    tells, hub = announcer(story)
    for number in range(SINGLE + 1):
        tells.changed("incident", f"i{number}")
    tells.changed("policy", "fleet/region/fra")
    tells.tell()
    assert [(one.kind, one.subject) for one in hub.told[0]] == [("incident", ""), ("policy", "")]


async def test_it_tells_soon_after_a_change() -> None:
    story = FleetStory()
    tells, hub = announcer(story)
    running = asyncio.ensure_future(tells.run())
    try:
        async with hub.subscribe() as changes:
            tells.changed("region", "fra")
            async with asyncio.timeout(5):
                found = await anext(changes)
            assert found is not None
            assert found.subject == "fra"
    finally:
        running.cancel()
