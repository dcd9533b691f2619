"""PagerDuty's Events API v2: it keeps incidents by `dedup_key`.

Sources: developer.pagerduty.com/docs/send-alert-event (fields), …/docs/events-api-v2-overview
(answers: 202, 400 "invalid event", 429; an event is at most 512 KB; an acknowledge or resolve
without an open alert of this key does nothing).
"""

import re
from datetime import datetime
from typing import Any, Final, Literal

from msgspec import Struct

from tests.receivers.http_receiver import Arrival, HttpReceiver, Reply, Request

_LARGEST: Final = 512 * 1024
_SEVERITIES: Final = ("critical", "error", "warning", "info")
_ROUTING_KEY: Final = re.compile(r"[A-Za-z0-9]{32}")


class PagerDutyIncident(Struct, kw_only=True):
    """One incident there. `triggers` counts the events that it had, the first one included."""

    key: str
    state: Literal["triggered", "acknowledged", "resolved"]
    severity: str
    summary: str
    triggers: int = 1


class PagerDuty(HttpReceiver):
    """`https://events.pagerduty.com/v2/enqueue`."""

    host = "events.pagerduty.com"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.incidents: list[PagerDutyIncident] = []
        """In the order of their opening; a key that was resolved and comes again is a new one."""
        self.without_effect: list[tuple[str, str]] = []
        """`(action, key)` of what found no open incident."""
        super().__init__(*args, **kwargs)

    def judge(self, request: Request) -> Reply:
        if request.method != "POST" or request.path != "/v2/enqueue":
            return Reply(status=404, body={"message": "Not Found"}, problem="404")
        if len(request.body) > _LARGEST:
            return Reply(status=413, body={"message": "Payload Too Large"}, problem="413")
        event = request.json()
        problems = _problems(event)
        if problems:
            return _invalid(problems)
        key = event.get("dedup_key") or f"made-{len(self.incidents)}"
        body = {"status": "success", "message": "Event processed", "dedup_key": key}
        text = (event.get("payload") or {}).get("summary") or event["event_action"]
        return Reply(status=202, body=body, text=text)

    def take(self, arrival: Arrival) -> None:
        event, body = arrival.request.json(), arrival.reply.body
        assert isinstance(body, dict)
        key, action = body["dedup_key"], event["event_action"]
        found = self.open(key)
        if action == "trigger":
            payload = event["payload"]
            if found is None:
                self.incidents.append(
                    PagerDutyIncident(
                        key=key,
                        state="triggered",
                        severity=payload["severity"],
                        summary=payload["summary"],
                    )
                )
            else:
                found.triggers += 1
                found.severity, found.summary = payload["severity"], payload["summary"]
        elif found is None:
            self.without_effect.append((action, key))
        else:
            found.state = "acknowledged" if action == "acknowledge" else "resolved"

    def open(self, key: str) -> PagerDutyIncident | None:
        """The incident of this key that is not resolved."""
        for incident in reversed(self.incidents):
            if incident.key == key and incident.state != "resolved":
                return incident
        return None

    def too_many(self, retry_after_s: float) -> Reply:  # noqa: ARG002 - said in the header alone
        body = {
            "status": "throttle exceeded",
            "message": "Requests for this service key are throttled",
        }
        return Reply(status=429, body=body, problem="throttle exceeded")

    def too_long(self) -> Reply:
        return _invalid(["Length of 'payload.summary' is too long"])


def _invalid(errors: list[str]) -> Reply:
    body = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    return Reply(status=400, body=body, problem="; ".join(errors))


def _problems(event: Any) -> list[str]:
    if not isinstance(event, dict):
        return ["JSON parse error"]
    found = []
    if not _ROUTING_KEY.fullmatch(str(event.get("routing_key", ""))):
        found.append("'routing_key' is missing or has the wrong length (32)")
    action = event.get("event_action")
    if action not in {"trigger", "acknowledge", "resolve"}:
        found.append("'event_action' must be one of trigger, acknowledge, resolve")
    key = event.get("dedup_key")
    if key is not None and not (isinstance(key, str) and 1 <= len(key) <= 255):
        found.append("'dedup_key' must be a string of 1 to 255 characters")
    if action in {"acknowledge", "resolve"} and key is None:
        found.append(f"'dedup_key' is missing for {action}")
    if action == "trigger":
        found += _payload_problems(event.get("payload"))
    for name, must in (("links", "href"), ("images", "src")):
        for one in event.get(name) or []:
            if not isinstance(one, dict) or not str(one.get(must, "")).startswith("http"):
                found.append(f"'{name}' needs '{must}'")
    return found


def _payload_problems(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    found = []
    for name, longest in (("summary", 1_024), ("source", 1_024)):
        said = payload.get(name)
        if not isinstance(said, str) or not said.strip():
            found.append(f"'payload.{name}' is missing or blank")
        elif len(said) > longest:
            found.append(f"Length of 'payload.{name}' is too long")
    if payload.get("severity") not in _SEVERITIES:
        found.append(f"'payload.severity' must be one of {', '.join(_SEVERITIES)}")
    if "timestamp" in payload:
        try:
            datetime.fromisoformat(payload["timestamp"])
        except (TypeError, ValueError):
            found.append("'payload.timestamp' is no ISO 8601 timestamp")
    return found + [
        f"'payload.{name}' must be a string"
        for name in ("component", "group", "class")
        if not isinstance(payload.get(name, ""), str | None)
    ]
