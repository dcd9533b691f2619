"""A target whose host changes speaks in two partitions: what a reader of both must do.

Order is promised within a partition only. A reader keeps incidents by their id, and of two events
of a target from different partitions the one with the larger (`target_version`, `at`) is newer
(docs/incidents.md): whatever the order in which a consumer gets the partitions, and whatever comes
twice, it ends with the right state of each target.
"""

from collections.abc import Iterator, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from schemas.control import TargetRemoved, TargetSet
from schemas.incident import IncidentEvent
from streams.rules.messages import encode
from tests.unit.streams.rules.fleet import Fleet, target

REGIONS = ("a", "b", "c")
HOSTS = ("old.example.com", "new.example.com")


class Reader:
    """A subscriber that follows the page: nothing but events, in the order in which they come."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.open: dict[str, IncidentEvent] = {}
        self.newest: dict[str, tuple[int, IncidentEvent]] = {}

    def take(self, partition: int, event: IncidentEvent) -> None:
        if event.event_id in self.seen:
            return
        self.seen.add(event.event_id)
        if event.event == "closed":
            self.open.pop(event.incident_id, None)
        else:
            self.open[event.incident_id] = event
        known = self.newest.get(event.target)
        if known is None or known[0] == partition or _age(event) > _age(known[1]):
            self.newest[event.target] = partition, event

    def says(self, target_id: str) -> str:
        """`down`, `up`, or `unknown`: a definition that is gone says nothing of the port."""
        if any(event.target == target_id for event in self.open.values()):
            return "down"
        _, event = self.newest[target_id]
        return "unknown" if event.closed_because in {"target_changed", "target_removed"} else "up"


def _age(event: IncidentEvent) -> tuple[int, int]:
    """Events of 0.1 have no version: they are older than any other."""
    return (-1 if event.target_version is UNSET else event.target_version), event.at


class Moving:
    """One target that moves between two partitions; the old one may hear of it late."""

    def __init__(self) -> None:
        self.partitions = (Fleet(), Fleet())
        self.home = 0
        self.version = 1
        self.events: list[tuple[int, IncidentEvent]] = []
        self.removals: list[tuple[int, int]] = []
        self.down = False
        self._set()

    def step(self, what: str) -> None:
        match what:
            case "down":
                self._all(down=True)
                self.down = True
            case "up":
                self._all(down=False)
                self.down = False
            case "move":
                self.version += 1
                self.removals.append((self.home, self.version))
                self.home = 1 - self.home
                self.down = False
                # An earlier removal from there comes first: it is before in that log.
                self._remove(self.home)
                self._set()
            case "changed":
                self.version += 1
                self._set()
            case "heard":
                self.settle()
        self._wait(20_000)

    def settle(self) -> None:
        """Both partitions hear of all removals."""
        for number in (0, 1):
            self._remove(number)

    def _remove(self, number: int) -> None:
        for at, version in self.removals:
            if at == number:
                fleet = self.partitions[at]
                fleet.control(TargetRemoved(target="db", version=version, because="target_changed"))
        self.removals = [one for one in self.removals if one[0] != number]
        self._note(number)

    def _set(self) -> None:
        fleet = self.partitions[self.home]
        one = target(host=HOSTS[self.home], version=self.version, name=f"v{self.version}")
        fleet.control(TargetSet(one))
        self._note(self.home)

    def _all(self, *, down: bool) -> None:
        fleet = self.partitions[self.home]
        if down:
            fleet.down(*REGIONS)
        else:
            for _ in range(3):
                fleet.up(*REGIONS)
                fleet.wait(1_000)
        self._note(self.home)

    def _wait(self, ms: int) -> None:
        now = max(fleet.now for fleet in self.partitions) + ms
        for number, fleet in enumerate(self.partitions):
            fleet.wait(now - fleet.now)
            self._note(number)

    def _note(self, number: int) -> None:
        told = [event for at, event in self.events if at == number]
        self.events += [(number, one) for one in self.partitions[number].events[len(told) :]]


STEPS = st.lists(
    st.sampled_from(["down", "down", "down", "move", "move", "up", "changed", "heard"]),
    min_size=1,
    max_size=9,
)


@st.composite
def consumptions(draw: st.DrawFn) -> tuple[Moving, list[tuple[int, IncidentEvent]]]:
    """A history, and its events as a consumer may get them."""
    moving = Moving()
    for what in draw(STEPS):
        moving.step(what)
    moving.settle()
    lanes = [[event for at, event in moving.events if at == number] for number in (0, 1)]
    return moving, list(_consumed(draw, lanes))


def _consumed(
    draw: st.DrawFn, lanes: Sequence[Sequence[IncidentEvent]]
) -> Iterator[tuple[int, IncidentEvent]]:
    """Each partition in its order, the two in any; sometimes one is read again from before."""
    places = [0, 0]
    again = draw(st.integers(0, 3))
    while any(place < len(lane) for place, lane in zip(places, lanes, strict=True)):
        left = [number for number in (0, 1) if places[number] < len(lanes[number])]
        number = draw(st.sampled_from(left))
        yield number, lanes[number][places[number]]
        places[number] += 1
        if again and draw(st.booleans()):
            again -= 1
            places[number] -= draw(st.integers(0, places[number]))


@settings(max_examples=120)
@given(consumptions())
def test_a_reader_of_two_partitions_ends_with_the_right_state(
    case: tuple[Moving, list[tuple[int, IncidentEvent]]],
) -> None:
    moving, consumed = case
    reader = Reader()
    for number, event in consumed:
        reader.take(number, event)
    truth = {
        incident.incident_id
        for fleet in moving.partitions
        for entry in fleet.state.targets.values()
        for incident in entry.incidents
    }
    assert reader.open.keys() == truth
    if not consumed:
        return
    assert (reader.says("db") == "down") == moving.down
    # What the reader knows of the target is the last word of its newest definition.
    newest = max(event.target_version for _, event in moving.events)
    [*_, last] = [event for _, event in moving.events if event.target_version == newest]
    assert reader.newest["db"][1] == last
    if not moving.down and moving.version > newest:
        assert reader.says("db") in {"up", "unknown"}


def test_the_last_event_that_comes_is_not_the_newest_one() -> None:
    """Why the rule is there: a reader of last words would say that it is up, or not known."""
    moving = Moving()
    for what in ("down", "move", "down", "heard"):
        moving.step(what)
    opened = [event for number, event in moving.events if number == 1]
    closed = [event for number, event in moving.events if number == 0]
    assert closed[-1].closed_because == "target_changed"
    assert closed[-1].at > opened[0].at
    assert closed[-1].target_version == 1
    assert {event.target_version for event in opened} == {2}
    reader = Reader()
    for number, events in ((1, opened), (0, closed)):
        for event in events:
            reader.take(number, event)
    assert reader.says("db") == "down"
    assert reader.newest["db"][1] == opened[-1]


def test_a_closing_has_the_version_that_was_judged_and_not_the_one_that_closed_it() -> None:
    moving = Moving()
    for what in ("changed", "down", "move", "heard"):
        moving.step(what)
    versions = [event.target_version for _, event in moving.events]
    assert set(versions) == {2}
    assert moving.version == 3
    assert b'"target_version":2' in (encode(moving.events[-1][1], 2).value or b"")
