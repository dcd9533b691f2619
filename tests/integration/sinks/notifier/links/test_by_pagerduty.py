"""A webhook of PagerDuty about an alert that this notifier triggered there."""

import hashlib
import hmac
import json

from foundation.settings import Settings
from schemas.policy import Route
from tests.integration.sinks.notifier.links.rig import acknowledgements, ask, linked, serving
from tests.integration.sinks.notifier.rig import (
    incident_event,
    publish,
    publish_policy,
    until,
)
from tests.receivers.pagerduty import PagerDuty

SECRET = "the secret of the webhook"  # noqa: S105 - of this test


def signed(event_type: str, key: str, name: str) -> tuple[bytes, dict[str, str]]:
    event = {
        "event_type": event_type,
        "agent": {"type": "user_reference", "summary": name},
        "data": {"type": "incident", "incident_key": key},
    }
    body = json.dumps({"event": event}).encode()
    made = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return body, {"X-PagerDuty-Signature": f"v1={made}", "Content-Type": "application/json"}


async def test_who_acknowledges_there_has_it_in_hand(settings: Settings) -> None:
    settings = linked(settings, pagerduty_secret=SECRET)
    with PagerDuty() as there:
        key = "0123456789abcdef0123456789abcdef"
        url = f"pagerduty://{key}?endpoint=http://127.0.0.1:{there.port}"
        await publish_policy(settings, Route(name="ops", urls=(url,)))
        async with serving(settings) as (running, server):
            await until(lambda: running.active, "it is active")
            await publish(settings, incident_event("db"))
            dedup = f"{incident_event('db').incident_id}/1"
            await until(lambda: there.open(dedup) is not None, "it is triggered")

            body, headers = signed("incident.acknowledged", dedup, "Earline\nGreenholt" * 20)
            for wrong, more in (
                (body + b" ", headers),
                (body, {}),
                (body, {"X-PagerDuty-Signature": "v1=" + "0" * 64}),
            ):
                answer = await ask(server, "POST", "/pagerduty", data=wrong, headers=more)
                assert answer.status_code == 403
            large = await ask(server, "POST", "/pagerduty", data=b"x" * 300_000, headers=headers)
            assert large.status_code == 413
            other, other_headers = signed("incident.acknowledged", "of another tool", "ann")
            answer = await ask(server, "POST", "/pagerduty", data=other, headers=other_headers)
            assert answer.status_code == 200
            assert await acknowledgements(settings) == []

            async def taken() -> bool:
                # Until the notifier's state says that PagerDuty has the alert.
                answer = await ask(server, "POST", "/pq/pagerduty", data=body, headers=headers)
                assert answer.status_code == 200
                return "Acknowledged" in answer.text

            await until(taken, "it is taken")
            ((_, word),) = await acknowledgements(settings)
            assert word.target == "db"
            assert word.by.startswith("pagerduty: Earline Greenholt")
            assert len(word.by) <= 111
            await publish(settings, incident_event("db", "updated", acknowledged_by=word.by))

            async def known() -> bool:
                again, more = signed("incident.resolved", dedup, "tom")
                answer = await ask(server, "POST", "/pagerduty", data=again, headers=more)
                return "Nothing to acknowledge" in answer.text

            await until(known, "somebody has it in hand already")


async def test_without_its_secret_there_is_no_such_place(settings: Settings) -> None:
    async with serving(linked(settings)) as (_, server):
        body, headers = signed("incident.acknowledged", "i/1", "ann")
        answer = await ask(server, "POST", "/pagerduty", data=body, headers=headers)
        assert answer.status_code == 404
