"""Failovers in the midst of an outage of many: nothing doubled, nothing lost, limits hold."""

from collections import Counter
from random import Random

import pytest

from schemas.policy import EscalationStep, Limit, Route
from sinks.notifier.model import Delivery
from tests.unit.sinks.notifier.decision.crowd import (
    INTERVAL_MS,
    Answer,
    closed,
    most_within,
    named,
    opened,
    sent_rows,
    times,
)
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, SECOND, Office

TARGETS = 300
A, B, LATER, DUTY = "json://a", "json://limited", "json://later", "pagerduty://k"
LIMIT = Limit(messages=4, per_ms=HOUR)


def office() -> Office:
    return Office(
        Route(
            name="a",
            urls=(A,),
            operators=True,
            default=True,
            escalate=(EscalationStep(after_ms=20 * MINUTE, routes=("later",)),),
        ),
        Route(name="b", urls=(B,), default=True, limit=LIMIT),
        Route(name="later", urls=(LATER,), default=False),
        Route(name="duty", urls=(DUTY,), default=True),
        group_interval_ms=INTERVAL_MS,
        mass_share=0.2,
        targets=TARGETS,
    )


def incidents(there: Office, url: str, action: str) -> Counter[str]:
    found = named(there, url, action)
    return Counter({key: n for key, n in found.items() if key.startswith("incident/")})


@pytest.mark.parametrize("seed", range(2))
def test_fifty_failovers_between_messages_double_nothing(seed: int) -> None:
    draw = Random(seed)  # noqa: S311 - a seed that can be repeated
    there = office()
    for number in range(TARGETS):
        there.take(opened(number, there.now))
        if number % 12 == 0:
            there.wait(draw.randint(0, 8) * SECOND)
            there.restart(dies=draw.random() < 0.5)
    there.wait(10 * MINUTE)
    everybody = Counter({f"incident/i{number}": 1 for number in range(TARGETS)})
    assert incidents(there, A, "opened") == everybody
    assert incidents(there, B, "opened") == everybody
    assert incidents(there, DUTY, "trigger") == everybody
    begin = there.now
    for number in range(TARGETS):
        there.take(closed(number, there.now))
        if number % 12 == 0:
            there.wait(draw.randint(0, 8) * SECOND)
            there.restart(dies=draw.random() < 0.5)
    there.wait(3 * HOUR)
    for url in (A, B):
        assert incidents(there, url, "closed") == everybody
        assert most_within(times(there, url)) <= 5
    assert most_within(times(there, B), 3600) <= LIMIT.messages
    assert incidents(there, DUTY, "resolve") == everybody
    mass = [
        (one.at >= begin, news.event.event)
        for one in there.sent
        for news in one.news
        if news.entry.startswith("mass/")
    ]
    assert mass == [(False, "mass.down"), (True, "mass.over")]
    assert set(sent_rows(there).values()) == {1}
    held = Counter(
        (row.event_id, row.channel, row.why) for row in there.rows if row.status == "not_sent"
    )
    assert set(held.values()) <= {1}


@pytest.mark.parametrize("seed", range(2))
def test_fifty_failovers_in_the_midst_of_messages_lose_nothing(seed: int) -> None:
    draw = Random(seed)  # noqa: S311 - a seed that can be repeated
    there = office()

    def answer(_: Delivery) -> Answer:
        return "hangs" if draw.random() < 0.4 else "confirmed"

    there.answers = {A: answer, B: answer, DUTY: answer}
    lost: Counter[str] = Counter()
    for number in range(TARGETS):
        there.take(opened(number, there.now))
        if number % 6 == 0:
            there.wait(draw.randint(0, 20) * SECOND)
            lost.update(one.channel.url for one in there.hanging)
            there.restart(dies=True, calm=False)
    there.answers.clear()
    there.land_all()
    there.wait(3 * HOUR)
    everybody = {f"incident/i{number}" for number in range(TARGETS)}
    for url in (A, B):
        told = incidents(there, url, "opened")
        assert set(told) == everybody
        assert max(told.values()) <= 1 + lost[url]
        assert lost[A] > 0
    assert most_within(times(there, B), 3600) <= LIMIT.messages
    # Told again, because they may not have arrived: each time as a message that counts.
    assert most_within(times(there, A)) <= 6
    assert set(incidents(there, LATER, "opened")) == everybody
    assert not any(sent > 1 for sent in sent_rows(there).values())
