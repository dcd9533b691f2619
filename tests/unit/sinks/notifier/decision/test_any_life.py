"""Random lives of a notifier: subjects of all kinds, routes, faults, restarts; all is said at last.

Receivers are believed to have got what was confirmed, what was `uncertain`, and what was under way
as a notifier died.
"""

from random import Random

import pytest

from schemas.incident import Event
from schemas.policy import Policy, Region, Route
from sinks.notifier.model import Delivery
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, Answer, Office, region_event
from tests.unit.sinks.notifier.events import incident_event, targets_event

URLS = ("json://a", "json://b", "json://f", "json://g", "pagerduty://k", "alertmanager://m")
ANSWERS = ("confirmed", "unreachable", "uncertain", "refused", "hangs", "misconfigured")
WAITS_MS = (1, 500, 2_000, 10_000, 61_000, 200_000, 4_000_000)
NEXT = {
    "": ("opened",),
    "opened": ("updated", "improved", "closed"),
    "updated": ("updated", "improved", "closed"),
    "improved": ("worsened", "closed"),
    "worsened": ("updated", "improved", "closed"),
}
REGION = {
    "silent": ("region.silent", "region.returned"),
    "suspect": ("region.suspect", "region.cleared"),
}


class Receivers(Office):
    """An office whose receivers remember what they hold for open."""

    def __init__(self, *policy: Policy) -> None:
        self.open_keys: dict[tuple[str, str], str] = {}
        self.told_open: dict[tuple[str, str], bool] = {}
        self.lossy = False
        super().__init__(*policy)

    def arrive(self, delivery: Delivery) -> None:
        for news in delivery.news:
            key, entry = (delivery.channel.url, news.key), (delivery.channel.url, news.entry)
            if delivery.action in {"trigger", "refresh"}:
                self.open_keys[key] = news.entry
            elif delivery.action == "resolve":
                self.open_keys.pop(key, None)
            elif delivery.action != "acknowledge":
                self.told_open[entry] = delivery.action not in {"closed", "missed"}

    def land(self, delivery: Delivery, answer: Answer = "confirmed") -> None:
        if answer in {"confirmed", "uncertain"}:
            self.arrive(delivery)
        super().land(delivery, answer)

    def lose(self, *, dies: bool) -> None:
        """What is under way arrives, and its answers do not."""
        self.lossy |= bool(self.hanging)
        for delivery in self.hanging:
            self.arrive(delivery)
        if dies:
            self.restart(dies=True)
        else:
            self.hanging.clear()
            self.desk.forget_in_flight()
            self.turn()

    def restart(self, *, dies: bool = False) -> None:
        super().restart(dies=dies, calm=False)


class Life:
    """What happens, drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)  # noqa: S311 - a seed that can be repeated
        self.there = Receivers(*self._policy())
        self.events: list[Event] = []
        self.last: dict[int, str] = {}
        self.episode: dict[int, int] = {}
        self.regions: dict[str, bool] = {}
        self.causes: dict[int, str] = {}

    def _policy(self) -> list[Policy]:
        draw = self.draw
        routes: list[Policy] = [
            Route(
                name=f"r{number}",
                urls=tuple(draw.sample(URLS, draw.randint(1, 4))),
                tags=draw.choice([(), ("x",)]),
                fallback=tuple(f"r{n}" for n in draw.sample(range(3), draw.randint(0, 2))),
                fallback_after_ms=draw.choice([1_000, 10_000, 120_000]),
                missed=draw.choice(["tell", "drop"]),
            )
            for number in range(draw.randint(0, 3))
        ]
        return [*routes, Region(name="eu")] if draw.random() < 0.3 else routes

    def step(self) -> None:
        draw, there = self.draw, self.there
        chance = draw.random()
        if chance < 0.35:
            self._incident(draw.randint(0, 5))
        elif chance < 0.45:
            self._region(draw.choice(sorted(REGION)))
        elif chance < 0.58:
            self._targets(draw.randint(0, 4))
        elif chance < 0.75:
            there.wait(draw.choice(WAITS_MS))
        elif chance < 0.85:
            there.answers[draw.choice(URLS)] = draw.choice(ANSWERS)
        elif chance < 0.9:
            there.land_all(draw.choice(("confirmed", "unreachable", "uncertain", "not_attempted")))
        elif chance < 0.94:
            there.route(*self._policy())
        else:
            there.lose(dies=chance < 0.98)
            if draw.random() < 0.5:
                there.take(*self.events)

    def end(self) -> None:
        """All that is open ends."""
        for number, last in self.last.items():
            if last != "closed":
                self._take_incident(number, "closed", closed_because="recovered")
        for name, down in self.regions.items():
            if down:
                self._region(name)
        for part in list(self.causes):
            self._take_targets(part, 0, self.causes[part])

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self.there.take(event)

    def log_time(self) -> int:
        """The time of an event that comes now."""
        return self.there.now

    def _id(self) -> str:
        return f"e{len(self.events)}"

    def _incident(self, number: int) -> None:
        kinds = NEXT.get(self.last.get(number, ""), ())
        if kinds:
            kind = self.draw.choice(kinds)
            because = self.draw.choice(["recovered", "abandoned"])
            more = {"closed_because": because} if kind == "closed" else {}
            self._take_incident(number, kind, **more)

    def _take_incident(self, number: int, kind: str, **fields: object) -> None:
        self.last[number] = kind
        if kind == "worsened":
            self.episode[number] = self.episode.get(number, 1) + 1
        if number in self.episode and self.draw.random() < 0.7:
            fields["episode"] = self.episode[number]
        event = incident_event(
            event=kind,
            event_id=self._id(),
            incident_id=f"i{number}",
            host=f"h{number % 2}",
            target=f"t{number % 3}",
            at=self.log_time(),
            tags=self.draw.choice([(), ("x",)]),
            acknowledged_by=self.draw.choice([None, "eve"]),
            **fields,
        )
        self._take(event)

    def _region(self, name: str) -> None:
        down = self.regions[name] = not self.regions.get(name, False)
        kind = REGION[name][0 if down else 1]
        self._take(region_event(kind, event_id=self._id(), at=self.log_time()))

    def _targets(self, part: int) -> None:
        count = self.draw.choice([0, 0, 1, 5, 20])
        if count:
            self._take_targets(part, count, self.draw.choice(["c1", "c2"]))
        elif part in self.causes:
            self._take_targets(part, 0, self.causes[part])

    def _take_targets(self, part: int, count: int, cause: str) -> None:
        self.causes[part] = cause
        if not count:
            del self.causes[part]
        event = targets_event(
            event="targets.unwatched" if count else "targets.watched",
            event_id=self._id(),
            partition=part,
            count=count,
            cause_id=cause,
            at=self.log_time(),
            severity=self.draw.choice(["warning", "critical"]),
        )
        self._take(event)

    def abandoned(self) -> set[str]:
        """The incidents whose keys may stay open, and those that could continue them."""
        closes = [one for one in self.events if getattr(one, "closed_because", "") == "abandoned"]
        targets = {getattr(one, "target", "") for one in closes}
        return {
            f"incident/{getattr(one, 'incident_id', '')}"
            for one in self.events
            if getattr(one, "target", None) in targets
        }


@pytest.mark.parametrize("seed", range(60))
def test_all_is_said_in_the_end(seed: int) -> None:
    life = Life(seed)
    there = life.there
    for _ in range(life.draw.randint(5, 80)):
        life.step()
    there.answers.clear()
    there.land_all("unreachable")
    there.wait(3 * HOUR)
    all_know(life)
    life.end()
    there.wait(2 * HOUR)
    spared = life.abandoned()
    open_keys = {entry for entry in there.open_keys.values() if not entry.startswith("channel/")}
    assert open_keys <= spared
    left = {entry for (_, entry), is_open in there.told_open.items() if is_open}
    assert not {entry for entry in left if not entry.startswith("channel/")}
    there.wait(30 * HOUR)
    assert not {key for key in there.log if not key.startswith("channel/")}
    there.wait(2 * MINUTE)
    if not there.log:
        assert there.desk.next_due(there.now) is None


def all_know(life: Life) -> None:
    """Nothing waits, what is open was told to its audience, and each event has a row."""
    there = life.there
    for key in there.log:
        subject = there.subject(key)
        for one in subject.audience:
            assert one.due_at == 0, (key, one)
            assert not one.under_way
            if subject.phase == "closed":
                assert one.open_key  # abandoned
            else:
                assert one.told_phase is not None
    said = {row.event_id for row in there.rows}
    telling = {one.event_id for one in life.events if one.event != "updated"}
    assert there.lossy or telling <= said
