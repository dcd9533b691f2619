"""What is no common incident, through real receivers: regions, unwatched targets, odd ends."""

import time
import uuid

import pytest

from schemas import incident
from schemas.incident import RegionEvent, TargetsEvent, UnwatchedTarget
from tests.integration.sinks.notifier.receivers.scene import (
    DOWN,
    PEOPLE,
    Outage,
    Scene,
    of_event,
    route,
    routes,
    titles,
)
from tests.receivers import faults
from tests.receivers.neighbourhood import Neighbourhood
from tests.receivers.smtp import SmtpReceiver

pytestmark = pytest.mark.timeout(300)


def texts(street: Neighbourhood, name: str) -> list[str]:
    if name == "smtp":
        return [f"{mail.subject}\n{mail.text}" for mail in street.smtp.told]
    return list(getattr(street, name).texts)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def of_region(kind: str, region: str) -> RegionEvent:
    at = now_ms()
    return RegionEvent(
        event_id=str(uuid.uuid5(incident.NAMESPACE, f"{region}/{kind}/{at}")),
        event=kind,  # type: ignore[arg-type]
        region=region,
        at=at,
        summary=f"Region {region}: {kind}.",
        last_beat_at=at - 60_000,
    )


def of_targets(partition: int, count: int) -> TargetsEvent:
    at = now_ms()
    return TargetsEvent(
        event_id=str(uuid.uuid5(incident.NAMESPACE, f"targets/{partition}/{count}/{at}")),
        event="targets.unwatched" if count else "targets.watched",
        partition=partition,
        cause_id="cause-1",
        severity="critical",
        count=count,
        most_critical=(UnwatchedTarget(target="db", name="The DB", criticality="critical"),)
        * min(1, count),
        silent_regions={"moon-base": at - 600_000} if count else {},
        since=at - 300_000,
        at=at,
        summary=f"{count} targets are not watched.",
    )


async def test_a_region_is_one_key_from_its_silence_to_its_return(scene: Scene) -> None:
    street = scene.street
    await scene.begin(*routes(street))
    await scene.happens(of_region("region.silent", "moon-base"))
    await scene.until(lambda: street.pagerduty.open("region:moon-base"), "PagerDuty")
    await scene.until(lambda: street.opsgenie.open("region:moon-base"), "Opsgenie")
    for name in PEOPLE:
        await scene.until(lambda name=name: len(texts(street, name)) == 1, name)
        assert "moon-base" in texts(street, name)[0]
    await scene.happens(of_region("region.returned", "moon-base"))
    await scene.until(lambda: not street.pagerduty.open("region:moon-base"), "PagerDuty")
    await scene.until(lambda: not street.opsgenie.open("region:moon-base"), "Opsgenie")
    for name in PEOPLE:
        await scene.until(lambda name=name: len(texts(street, name)) == 2, name)
    for receiver in street.http:
        assert receiver.refused == [], receiver.describe()
    assert [one["data"]["action"] for one in street.webhook.events] == ["trigger", "resolve"]


async def test_unwatched_targets_are_one_alert_that_grows_and_ends(scene: Scene) -> None:
    street = scene.street
    await scene.begin(*routes(street))
    await scene.happens(of_targets(0, 12))
    await scene.until(lambda: street.pagerduty.open("targets:cause-1"), "PagerDuty")
    for name in PEOPLE:
        await scene.until(lambda name=name: texts(street, name), name)
        assert "12" in texts(street, name)[0]
    await scene.happens(of_targets(1, 30))
    for name in PEOPLE:
        await scene.until(lambda name=name: "42" in texts(street, name)[-1], f"{name}: the sum")
    await scene.happens(of_targets(0, 0))
    await scene.happens(of_targets(1, 0))
    await scene.until(lambda: not street.pagerduty.open("targets:cause-1"), "PagerDuty")
    await scene.until(lambda: not street.opsgenie.open("targets:cause-1"), "Opsgenie")
    assert len(street.pagerduty.incidents) == len(street.opsgenie.alerts) == 1
    for receiver in street.http:
        assert receiver.refused == [], receiver.describe()


async def test_an_abandoned_incident_stays_open_on_call_and_is_continued(scene: Scene) -> None:
    street, outage = scene.street, Outage()
    await scene.begin(*routes(street, "pagerduty", "opsgenie", "mattermost"))
    await scene.happens(outage.opened())
    await scene.until(lambda: street.pagerduty.open(outage.key), "PagerDuty")
    await scene.until(lambda: street.opsgenie.open(outage.key), "Opsgenie")
    await scene.until(lambda: titles(street, "mattermost", outage) == [DOWN], "people")
    await scene.happens(outage.closed("abandoned"))
    await scene.until(lambda: len(titles(street, "mattermost", outage)) == 2, "people are told")
    assert "Reachable Again" not in titles(street, "mattermost", outage)[1]
    # Of the same target, another incident: the same alert goes on.
    again = Outage(outage.name)
    again.incident_id = str(uuid.uuid4())
    again._count = 100
    await scene.happens(again.opened())
    await scene.until(lambda: len(titles(street, "mattermost", outage)) == 3, "people are told")
    await scene.happens(again.closed())
    await scene.until(lambda: not street.pagerduty.open(outage.key), "PagerDuty")
    await scene.until(lambda: not street.opsgenie.open(outage.key), "Opsgenie")
    assert len(street.pagerduty.incidents) == len(street.opsgenie.alerts) == 1


async def test_what_came_and_went_unheard_is_one_message_or_none(scene: Scene) -> None:
    street, outage = scene.street, Outage()
    tell, drop = routes(street, "mattermost")[0], routes(street, "json", missed="drop")[0]
    await scene.begin(tell, drop)
    street.mattermost.misbehave(faults.status(503))
    street.json.misbehave(faults.status(503))
    await scene.happens(opened := outage.opened())
    await scene.until(lambda: street.mattermost.refused, "tried")
    await scene.until(lambda: street.json.refused, "tried")
    await scene.happens(closed := outage.closed())

    async def dropped() -> bool:
        rows = [row for row in await scene.rows() if row.route == "json"]
        return any(row.status == "not_sent" for row in rows)

    await scene.until(dropped, "the one is not told")
    street.behave()
    await scene.until(lambda: titles(street, "mattermost", outage), "the other one is")
    assert titles(street, "mattermost", outage) == ["TCP Port Was Unreachable"]
    later = Outage()
    await scene.happens(later.opened())
    await scene.until(lambda: titles(street, "json", later) == [DOWN], "a later one")
    assert titles(street, "json", outage) == []
    rows = await scene.rows()
    assert of_event(rows, opened)
    assert of_event(rows, closed)


async def test_mail_goes_by_starttls_only_to_who_has_the_right_certificate(scene: Scene) -> None:
    street, outage = scene.street, Outage()
    with (
        SmtpReceiver(street.authority, "starttls") as good,
        SmtpReceiver(street.authority, "starttls", "expired") as expired,
    ):
        await scene.begin(
            route("good", good.url("&mode=starttls", "mailtos")),
            route("expired", expired.url("&mode=starttls", "mailtos")),
        )
        await scene.happens(opened := outage.opened())
        await scene.until(lambda: good.told, "the mail")
        assert good.told[0].encrypted
        assert outage.name in good.told[0].subject

        async def tried() -> bool:
            rows = of_event(await scene.rows(), opened)
            return any(row.route == "expired" and row.status == "retrying" for row in rows)

        await scene.until(tried, "the other one is tried")
        assert expired.mails == []
