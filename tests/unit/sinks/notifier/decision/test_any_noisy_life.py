"""Random lives with digests, limits, reminders and escalation: all is said, within limits."""

import pytest

from schemas.policy import EscalationStep, Limit, Policy, Region, Route
from sinks.notifier.model import Delivery
from tests.unit.sinks.notifier.decision import test_any_life as plain
from tests.unit.sinks.notifier.decision.crowd import most_within
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, Answer


class NoisyReceivers(plain.Receivers):
    """Receivers that note when each message may have arrived."""

    def __init__(self, *policy: Policy) -> None:
        self.arrived: dict[str, list[int]] = {}
        super().__init__(*policy)
        self.group_interval_ms = 30_000
        self.desk = self._desk()
        self.desk.set_routes(self.routes, self.now)

    def arrive(self, delivery: Delivery) -> None:
        if delivery.action == "digest":
            for news in delivery.news:
                entry = (delivery.channel.url, news.entry)
                self.told_open[entry] = news.action not in {"closed", "missed"}
        else:
            super().arrive(delivery)

    def land(self, delivery: Delivery, answer: Answer = "confirmed") -> None:
        at_once = all(news.entry.startswith("channel/") for news in delivery.news)
        if answer == "confirmed" and not at_once:
            self.arrived.setdefault(delivery.channel.url, []).append(delivery.at // 1000)
        super().land(delivery, answer)


class NoisyLife(plain.Life):
    """A life whose routes have all that keeps people from noise."""

    def __init__(self, seed: int) -> None:
        self.limit: Limit | None = None
        super().__init__(seed)
        draw = self.draw
        self.limit = draw.choice([None, Limit(messages=draw.randint(1, 4), per_ms=10 * MINUTE)])
        self.there = NoisyReceivers(*self._policy())

    def _policy(self) -> list[Policy]:
        draw = self.draw
        steps = (EscalationStep(after_ms=5 * MINUTE, routes=("r0", "r2")),)
        routes: list[Policy] = [
            Route(
                name=f"r{number}",
                urls=tuple(draw.sample(plain.URLS, draw.randint(1, 4))),
                tags=draw.choice([(), ("x",)]),
                fallback=tuple(f"r{n}" for n in draw.sample(range(3), draw.randint(0, 2))),
                fallback_after_ms=draw.choice([1_000, 10_000, 120_000]),
                missed=draw.choice(["tell", "drop"]),
                group_interval_ms=draw.choice([None, 60_000]),
                remind_every_ms=draw.choice([0, 15 * MINUTE]),
                escalate=draw.choice([(), steps]),
            )
            for number in range(draw.randint(0, 3))
        ]
        if self.limit is not None:
            # Every URL has it, whatever the routes are.
            routes.append(Route(name="limit", urls=plain.URLS, targets=("none",), limit=self.limit))
        return [*routes, Region(name="eu")] if draw.random() < 0.3 else routes


@pytest.mark.parametrize("seed", range(40))
def test_all_is_said_in_the_end(seed: int) -> None:
    life = NoisyLife(seed)
    there = life.there
    for _ in range(life.draw.randint(5, 80)):
        life.step()
    there.answers.clear()
    there.land_all("unreachable")
    there.wait(5 * HOUR)
    all_but_reminders_are_told(life)
    life.end()
    there.wait(3 * HOUR)
    left = {entry for (_, entry), is_open in there.told_open.items() if is_open}
    assert not {entry for entry in left if not entry.startswith("channel/")}
    spared = life.abandoned()
    assert {key for key in there.open_keys.values() if not key.startswith("channel/")} <= spared
    there.wait(30 * HOUR)
    assert not {key for key in there.log if not key.startswith("channel/")}
    if life.limit is not None:
        for url, at in there.arrived.items():
            if not url.startswith(("pagerduty", "alertmanager", "console")):
                assert most_within(at, life.limit.per_ms // 1000) <= life.limit.messages


def all_but_reminders_are_told(life: NoisyLife) -> None:
    for key in life.there.log:
        subject = life.there.subject(key)
        for one in subject.audience:
            if subject.phase == "closed":
                assert one.open_key or not one.due_at
            else:
                assert one.told_phase is not None, (key, one)
