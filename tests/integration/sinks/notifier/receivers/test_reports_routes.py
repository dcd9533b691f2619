"""Public reports of other monitors: what a changed configuration or a restart must not do.

Each test names the report, what was complained of, and what ours does.
"""

import pytest

from tests.integration.sinks.notifier.receivers.scene import (
    DOWN,
    PEOPLE,
    UP,
    Outage,
    Scene,
    of_event,
    route,
    routes,
    titles,
    urls,
)
from tests.receivers import faults

pytestmark = pytest.mark.timeout(300)


async def test_changed_routes_tell_nobody_again(scene: Scene) -> None:
    """https://github.com/prometheus/alertmanager/issues/3410

    After a reload with other matchers or grouping, alerts that were told already are told again:
    what was told belongs to a group of the configuration. Ours belongs to the incident.
    """
    street, outage = scene.street, Outage()
    await scene.begin(*routes(street, *PEOPLE))
    await scene.happens(outage.opened())
    for name in PEOPLE:
        await scene.until(lambda name=name: titles(street, name, outage), name)
    known = urls(street)
    # Other match fields, another name, the URLs in one route and in another order.
    await scene.publish_routes(
        *routes(street, *PEOPLE[:3], severities=("critical",)),
        route("all", *[known[name] for name in reversed(PEOPLE)]),
    )
    later = Outage()
    await scene.happens(later.opened())
    for name in PEOPLE:
        await scene.until(lambda name=name: titles(street, name, later), name)
        assert titles(street, name, later) == [DOWN], name
    await scene.happens(outage.closed())
    for name in PEOPLE:
        await scene.until(lambda name=name: UP in titles(street, name, outage), name)
        assert titles(street, name, outage) == [DOWN, UP], name


async def test_a_send_under_way_survives_changed_routes(scene: Scene) -> None:
    """https://github.com/prometheus/alertmanager/issues/2417

    A reload cancels notifications that are on their way ("context canceled"): some are never sent,
    others toggle between firing and resolved. Ours ends what it has begun, and records it.
    """
    street, outage = scene.street, Outage()
    street.mattermost.misbehave(faults.slow(6), times=1)
    await scene.begin(*routes(street, "mattermost", "json"))
    await scene.happens(opened := outage.opened())
    await scene.until(lambda: street.mattermost.told, "the slow channel has the request")
    for severities in (("critical",), ("critical", "warning"), ()):
        await scene.publish_routes(*routes(street, "mattermost", "json", severities=severities))
    rows = of_event(await scene.until_settled(opened), opened)
    assert {row.status for row in rows} == {"sent"}
    await scene.happens(outage.closed())
    for name in ("mattermost", "json"):
        await scene.until(lambda name=name: UP in titles(street, name, outage), name)
        assert titles(street, name, outage) == [DOWN, UP], name


async def test_an_end_while_routes_change_closes_the_alert(scene: Scene) -> None:
    """https://github.com/prometheus/alertmanager/issues/2146

    The reload drops the notification of the end: the alert stays open in Opsgenie although it is
    over. Ours closes by the key that it opened, whatever the routes are by then.
    """
    street, outage = scene.street, Outage()
    await scene.begin(*routes(street, "opsgenie", "pagerduty"))
    await scene.happens(outage.opened())
    await scene.until(lambda: street.opsgenie.open(outage.key), "Opsgenie opened")
    await scene.until(lambda: street.pagerduty.open(outage.key), "PagerDuty opened")
    # Neither route takes it any more when it ends.
    await scene.publish_routes(*routes(street, "opsgenie", "pagerduty", severities=("info",)))
    later = Outage(severity="info")
    await scene.happens(later.opened())
    await scene.until(lambda: street.opsgenie.open(later.key), "the new routes are in force")
    await scene.happens(outage.closed())
    await scene.until(lambda: not street.opsgenie.open(outage.key), "Opsgenie closed")
    await scene.until(lambda: not street.pagerduty.open(outage.key), "PagerDuty resolved")


async def test_a_restart_tells_nobody_again(scene: Scene) -> None:
    """https://github.com/TwiN/gatus/issues/679

    What was told is in memory alone: after a restart everything that is down is told again. (The
    fix, pull request 764, then told every endpoint that is up.) Ours is on a topic.
    """
    street, outage, over = scene.street, Outage(), Outage()
    first = await scene.begin(*routes(street, *PEOPLE, "pagerduty"))
    await scene.happens(outage.opened(), over.opened())
    await scene.happens(over.closed())
    for name in PEOPLE:
        await scene.until(lambda name=name: titles(street, name, outage) == [DOWN], name)
    for _ in range(2):
        assert await first.terminate() == 0
        first = await scene.start()
        mark = Outage()
        await scene.happens(mark.opened())
        for name in PEOPLE:
            await scene.until(lambda name=name, mark=mark: titles(street, name, mark), name)
    for name in PEOPLE:
        assert titles(street, name, outage) == [DOWN], name
    assert [one.triggers for one in street.pagerduty.incidents if one.key == outage.key] == [1]


async def test_an_end_while_nobody_runs_is_told_at_the_start(scene: Scene) -> None:
    """https://github.com/TwiN/gatus/issues/1111

    It was told, the monitor crashes, it ends meanwhile, the monitor starts: nobody hears of the
    end, and an alert stays in the other system for ever. Ours knows whom it told.
    """
    street, outage = scene.street, Outage()
    active = await scene.begin(*routes(street, "mattermost", "pagerduty", "opsgenie"))
    await scene.happens(outage.opened())
    await scene.until(lambda: titles(street, "mattermost", outage), "it is told")
    await scene.until(lambda: street.pagerduty.open(outage.key), "PagerDuty opened")
    await scene.until(lambda: street.opsgenie.open(outage.key), "Opsgenie opened")
    await active.kill()
    await scene.happens(outage.closed())
    await scene.start()
    await scene.until(lambda: titles(street, "mattermost", outage) == [DOWN, UP], "the end")
    await scene.until(lambda: not street.pagerduty.open(outage.key), "PagerDuty resolved")
    await scene.until(lambda: not street.opsgenie.open(outage.key), "Opsgenie closed")


async def test_who_was_not_told_of_the_outage_gets_no_recovery(scene: Scene) -> None:
    """https://github.com/prometheus/alertmanager/issues/878
    https://github.com/louislam/uptime-kuma/issues/4792

    A recovery of something that nobody was told of: the alert ended within `group_wait`, or the
    mail server was away when the message of the outage should have gone. Ours goes to who was told;
    who could not be told gets one message that says both.
    """
    street, outage = scene.street, Outage()
    street.json.misbehave(faults.status(503))
    await scene.begin(*routes(street, "json", "mattermost"))
    await scene.happens(opened := outage.opened())
    await scene.until(lambda: titles(street, "mattermost", outage), "the other one is told")
    await scene.until(lambda: street.json.refused, "it was tried")
    await scene.happens(closed := outage.closed())
    await scene.until(lambda: titles(street, "mattermost", outage) == [DOWN, UP], "the other one")
    street.json.behave()
    later = Outage()
    await scene.happens(later.opened())
    await scene.until(lambda: titles(street, "json", later) == [DOWN], "it works again")
    assert titles(street, "json", outage) == []
    rows = [row for row in await scene.until_settled(closed) if row.route == "json"]
    why = [row.why for row in rows if row.event_id in {opened.event_id, closed.event_id}]
    assert "not_sent" in {row.status for row in rows}
    assert any(isinstance(text, str) and text for text in why)
