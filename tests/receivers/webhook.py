"""A webhook that takes CloudEvents with a signature, and a plain one that takes any JSON.

Sources: CloudEvents 1.0.2 (structured mode: the required attributes, RFC 3339 times, names of
attributes), Standard Webhooks 1.0 (`webhook-id`, `webhook-timestamp`, `webhook-signature`: `v1,`
and the Base64 of HMAC-SHA256 over `id.timestamp.body`; older than 5 min is refused).
"""

import base64
import hashlib
import hmac
import re
import time
from datetime import datetime
from typing import Any, Final

from tests.receivers.authority import Authority
from tests.receivers.http_receiver import Arrival, HttpReceiver, Reply, Request

_OLDEST_S: Final = 300
_ATTRIBUTE: Final = re.compile(r"[a-z0-9]+")
_REQUIRED: Final = ("id", "source", "type")


class SignedWebhook(HttpReceiver):
    """Answers 401 to a wrong signature, 400 to what is no CloudEvent, 200 else.

    `secret` is `whsec_` and Base64. `ids` are the `webhook-id`s that were taken: who gets one twice
    ignores the second.
    """

    def __init__(self, secret: str, authority: Authority | None = None) -> None:
        self.secret = secret
        self.ids: list[str] = []
        super().__init__(authority)

    def judge(self, request: Request) -> Reply:
        problem = self.signature_problem(request)
        if problem is not None:
            return Reply(status=401, body={"error": problem}, problem=problem)
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if request.method != "POST" or kind != "application/cloudevents+json":
            problem = f"{request.method} with {kind}, not POST with application/cloudevents+json"
            return Reply(status=415, body={"error": problem}, problem=problem)
        event = request.json()
        problems = event_problems(event)
        if problems:
            return Reply(status=400, body={"errors": problems}, problem="; ".join(problems))
        return Reply(body={}, text=str(event["type"]))

    def take(self, arrival: Arrival) -> None:
        self.ids.append(arrival.request.headers["webhook-id"])

    @property
    def events(self) -> list[dict[str, Any]]:
        """The CloudEvents that were taken; one for each id."""
        taken: dict[str, dict[str, Any]] = {}
        for arrival in self.told:
            taken.setdefault(arrival.request.headers["webhook-id"], arrival.request.json())
        return list(taken.values())

    def signature_problem(self, request: Request) -> str | None:
        """What is wrong with the signature, None if nothing."""
        given = [
            request.headers.get(f"webhook-{name}") for name in ("id", "timestamp", "signature")
        ]
        if not all(given):
            return "webhook-id, webhook-timestamp or webhook-signature is missing"
        name, stamp, signatures = (text or "" for text in given)
        if not stamp.isdecimal() or abs(time.time() - int(stamp)) > _OLDEST_S:
            return "webhook-timestamp is too far from now"
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{name}.{stamp}.".encode() + request.body
        right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        found = [text.partition(",") for text in signatures.split(" ")]
        if not any(v == "v1" and hmac.compare_digest(text, right) for v, _, text in found):
            return "webhook-signature is not that of this body"
        return None


class JsonWebhook(HttpReceiver):
    """Takes every POST of a JSON object, in Apprise `json://127.0.0.1:PORT/PATH`."""

    def judge(self, request: Request) -> Reply:
        fields = request.json()
        if request.method != "POST" or not isinstance(fields, dict):
            return Reply(status=400, body="expected POST of a JSON object", problem="no object")
        return Reply(
            body="", text=f"{fields.get('title', '')}\n{fields.get('message', '')}".strip()
        )


def event_problems(event: Any) -> list[str]:
    """What makes it no CloudEvent in structured mode."""
    if not isinstance(event, dict):
        return ["no JSON object"]
    found = []
    if event.get("specversion") != "1.0":
        found.append("specversion is not 1.0")
    found += [
        f"{name} is missing"
        for name in _REQUIRED
        if not isinstance(event.get(name), str) or not event[name]
    ]
    found += [
        f"{name} is no name of an attribute"
        for name in event
        if name not in {"data", "data_base64"} and not _ATTRIBUTE.fullmatch(name)
    ]
    if "time" in event:
        try:
            zone = datetime.fromisoformat(event["time"]).tzinfo
            if zone is None:
                found.append("time has no zone")
        except (TypeError, ValueError):
            found.append("time is not of RFC 3339")
    return found + [
        f"{name} is empty"
        for name in ("subject", "dataschema", "datacontenttype")
        if name in event and not (isinstance(event[name], str) and event[name])
    ]
