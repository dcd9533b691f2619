"""A message that its channel can't take holds no other message of this channel up."""

import itertools

import pytest

from schemas.policy import Route
from sinks.notifier.model import Channel, Delivery
from tests.unit.sinks.notifier.decision.office import HOUR, MINUTE, Answer, Office, class_of
from tests.unit.sinks.notifier.events import incident_event

MAIL = "json://a"
PAGER = "pagerduty://a"
ALERTS = "alertmanager://a"


def only_not(incident_id: str, kind: str) -> Answer:
    """A channel that answers so to messages of this incident, and takes all others."""

    def answer(delivery: Delivery) -> str:
        of_it = any(news.entry == f"incident/{incident_id}" for news in delivery.news)
        return kind if of_it and delivery.action != "refresh" else "confirmed"

    return answer


@pytest.mark.parametrize("url", [MAIL, PAGER, ALERTS])
@pytest.mark.parametrize("kind", ["unreachable", "uncertain", "misconfigured"])
def test_others_are_told_at_the_next_attempt_of_the_channel(url: str, kind: str) -> None:
    there = Office(Route(name="all", urls=(url,)))
    there.answers[url] = only_not("i1", kind)
    there.take(incident_event())
    there.wait(10 * MINUTE)
    for number in range(2, 5):
        name = f"i{number}"
        there.take(incident_event(incident_id=name, event_id=f"e{number}", host=name))
    there.wait(4 * MINUTE)
    assert {row.event_id for row in there.rows if row.status == "sent"} == {"e2", "e3", "e4"}
    before = len(there.sent)
    there.wait(HOUR)
    # People are told less often what they may have already.
    rare = kind == "uncertain" and class_of(Channel("", url)) == "people"
    again = [one for one in there.sent[before:] if one.action != "refresh"]
    assert len(again) > (10 if rare else 25)


@pytest.mark.parametrize("kind", ["unreachable", "uncertain", "misconfigured"])
def test_what_is_open_in_alertmanager_is_repeated_in_time(kind: str) -> None:
    """An alert ends there when it is not repeated within 5 min."""
    there = Office(Route(name="all", urls=(ALERTS,)))
    there.answers[ALERTS] = only_not("i1", kind)
    there.take(incident_event(incident_id="i2", event_id="e2", host="h2"))
    there.take(incident_event())
    there.wait(HOUR)
    told = [one.at for one in there.sent if any(news.entry == "incident/i2" for news in one.news)]
    assert max(later - earlier for earlier, later in itertools.pairwise(told)) < 4 * MINUTE
