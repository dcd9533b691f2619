"""Random lives with all that spares people: nothing is told inside, all that is true afterwards."""

from typing import Any

import pytest

from schemas.incident import IncidentEvent
from schemas.policy import Hours, Maintenance, Policy, Quiet, Route, Silence
from sinks.notifier.model import Delivery, TargetFacts
from tests.unit.sinks.notifier.decision.office import DAY, HOUR, MINUTE
from tests.unit.sinks.notifier.decision.test_any_life import URLS, Life

RECOVERIES = {"closed", "missed", "resolve", "acknowledge", "refresh"}
TARGETS = ("t0", "t1", "t2")


class SparedLife(Life):
    """As any life, with silences, windows, quiet hours and dependencies that come and go."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.told_inside: list[str] = []
        self.policy: list[Policy] = []
        self.types: dict[int, str] = {}
        self.logged = 0
        there = self.there
        send = there._send

        def watched(delivery: Delivery) -> None:
            self.told_inside += self.inside(delivery)
            send(delivery)

        there._send = watched  # type: ignore[method-assign]
        self.facts()
        self.route()

    def facts(self) -> None:
        """Who depends on whom; sometimes in a circle, sometimes on nobody that is known."""
        for target in TARGETS:
            on = tuple(self.draw.sample((*TARGETS, "gone"), self.draw.choice([0, 0, 1, 2])))
            settle = self.draw.choice([1_000, 40_000, 5 * MINUTE])
            self.there.facts[target] = TargetFacts(
                target, target, f"{target}:1", self.draw.choice([(), ("x",)]), on, settle, 3_000
            )
            self.there.desk.facts_changed(target, self.there.now)
        self.there.turn()

    def route(self) -> None:
        """Another policy."""
        draw, now = self.draw, self.there.now
        self.policy = []
        for one in self._policy():
            if isinstance(one, Route) and draw.random() < 0.4:
                hours = (Hours(begin=draw.choice(["02:00", "03:30"]), end="05:00"),)
                unless: Any = draw.choice([(), ("critical",)])
                quiet = Quiet(hours=hours, unless=unless)
                self.policy.append(Route(name=one.name, urls=one.urls, quiet=quiet))
            else:
                self.policy.append(one)
        for number in range(draw.randint(0, 2)):
            begin = now + draw.choice([-HOUR, 0, MINUTE, HOUR])
            target = draw.choice(TARGETS)
            length = draw.choice([1_000, 10 * MINUTE, 3 * HOUR])
            self.policy.append(
                Silence(
                    name=f"s{number}",
                    targets=(target,),
                    begins_at=begin,
                    ends_at=begin + length,
                    reason="r",
                    by="b",
                    created_at=now,
                )
            )
            self.policy.append(
                Maintenance(
                    name=f"w{number}",
                    targets=(draw.choice(TARGETS),),
                    start=begin,
                    duration_ms=draw.choice([1_000, 10 * MINUTE, 3 * HOUR]),
                )
            )
        self.there.route(*self.policy)

    def inside(self, delivery: Delivery) -> list[str]:
        """What of a delivery should not have been told now."""
        now = self.there.now
        found = []
        routes = self.there.routes
        route = routes.routes.get(delivery.channel.route)
        for news in delivery.news:
            event = news.event
            if not isinstance(event, IncidentEvent) or delivery.action in RECOVERIES:
                continue
            found += [
                f"{news.entry} in {one.name}"
                for one in routes.silences
                if event.target in one.targets and one.begins_at <= now < one.ends_at
            ]
            for window in routes.maintenance:
                end = window.start + window.duration_ms
                if event.target in window.targets and window.start <= now < end:
                    found.append(f"{news.entry} in {window.name}")
            if route is not None and route.quiet is not None:
                minute = now // MINUTE % (24 * 60)
                begin = 120 if route.quiet.hours[0].begin == "02:00" else 210
                if begin <= minute < 300 and event.severity not in route.quiet.unless:
                    found.append(f"{news.entry} in quiet hours")
        return found

    def log_time(self) -> int:
        """The time of the log, whatever the notifier's clock shows."""
        self.logged = max(self.logged, self.there.now)
        return self.logged

    def step(self) -> None:
        chance = self.draw.random()
        if chance < 0.1:
            self.route()
        elif chance < 0.15:
            self.facts()
        elif chance < 0.2:
            self.there.wait(self.draw.choice([40_000, HOUR, 3 * HOUR]))
        elif chance < 0.22:
            self.there.now -= self.draw.choice([1_500, HOUR])
            self.there.turn()
        else:
            super().step()

    def _take_incident(self, number: int, kind: str, **fields: object) -> None:
        if kind == "opened":
            self.types[number] = self.draw.choice(["unreachable", "unreachable", "flapping"])
        fields["incident_type"] = self.types[number]
        if kind == "closed" and self.draw.random() < 0.3 and self.types[number] == "unreachable":
            fields["closed_because"] = "flapping"
        fields["severity"] = self.draw.choice(["critical", "warning"])
        fields["first_failed_at"] = self.there.now - self.draw.choice([1_000, 10 * MINUTE])
        fields["opened_at"] = self.there.now
        super()._take_incident(number, kind, **fields)


@pytest.mark.parametrize("seed", range(80))
def test_nothing_is_told_inside_and_all_that_is_true_afterwards(seed: int) -> None:
    life = SparedLife(seed)
    there = life.there
    there.now += life.draw.choice([-2 * HOUR, 0, HOUR])
    for _ in range(life.draw.randint(5, 80)):
        life.step()
    there.answers.clear()
    there.land_all("unreachable")
    there.facts.clear()
    for target in TARGETS:
        there.desk.facts_changed(target, there.now)
    there.route(*(one for one in life.policy if isinstance(one, Route)), Route(name="z", urls=URLS))
    there.wait(DAY)
    for key in there.log:
        subject = there.subject(key)
        for one in subject.audience:
            assert not one.held, (key, one)
            assert one.due_at == 0, (key, one)
            assert one.told_phase is not None or subject.phase == "closed", (key, one)
    life.end()
    there.wait(DAY)
    open_keys = {entry for entry in there.open_keys.values() if not entry.startswith("channel/")}
    assert open_keys <= life.abandoned()
    instead = {
        f"incident/{one.incident_id}"
        for one in life.events
        if isinstance(one, IncidentEvent) and one.closed_because == "flapping"
    }
    left = {entry for (_, entry), is_open in there.told_open.items() if is_open}
    assert not {entry for entry in left - instead if not entry.startswith("channel/")}
    there.wait(30 * HOUR)
    assert not {key for key in there.log if not key.startswith("channel/")}
    assert not life.told_inside
