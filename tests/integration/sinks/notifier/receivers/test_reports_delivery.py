"""Public reports of other monitors: channels that are away, slow, strict, or many.

Each test names the report, what was complained of, and what ours does.
"""

import pytest

from schemas.incident import HostTarget
from tests.integration.sinks.notifier.receivers.scene import (
    DOWN,
    UP,
    Outage,
    Scene,
    of_event,
    route,
    routes,
    titles,
)
from tests.receivers import faults

pytestmark = pytest.mark.timeout(300)


async def test_a_channel_that_is_away_for_a_moment_loses_nothing(scene: Scene) -> None:
    """https://github.com/louislam/uptime-kuma/issues/6046
    https://github.com/louislam/uptime-kuma/issues/4858

    Telegram can't be reached while the router changes its line; the message of the outage is lost,
    and later comes "up again" alone. Ours is sent for as long as the incident is open.
    """
    street, outage = scene.street, Outage()
    street.telegram.stop_listening()
    await scene.begin(*routes(street, "telegram"))
    await scene.happens(opened := outage.opened())

    async def tried() -> bool:
        return len([r for r in of_event(await scene.rows(), opened) if r.attempt >= 2]) >= 1

    await scene.until(tried, "tried more than once")
    street.telegram.listen_again()
    await scene.until(lambda: titles(street, "telegram", outage) == [DOWN], "the outage is told")
    await scene.happens(outage.closed())
    await scene.until(lambda: titles(street, "telegram", outage) == [DOWN, UP], "and its end")


async def test_an_outage_is_told_without_waiting_for_another_event(scene: Scene) -> None:
    """https://github.com/louislam/uptime-kuma/issues/3410

    The mail of an outage goes out with the next check, 5 min later. Ours needs no further event.
    """
    street, outage = scene.street, Outage()
    await scene.begin(*routes(street, "smtp"))
    await scene.happens(outage.opened())
    await scene.until(lambda: titles(street, "smtp", outage) == [DOWN], "the mail")
    assert outage.name in street.smtp.subjects[0]


async def test_a_recovery_closes_the_alert_in_opsgenie(scene: Scene) -> None:
    """https://github.com/louislam/uptime-kuma/issues/3398
    https://github.com/caronc/apprise/issues/748

    By its own provider the recovery is not seen in Opsgenie, by Apprise's it is another alert, and
    people close both by hand. Ours closes by the alias under which it opened.
    """
    street, outage = scene.street, Outage()
    await scene.begin(*routes(street, "opsgenie"))
    await scene.happens(outage.opened())
    await scene.until(lambda: street.opsgenie.open(outage.key), "opened")
    await scene.happens(outage.closed())
    await scene.until(lambda: not street.opsgenie.open(outage.key), "closed")
    assert [(one.alias, one.state) for one in street.opsgenie.alerts] == [(outage.key, "closed")]
    assert street.opsgenie.without_effect == []


async def test_a_resolve_that_is_lost_comes_again(scene: Scene) -> None:
    """https://github.com/louislam/uptime-kuma/issues/5322

    The monitor is healthy and PagerDuty's incident stays open: its one resolve was lost. Ours is
    sent until PagerDuty has said yes, also by the notifier that takes over.
    """
    street, outage = scene.street, Outage()
    active = await scene.begin(*routes(street, "pagerduty"))
    await scene.happens(outage.opened())
    await scene.until(lambda: street.pagerduty.open(outage.key), "opened")
    street.pagerduty.misbehave(faults.status(500))
    await scene.happens(outage.closed())
    await scene.until(lambda: len(street.pagerduty.refused) >= 2, "the resolve is refused")
    await active.kill()
    await scene.start()
    before = len(street.pagerduty.refused)
    await scene.until(lambda: len(street.pagerduty.refused) > before, "by the next one, too")
    street.pagerduty.behave()
    await scene.until(lambda: not street.pagerduty.open(outage.key), "resolved")
    assert len(street.pagerduty.incidents) == 1


async def test_pagerduty_and_opsgenie_learn_of_the_end(scene: Scene) -> None:
    """https://github.com/cloudprober/cloudprober/pull/558 (559 and 581 for Opsgenie)
    https://github.com/prometheus/alertmanager/issues/635

    Incidents were opened and never resolved. Ours resolves each, and only its own.
    """
    street, over, stays = scene.street, Outage(), Outage()
    await scene.begin(*routes(street, "pagerduty", "opsgenie"))
    await scene.happens(over.opened(), stays.opened())
    for outage in (over, stays):
        await scene.until(lambda one=outage: street.pagerduty.open(one.key), "PagerDuty opened")
        await scene.until(lambda one=outage: street.opsgenie.open(one.key), "Opsgenie opened")
    await scene.happens(over.closed())
    await scene.until(lambda: not street.pagerduty.open(over.key), "PagerDuty resolved")
    await scene.until(lambda: not street.opsgenie.open(over.key), "Opsgenie closed")
    assert street.pagerduty.open(stays.key)
    assert street.opsgenie.open(stays.key)


async def test_each_outage_is_an_alert_of_its_own(scene: Scene) -> None:
    """https://github.com/prometheus/alertmanager/issues/2104

    The second outage has the alias of the first, and Opsgenie calls nobody. Ours has another key:
    of another incident, and of each episode of one.
    """
    street, outage = scene.street, Outage()
    await scene.begin(*routes(street, "opsgenie"))
    await scene.happens(outage.opened())
    await scene.until(lambda: street.opsgenie.open(outage.key), "opened")
    first = outage.key
    await scene.happens(outage.improved(), outage.worsened())
    await scene.until(lambda: street.opsgenie.open(outage.key), "the second episode")
    await scene.until(lambda: not street.opsgenie.open(first), "the first one is closed")
    assert [one.count for one in street.opsgenie.alerts] == [1, 1]


async def test_a_slow_receiver_gets_it_once(scene: Scene) -> None:
    """https://github.com/prometheus/alertmanager/issues/2657

    A webhook that is a bit slow gets the same notification several times: a time-out counts as a
    failure. Ours waits 30 s.
    """
    street, outage = scene.street, Outage()
    street.json.misbehave(faults.slow(12))
    await scene.begin(*routes(street, "json"))
    await scene.happens(opened := outage.opened())
    rows = of_event(await scene.until_settled(opened), opened)
    assert [(row.status, row.attempt) for row in rows] == [("sent", 1)]
    assert titles(street, "json", outage) == [DOWN]


async def test_one_channel_that_fails_repeats_nothing_to_the_others(scene: Scene) -> None:
    """https://github.com/prometheus/alertmanager/issues/1494

    One receiver of two refuses; the retries go to both, and mail comes again and again. Ours tries
    each channel for itself.
    """
    street, outage = scene.street, Outage()
    street.json.misbehave(faults.status(500))
    await scene.begin(route("both", street.smtp.url(), street.json_url()))
    await scene.happens(outage.opened())
    await scene.until(lambda: len(street.json.refused) >= 3, "three attempts")
    await scene.happens(outage.closed())
    await scene.until(lambda: titles(street, "smtp", outage) == [DOWN, UP], "the mails")
    attempts = len(street.json.refused)
    street.json.behave()
    later = Outage()
    await scene.happens(later.opened())
    await scene.until(lambda: titles(street, "smtp", later) == [DOWN], "a later mail")
    assert titles(street, "smtp", outage) == [DOWN, UP]
    assert attempts >= 3


async def test_a_channel_that_is_away_takes_no_others_place(scene: Scene) -> None:
    """https://github.com/prometheus/prometheus/issues/7676

    One of three Alertmanagers is away, the common queue fills up, and notifications are dropped for
    all three. Ours has a queue for each channel.
    """
    street = scene.street
    street.slack.misbehave(faults.HANG_UNREAD)
    await scene.begin(*routes(street, "slack", "json"))
    outages = [Outage() for _ in range(100)]
    await scene.happens(*[outage.opened() for outage in outages])
    await scene.until(lambda: len(street.json.told) == len(outages), "all of them")
    assert all(titles(street, "json", outage) == [DOWN] for outage in outages)
    assert street.slack.told == []


async def test_an_outage_of_many_ports_fits_telegram_and_discord(scene: Scene) -> None:
    """https://github.com/grafana/grafana/issues/48812 (Telegram, 35 alerts)
    https://github.com/dgtlmoon/changedetection.io/issues/323 (Discord, through Apprise)
    https://github.com/louislam/uptime-kuma/issues/5452 (a message for each port of a host)

    The larger the outage, the surer the silence: the text is too long and refused with 400. Ours is
    one message for the host, and fits.
    """
    street = scene.street
    words = "nobody answers " * 20
    ports = [
        Outage(host="big.example.com", port=1_000 + number, summary=words) for number in range(60)
    ]
    # The text's length decides, not how many arrive within the time of a group.
    scene.settings = scene.waiting(3.0)
    await scene.begin(*routes(street, "telegram", "discord"))
    await scene.happens(*[port.opened() for port in ports])
    for receiver in (street.telegram, street.discord):
        await scene.until(lambda one=receiver: one.told, receiver.host)
        assert receiver.refused == [], receiver.describe()
        assert "big.example.com" in receiver.texts[0]
    for port in ports:
        rows = await scene.rows()
        assert all(row.status == "sent" for row in rows if row.target == port.name)


async def test_what_a_server_said_is_no_markup(scene: Scene) -> None:
    """https://github.com/prometheus/alertmanager/issues/2923

    Telegram refuses a message whose markup was cut ("can't parse entities"), and nobody is told.
    Ours is cut before it is marked up, and a server's words are text.
    """
    street = scene.street
    said = "<b>220 <i>ready</i> & *not* _closed [x](y `z < > &lt; </b" + "<i>" * 700
    outage = Outage(summary=said[:2_000], first_steps=("a < b && c > d", "_*[`"))
    await scene.begin(*routes(street, "telegram", "slack", "slack_bot", "discord", "mattermost"))
    await scene.happens(opened := outage.opened())
    for receiver in (street.telegram, street.slack, street.slack_bot, street.discord):
        await scene.until(lambda one=receiver: one.arrivals, receiver.host)
        assert receiver.refused == [], receiver.describe()
        assert "220" in receiver.texts[0]
    rows = of_event(await scene.until_settled(opened), opened)
    assert {(row.status, row.attempt) for row in rows} == {("sent", 1)}


async def test_a_fallback_is_told_when_the_channel_is_not(scene: Scene) -> None:
    """https://github.com/prometheus/alertmanager/issues/3359

    There is no way to say who is told instead when a webhook does not take it. Ours has `fallback`,
    and says that the channel is broken.
    """
    street, outage = scene.street, Outage()
    street.json.misbehave(faults.status(500))
    first, second = routes(street, "json", "mattermost", severities=("critical",))
    await scene.begin(
        route("first", *first.urls, fallback=("second",), fallback_after_ms=3_000),
        route("second", *second.urls, tags=("nobody-has-it",)),
    )
    await scene.happens(outage.opened())
    await scene.until(lambda: titles(street, "mattermost", outage) == [DOWN], "the fallback")
    broken = lambda: [text for text in street.mattermost.texts if outage.name not in text]  # noqa: E731
    await scene.until(broken, "it is told that the channel is broken")
    street.json.behave()
    await scene.until(lambda: titles(street, "json", outage) == [DOWN], "the channel, at last")
    await scene.happens(outage.closed())
    for name in ("json", "mattermost"):
        await scene.until(lambda name=name: titles(street, name, outage)[-1] == UP, name)


async def test_too_many_requests_are_waited_for(scene: Scene) -> None:
    """https://github.com/prometheus/alertmanager/issues/2121
    https://github.com/netdata/netdata/pull/13119

    429 was tried again at once (Slack disables such applications), or the message was lost. Ours
    waits for as long as it was asked to.
    """
    street, outage = scene.street, Outage()
    street.slack.misbehave(faults.too_many(5), times=1)
    street.telegram.misbehave(faults.too_many(5), times=1)
    await scene.begin(*routes(street, "slack", "telegram"))
    await scene.happens(outage.opened())
    for receiver in (street.slack, street.telegram):
        await scene.until(lambda one=receiver: one.told, receiver.host)
        first, second = receiver.arrivals
        assert second.at - first.at >= 5, receiver.host


async def test_a_missing_secret_is_said_at_the_start(scene: Scene) -> None:
    """https://github.com/Yeraze/meshmonitor/pull/396

    Apprise does not take a URL and says nothing: the first outage shows that there is no channel.
    Ours says at the start which variable is missing, keeps what waits, and tells it after a start
    with the variable.
    """
    street, outage = scene.street, Outage()
    variable = "OPS_CHANNEL_TOKEN"
    url = street.json_url(f"${{{variable}}}")
    active = await scene.begin(route("ops", url))
    await scene.until(lambda: variable in active.log.read_text(), "it is said")
    await scene.happens(opened := outage.opened())

    async def kept() -> bool:
        return [row.status for row in of_event(await scene.rows(), opened)][-1:] == ["retrying"]

    await scene.until(kept, "it is kept")
    assert await active.terminate() == 0
    await scene.start(**{variable: "s3cret"})
    await scene.until(lambda: titles(street, "json", outage) == [DOWN], "it is told")
    assert street.json.told[0].request.path == "/s3cret"
    assert "s3cret" not in repr(await scene.rows())


async def test_large_details_fit_pagerduty_and_opsgenie(scene: Scene) -> None:
    """https://github.com/prometheus/alertmanager/issues/2178

    A list of everything that is down makes an event of more than 512 KB, which PagerDuty refuses.
    Ours says what fits.
    """
    street = scene.street
    others = tuple(
        HostTarget(target=f"t{n}", name="x" * 200, kind="tcp", port=n, status="down")
        for n in range(1, 2_500)
    )
    outage = Outage(
        summary="y" * 8_000, first_steps=("z" * 8_000,), host_targets=others, tags=("w" * 200,) * 50
    )
    await scene.begin(*routes(street, "pagerduty", "opsgenie", "webhook"))
    await scene.happens(opened := outage.opened())
    rows = of_event(await scene.until_settled(opened), opened)
    assert {(row.status, row.attempt) for row in rows} == {("sent", 1)}
    assert street.pagerduty.open(outage.key)
    assert street.opsgenie.open(outage.key)
    assert [arrival.told for arrival in street.webhook.arrivals] == [True]
