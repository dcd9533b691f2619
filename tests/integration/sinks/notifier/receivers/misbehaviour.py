"""Every receiver misbehaves once, when an outage begins and when it ends."""

from typing import Final

from schemas.incident import Event
from tests.integration.sinks.notifier.receivers.scene import (
    AGAIN,
    DOWN,
    PEOPLE,
    UP,
    Outage,
    Scene,
    of_event,
    routes,
    titles,
    urls,
    without_doubles,
)
from tests.receivers import faults
from tests.receivers.neighbourhood import Neighbourhood

FAULTS: Final = {
    "500": faults.status(500),
    "503": faults.status(503),
    "429": faults.too_many(3),
    "429 until a date": faults.too_many(3, as_date=True),
    "too long": faults.TOO_LONG,
    "reset": faults.RESET,
    "reset unread": faults.RESET_UNREAD,
    "slow": faults.slow(8),
    "garbage": faults.GARBAGE,
    "hang": faults.HANG,
    "hang unread": faults.HANG_UNREAD,
    "drip": faults.DRIP,
    "flood": faults.FLOOD,
}
LONG: Final = ("hang", "hang unread", "drip")
"""What lasts to a read limit. A URL may make it shorter than 30 s, but for `drip`: a byte a second
passes it, and ends at the limit of the whole request."""

READ_S: Final = 5

MAY_KNOW: Final = frozenset({"reset", "garbage", "hang", "drip", "flood"})
"""The other side was told, and we can't know it: a repetition is right."""

NOT_OF_MAIL: Final = frozenset({"drip", "flood"})


def misbehave_once(street: Neighbourhood, name: str) -> None:
    for receiver in street.http:
        receiver.misbehave(FAULTS[name], times=1)
    if name not in NOT_OF_MAIL:
        # Mail has no status 5xx that is over soon.
        later = faults.status(451) if FAULTS[name].kind == "status" else FAULTS[name]
        street.smtp.misbehave(later, times=1)


async def told_through_misbehaviour(scene: Scene, name: str) -> None:
    """An outage and its end reach every receiver, each of which misbehaves once at either.

    `drip` at the outage alone: at either it is a minute.
    """
    street, outage = scene.street, Outage()
    misbehave_once(street, name)
    await scene.begin(*routes(street, read_s=READ_S if name in LONG else None))
    await scene.happens(opened := outage.opened())
    await knows(scene, outage, DOWN)
    await confirmed(scene, opened)
    if name != "drip":
        misbehave_once(street, name)
    await scene.happens(closed := outage.closed())
    await knows(scene, outage, UP)
    await confirmed(scene, closed)
    most = 2 if name in MAY_KNOW else 1
    for receiver in PEOPLE:
        found = titles(street, receiver, outage)
        assert without_doubles(found) == [DOWN, UP], receiver
        assert found.count(DOWN) <= most, receiver
        assert found.count(UP) <= most, receiver
    assert [one.state for one in street.pagerduty.incidents] == ["resolved"]
    assert street.pagerduty.incidents[0].triggers <= most
    assert [one.state for one in street.opsgenie.alerts] == ["closed"]
    # Repetitions have the same id: who reads ids is told each thing once.
    assert webhook_actions(street, outage) == ["trigger", "resolve"]


async def episode_through_misbehaviour(scene: Scene, name: str) -> None:
    """An acknowledgement and a second episode, while each receiver misbehaves once at either."""
    street, outage = scene.street, Outage()
    await scene.begin(*routes(street))
    await scene.happens(opened := outage.opened())
    await confirmed(scene, opened)
    for receiver in (street.pagerduty, street.opsgenie, street.webhook):
        receiver.misbehave(FAULTS[name], times=1)
    await scene.happens(outage.acknowledged())
    first, alert = street.pagerduty.incidents[0], street.opsgenie.alerts[0]
    await scene.until(lambda: first.state == "acknowledged", "PagerDuty knows")
    await scene.until(lambda: alert.state == "acknowledged", "Opsgenie knows")
    await scene.until(lambda: "acknowledge" in webhook_actions(street, outage), "the webhook knows")
    misbehave_once(street, name)
    await scene.happens(worsened := outage.worsened())
    for receiver in PEOPLE:
        await scene.until(lambda name=receiver: AGAIN in titles(street, name, outage), receiver)
    await scene.until(lambda: street.pagerduty.open(outage.key), "PagerDuty has the episode")
    await scene.until(lambda: street.opsgenie.open(outage.key), "Opsgenie has the episode")
    await confirmed(scene, worsened)
    assert (first.state, alert.state) == ("resolved", "closed")
    await scene.happens(closed := outage.closed())
    await confirmed(scene, closed)
    for receiver in PEOPLE:
        assert without_doubles(titles(street, receiver, outage)) == [DOWN, AGAIN, UP], receiver
    assert [one.state for one in street.pagerduty.incidents] == ["resolved", "resolved"]
    assert [one.state for one in street.opsgenie.alerts] == ["closed", "closed"]
    assert without_doubles(webhook_actions(street, outage)) == [
        "trigger",
        "acknowledge",
        "resolve",
        "trigger",
        "resolve",
    ]


async def confirmed(scene: Scene, event: Event) -> None:
    """Waits until every channel has confirmed: nothing more is to come."""

    async def by_all() -> bool:
        newest = {row.channel: row.status for row in of_event(await scene.rows(), event)}
        return list(newest.values()) == ["sent"] * len(urls(scene.street))

    await scene.until(by_all, f"each channel has confirmed {event.event}")


async def knows(scene: Scene, outage: Outage, title: str) -> None:
    """Waits until every receiver knows that the outage is there, or over."""
    street = scene.street
    for name in PEOPLE:
        await scene.until(lambda name=name: title in titles(street, name, outage), name)
    there = title == DOWN
    await scene.until(lambda: (street.pagerduty.open(outage.key) is not None) == there, "PagerDuty")
    await scene.until(lambda: (street.opsgenie.open(outage.key) is not None) == there, "Opsgenie")
    action = "trigger" if there else "resolve"
    await scene.until(lambda: action in webhook_actions(street, outage), "the webhook")


def webhook_actions(street: Neighbourhood, outage: Outage) -> list[str]:
    return [
        event["data"]["action"]
        for event in street.webhook.events
        if event["data"]["incident"]["incident_id"] == outage.incident_id
    ]
