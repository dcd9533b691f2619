"""Which messages have links, and to what."""

import pytest
from msgspec.structs import replace

from sinks.notifier.links.outgoing import MOST_LINKS, Links
from sinks.notifier.links.token import LIFE_MS, LinkClaim, verified
from sinks.notifier.model import Action, News
from sinks.notifier.texts.model import Budget
from sinks.notifier.texts.outside import link
from sinks.notifier.texts.render import render
from tests.unit.sinks.notifier.channels.deliveries import delivery, news
from tests.unit.sinks.notifier.events import AT

LINKS = Links("https://monitor.example.com/pq/", "k" * 32)
MAIL = "mailto://ops@example.com"


def claim_of(one: News) -> LinkClaim:
    base, _, token = one.link.rpartition("/i/")
    assert base == "https://monitor.example.com/pq"
    return verified(token, LINKS.key, AT + 1_000)


@pytest.mark.parametrize("action", ["opened", "worsened", "reminder"])
def test_an_open_outage_has_a_link_and_keeps_its_id(action: Action) -> None:
    before = delivery(MAIL, action, replace(news(), episode=3))
    after = LINKS.added(before)
    assert after.id == before.id
    claim = claim_of(after.news[0])
    incident_id = before.news[0].event.incident_id  # type: ignore[union-attr]
    assert (claim.action, claim.incident_id, claim.episode) == ("ack", incident_id, 3)
    assert claim.expires_at == (AT + 1_000 + LIFE_MS) // 1000
    assert link(after.news[0].link) is not None, "an ordinary URL"


@pytest.mark.parametrize("action", ["closed", "missed", "improved", "updated", "resolve"])
def test_what_is_over_or_better_has_none(action: Action) -> None:
    before = delivery(MAIL, action)
    assert LINKS.added(before) == before


def test_what_somebody_has_in_hand_has_none() -> None:
    before = delivery(MAIL, "opened", news(acknowledged_by="ann"))
    assert LINKS.added(before) == before


def test_the_console_has_none() -> None:
    before = delivery("console://", "opened")
    assert LINKS.added(before) == before


def test_a_digest_has_some_and_none_for_ends() -> None:
    down = [replace(news(f"i{n}/1"), action="opened") for n in range(MOST_LINKS + 5)]
    over = replace(news("over/1"), action="closed")
    after = LINKS.added(delivery(MAIL, "digest", over, *down))
    linked = [bool(one.link) for one in after.news]
    assert linked == [False, *[True] * MOST_LINKS, *[False] * 5]


def test_the_text_shows_the_link() -> None:
    after = LINKS.added(delivery(MAIL))
    assert after.news[0].link in render(after, Budget(title=250, body=10_000)).body
