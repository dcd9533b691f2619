"""An outage from its opening to its end, through every receiver and every misbehaviour."""

import pytest

from tests.integration.sinks.notifier.receivers.misbehaviour import knows, webhook_actions
from tests.integration.sinks.notifier.receivers.scene import (
    AGAIN,
    DOWN,
    PEOPLE,
    UP,
    Outage,
    Scene,
    of_event,
    route,
    routes,
    titles,
)
from tests.receivers import faults, neighbourhood
from tests.receivers.neighbourhood import BlackHole

pytestmark = pytest.mark.timeout(400)


async def told(scene: Scene, outage: Outage, expected: list[str]) -> None:
    """Waits until every receiver of people was told exactly this, in this order."""
    street = scene.street
    for name in PEOPLE:
        await scene.until(
            lambda name=name: len(titles(street, name, outage)) >= len(expected), name
        )
        assert titles(street, name, outage) == expected, name


async def test_each_change_of_an_incident_through_every_receiver(scene: Scene) -> None:
    street = scene.street
    banner = "554 @everyone <!channel> <!here> <@U0123ABCD> @all @channel <@123> @ops_team"
    outage = Outage(summary=f"The server said {banner}.")
    await scene.begin(*routes(street))
    await scene.happens(outage.opened())
    await told(scene, outage, [DOWN])
    await scene.until(lambda: street.pagerduty.open(outage.key), "PagerDuty opened")
    await scene.until(lambda: street.opsgenie.open(outage.key), "Opsgenie opened")
    await scene.until(lambda: webhook_actions(street, outage) == ["trigger"], "the webhook")
    await scene.happens(outage.acknowledged())
    acknowledged = street.pagerduty.incidents[-1]
    await scene.until(lambda: acknowledged.state == "acknowledged", "PagerDuty acknowledged")
    await scene.until(
        lambda: street.opsgenie.alerts[-1].state == "acknowledged", "Opsgenie acknowledged"
    )
    await scene.happens(outage.improved())
    some = "TCP Port Reachable From Most Regions"
    await told(scene, outage, [DOWN, some])
    first_key = outage.key
    await scene.happens(outage.worsened())
    await told(scene, outage, [DOWN, some, AGAIN])
    await scene.until(lambda: street.pagerduty.open(outage.key), "the second episode")
    assert acknowledged.state == "resolved"
    await scene.until(lambda: street.opsgenie.open(outage.key), "the second episode")
    assert street.opsgenie.open(first_key) is None
    await scene.happens(outage.closed())
    await told(scene, outage, [DOWN, some, AGAIN, UP])
    await scene.until(lambda: not street.pagerduty.open(outage.key), "PagerDuty resolved")
    await scene.until(lambda: not street.opsgenie.open(outage.key), "Opsgenie closed")
    actions = ["trigger", "acknowledge", "resolve", "trigger", "resolve"]
    await scene.until(lambda: len(webhook_actions(street, outage)) == len(actions), "the webhook")
    assert webhook_actions(street, outage) == actions
    assert [one.key for one in street.pagerduty.incidents] == [first_key, outage.key]
    assert street.pagerduty.without_effect == street.opsgenie.without_effect == []
    assert {one.severity for one in street.pagerduty.incidents} == {"critical"}
    for receiver in street.http:
        assert receiver.refused == [], receiver.describe()
        assert [arrival.mentions for arrival in receiver.told if arrival.mentions] == []


async def test_a_page_for_a_login_is_no_yes(scene: Scene) -> None:
    street, outage = scene.street, Outage()
    names = ("json", "mattermost", "discord", "slack", "telegram", "pagerduty", "webhook")
    for name in names:
        getattr(street, name).misbehave(faults.LOGIN)
    await scene.begin(*routes(street, *names))
    await scene.happens(opened := outage.opened())

    async def all_tried() -> bool:
        return {row.route for row in of_event(await scene.rows(), opened)} == set(names)

    await scene.until(all_tried, "each was tried")
    assert {row.status for row in await scene.rows()} == {"retrying"}
    for name in names:
        assert getattr(street, name).told == [], name


# tests/integration/receivers has all of them, without a notifier.
@pytest.mark.parametrize(
    "certificate",
    [
        "other_name",
        *(pytest.param(one, marks=pytest.mark.soak) for one in ("self_signed", "expired")),
    ],
)
async def test_nobody_is_told_with_a_wrong_certificate(
    scene: Scene, certificate: faults.Certificate
) -> None:
    street, outage = scene.street, Outage()
    for receiver in street.named:
        receiver.certificate = certificate
    await scene.begin(*routes(street))
    await scene.happens(outage.opened())
    for receiver in street.named:
        await scene.until(lambda one=receiver: one.failed_handshakes >= 2, f"{receiver.host} again")
        assert receiver.arrivals == []
    # The others are not kept waiting.
    assert titles(street, "mattermost", outage) == [DOWN]
    for receiver in street.named:
        receiver.behave()
    await knows(scene, outage, DOWN)
    for name in PEOPLE:
        assert titles(street, name, outage) == [DOWN], name


async def test_whatever_can_not_be_reached_is_told_when_it_can(scene: Scene) -> None:
    street, outage = scene.street, Outage()
    street.json.stop_listening()
    street.slack.stop_listening()
    with BlackHole() as hole:
        await scene.begin(
            *routes(street, "json", "slack", "mattermost"),
            route("hole", f"json://127.0.0.1:{hole.port}/hole"),
            route("nobody", f"json://{neighbourhood.NO_SUCH_NAME}/s3cret-path"),
        )
        await scene.happens(opened := outage.opened())
        await scene.until(lambda: titles(street, "mattermost", outage) == [DOWN], "the healthy one")

        async def all_tried() -> bool:
            tried = {row.route for row in await scene.rows() if row.status == "retrying"}
            return tried == {"json", "slack", "hole", "nobody"}

        await scene.until(all_tried, "each of the others was tried")
        for row in await scene.rows():
            assert "s3cret" not in repr(row)
            if row.status == "retrying":
                assert row.error, row
                assert row.event_id == opened.event_id
        street.json.listen_again()
        street.slack.listen_again()
        await scene.until(lambda: titles(street, "json", outage) == [DOWN], "the refused one")
        await scene.until(lambda: titles(street, "slack", outage) == [DOWN], "the one behind 503")
        # A URL that is repaired gets what its broken predecessor did not.
        await scene.publish_routes(route("nobody", street.json_url("repaired")))
        await scene.until(lambda: len(titles(street, "json", outage)) == 2, "the repaired one")
        assert street.json.told[-1].request.path == "/repaired"
    assert titles(street, "mattermost", outage) == [DOWN]


async def test_a_channel_that_hangs_holds_no_other(scene: Scene) -> None:
    street = scene.street
    street.telegram.misbehave(faults.HANG)
    street.discord.misbehave(faults.HANG_UNREAD)
    await scene.begin(*routes(street))
    outages = [Outage() for _ in range(20)]
    await scene.happens(*[outage.opened() for outage in outages])
    for outage in outages:
        for name in set(PEOPLE) - {"telegram", "discord"}:
            await scene.until(
                lambda outage=outage, name=name: titles(street, name, outage) == [DOWN], name
            )
    # Before one of the hanging requests has come to its read limit.
    assert [arrival.answered for arrival in street.telegram.arrivals if arrival.answered] == []
    rows = await scene.rows()
    assert [row for row in rows if row.route == "telegram" and row.status == "sent"] == []
    street.behave()
    for outage in outages:
        await scene.until(
            lambda outage=outage: DOWN in titles(street, "discord", outage), "Discord afterwards"
        )


async def test_a_no_with_status_200_is_a_no(scene: Scene) -> None:
    street, outage = scene.street, Outage()
    street.slack_bot.error = "channel_not_found"
    await scene.begin(*routes(street, "slack_bot", missed="drop"))
    await scene.happens(opened := outage.opened())

    async def tried() -> bool:
        return [row.status for row in of_event(await scene.rows(), opened)][:1] == ["retrying"]

    await scene.until(tried, "it is tried")
    assert "channel_not_found" in str(of_event(await scene.rows(), opened)[0].error)
    assert street.slack_bot.told == []
    await scene.happens(outage.closed())
    rows = await scene.until_settled(opened)
    # Nobody was told of the outage, so nobody is told that it is over.
    assert "sent" not in {row.status for row in rows}
    assert street.slack_bot.told == []
