"""On-call systems by Apprise: key and action arrive; what a system can't do is not sent."""

import apprise
import pytest

from sinks.notifier.channels.send import send
from sinks.notifier.model import Action
from tests.receivers.neighbourhood import Neighbourhood
from tests.unit.sinks.notifier.channels.deliveries import delivery, news

INTEGRATION = "ab12cd34-ab12-4c5d-8e9f-0123456789ab"

needs_goalert = pytest.mark.skipif(
    "goalert" not in apprise.manager_plugins.NotificationManager().schemas(),
    reason="this Apprise has no goalert://",
)


@needs_goalert
def test_an_alert_opens_and_closes_by_its_key(street: Neighbourhood) -> None:
    url = f"goalert://127.0.0.1:{street.json.port}/{INTEGRATION}"
    before = len(street.json.told)
    actions: tuple[Action, ...] = ("trigger", "resolve")
    for action in actions:
        outcome = send(delivery(url, action), may_send=lambda: True)
        assert outcome.kind == "confirmed", outcome
    opened, closed = (one.request.json() for one in street.json.told[before:])
    assert opened["dedup"] == closed["dedup"] == "i1/1"
    assert closed["action"] == "close"
    assert "action" not in opened


@needs_goalert
def test_what_a_system_cannot_do_is_not_sent(street: Neighbourhood) -> None:
    url = f"goalert://127.0.0.1:{street.json.port}/{INTEGRATION}"
    before = len(street.json.arrivals)
    outcome = send(delivery(url, "acknowledge"), may_send=lambda: True)
    assert outcome.kind == "confirmed"
    assert outcome.subject == ""
    assert len(street.json.arrivals) == before


@pytest.mark.parametrize(
    ("action", "because", "kind"),
    [
        ("opened", None, "failure"),
        ("closed", "recovered", "success"),
        ("closed", "abandoned", "info"),
    ],
)
def test_people_are_told_the_type(
    street: Neighbourhood, action: Action, because: str | None, kind: str
) -> None:
    before = len(street.json.told)
    one = news(event=action, closed_because=because)
    outcome = send(delivery(street.json_url(), action, one), may_send=lambda: True)
    assert outcome.kind == "confirmed"
    assert street.json.told[before].request.json()["type"] == kind
