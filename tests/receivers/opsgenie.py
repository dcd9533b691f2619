"""Opsgenie's alert API: it keeps alerts by alias.

Source: docs.opsgenie.com/docs/alert-api (fields and their lengths; create, close and acknowledge
are processed later, so 202 also where there is no such alert; 401, 403, 422, 429).
"""

import re
import uuid
from typing import Any, Final, Literal
from urllib.parse import unquote

from msgspec import Struct

from tests.receivers.http_receiver import Arrival, HttpReceiver, Reply, Request

_LONGEST: Final = {"alias": 512, "description": 15_000, "entity": 512, "source": 100, "user": 100}
_LONGEST_MESSAGE: Final = 130
_LONGEST_NOTE: Final = 25_000
_KEY: Final = re.compile(r"GenieKey [0-9a-fA-F-]{36}")
_ACTION: Final = re.compile(r"/v2/alerts/([^/]+)/(close|acknowledge|notes)")
_PRIORITIES: Final = ("P1", "P2", "P3", "P4", "P5")


class OpsgenieAlert(Struct, kw_only=True):
    """One alert there. `count` is how often it was created while it was open.

    `id` is Opsgenie's own; no answer to a create has it.
    """

    alias: str
    state: Literal["open", "acknowledged", "closed"]
    priority: str
    message: str
    count: int = 1
    id: str


class Opsgenie(HttpReceiver):
    """`https://api.opsgenie.com/v2/alerts`."""

    host = "api.opsgenie.com"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.alerts: list[OpsgenieAlert] = []
        """In the order of their creation; an alias that was closed and comes again is a new one."""
        self.acknowledged_by = "zafer@example.com"
        self.without_effect: list[tuple[str, str]] = []
        """`(action, alias)` of what found no open alert."""
        super().__init__(*args, **kwargs)

    def judge(self, request: Request) -> Reply:
        if not _KEY.fullmatch(request.headers.get("authorization", "")):
            return _no(401, "Could not authenticate", {})
        if request.method == "GET" and request.path == "/v2/alerts":
            return self._listed(request)
        fields = request.json()
        if not isinstance(fields, dict):
            return _no(422, "Request body is not processable", {"body": "no JSON object"})
        action = _ACTION.fullmatch(request.path)
        if request.method != "POST" or not (action or request.path == "/v2/alerts"):
            return _no(404, "Not Found", {})
        errors = _lengths(fields)
        if action:
            if request.query.get("identifierType", "id") not in {"id", "alias", "tiny"}:
                errors["identifierType"] = "unknown"
            if len(str(fields.get("note", ""))) > _LONGEST_NOTE:
                errors["note"] = "too long"
        else:
            errors |= _alert_errors(fields)
        if errors:
            return _no(422, "Request body is not processable. Please check the errors.", errors)
        body = {
            "result": "Request will be processed",
            "took": 0.1,
            "requestId": str(uuid.uuid4()),
        }
        return Reply(
            status=202, body=body, text=str(fields.get("message") or fields.get("note") or "")
        )

    def _listed(self, request: Request) -> Reply:
        """ "List Alerts", for the one query that portquorum has."""
        wanted = "status: open AND acknowledged: true AND source: portquorum"
        if request.query.get("query") != wanted or int(request.query.get("limit", "20")) > 100:
            return _no(422, "Request body is not processable", {"query": "unknown to this test"})
        data = [
            {
                "id": alert.id,
                "tinyId": "1791",
                "alias": alert.alias,
                "message": alert.message,
                # https://docs.opsgenie.com/docs/alert-api: an acknowledged alert is open.
                "status": "open",
                "acknowledged": True,
                "snoozed": False,
                "owner": "zafer@example.com",
                "report": {"ackTime": 15702, "acknowledgedBy": self.acknowledged_by},
            }
            for alert in self.alerts
            if alert.state == "acknowledged"
        ]
        return Reply(body={"data": data, "took": 0.605, "requestId": str(uuid.uuid4())})

    def take(self, arrival: Arrival) -> None:
        if arrival.request.method == "GET":
            return
        fields, action = arrival.request.json(), _ACTION.fullmatch(arrival.request.path)
        if action:
            name = unquote(action[1])
            found = self._of(name, arrival.request.query.get("identifierType", "id"))
            if found is None:
                self.without_effect.append((action[2], name))
            elif action[2] != "notes":
                found.state = "closed" if action[2] == "close" else "acknowledged"
            return
        alias = str(fields.get("alias") or f"made-{len(self.alerts)}")
        found = self.open(alias)
        if found is not None:
            found.count += 1
            return
        self.alerts.append(
            OpsgenieAlert(
                alias=alias,
                state="open",
                priority=fields.get("priority", "P3"),
                message=fields["message"],
                id=str(uuid.uuid4()),
            )
        )

    def open(self, alias: str) -> OpsgenieAlert | None:
        """The alert of this alias that is not closed."""
        for alert in reversed(self.alerts):
            if alert.alias == alias and alert.state != "closed":
                return alert
        return None

    def _of(self, name: str, kind: str) -> OpsgenieAlert | None:
        if kind == "alias":
            return self.open(name)
        # The id of an alert is not that of the request which created it.
        return next((alert for alert in self.alerts if alert.id == name), None)

    def too_many(self, retry_after_s: float) -> Reply:  # noqa: ARG002 - said in the header alone
        return _no(429, "You are making too many requests!", {})

    def too_long(self) -> Reply:
        errors = {"message": f"size must be between 0 and {_LONGEST_MESSAGE}"}
        return _no(422, "Request body is not processable. Please check the errors.", errors)


def _no(status: int, said: str, errors: dict[str, str]) -> Reply:
    body: dict[str, Any] = {"message": said, "took": 0.1, "requestId": "none"}
    if errors:
        body["errors"] = errors
    return Reply(status=status, body=body, problem=f"{said} {errors or ''}".strip())


def _lengths(fields: dict[str, Any]) -> dict[str, str]:
    found = {}
    for name, longest in _LONGEST.items():
        said = fields.get(name)
        if said is not None and not (isinstance(said, str) and len(said) <= longest):
            found[name] = f"size must be between 0 and {longest}"
    return found


def _alert_errors(fields: dict[str, Any]) -> dict[str, str]:
    found = {}
    message = fields.get("message")
    if not isinstance(message, str) or not message.strip():
        found["message"] = "Message can not be empty."
    elif len(message) > _LONGEST_MESSAGE:
        found["message"] = f"size must be between 0 and {_LONGEST_MESSAGE}"
    if fields.get("priority", "P3") not in _PRIORITIES:
        found["priority"] = "Priority should be one of P1 to P5"
    tags = fields.get("tags") or []
    if len(tags) > 20 or any(not isinstance(tag, str) or len(tag) > 50 for tag in tags):
        found["tags"] = "at most 20 tags of 50 characters"
    details = fields.get("details") or {}
    if not isinstance(details, dict) or any(not isinstance(v, str) for v in details.values()):
        found["details"] = "a map of strings"
    elif sum(len(name) + len(value) for name, value in details.items()) > 8_000:
        found["details"] = "at most 8000 characters"
    return found
