"""Every plugin of Apprise that is an on-call or incident system, and how its requests are read.

`state` and `key` are where the makers' pages say that a request names what happens and which alert
is meant; `says` gives the words for it. A path of names goes into the body; `path` and `query.NAME`
are the URL's.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from tests.integration.sinks.notifier.on_call.intercept import Request

UUID: Final = "ab12cd34-ab12-4c5d-8e9f-0123456789ab"


class Plugin(Struct, frozen=True, kw_only=True):
    """`url` as a person writes it. `says`: value of `state` -> trigger, acknowledge, resolve…"""

    name: str
    scheme: str
    url: str
    page: str
    state: str = ""
    says: Mapping[str, str] = {}
    key: str = ""
    severity: str = ""

    def read(self, request: Request) -> tuple[str, str, str]:
        """What a request does, to which key, with which severity."""
        value, key = field(request, self.state), field(request, self.key)
        if self.state == "path":
            before, _, last = value.rpartition("/")
            value, key = f"/{last}", key or unquote(before.rpartition("/")[2])
        does = self.says.get(value, self.says.get("", "trigger"))
        return does, key, field(request, self.severity)


def field(request: Request, name: str) -> str:
    """A field of the request as text, empty without one."""
    if not name:
        return ""
    if name == "path":
        return request.path
    if name.startswith("query."):
        return request.query.get(name.removeprefix("query."), "")
    found: object = request.body
    for part in name.split("."):
        found = found.get(part, "") if isinstance(found, dict) else ""
    return str(found)


_GENIE: Final = {
    "/alerts": "trigger",
    "/acknowledge": "acknowledge",
    "/close": "resolve",
    "/notes": "note",
}

PLUGINS: Final = (
    Plugin(
        name="Better Stack",
        scheme="betterstack",
        url="betterstack://token/ops@example.org",
        page="https://betterstack.com/docs/uptime/api/create-a-new-incident/",
    ),
    Plugin(
        name="FireHydrant Signals",
        scheme="firehydrant",
        url="firehydrant://eyJhbGciOiJIUzI1NiJ9",
        page="https://docs.firehydrant.com/docs/events-data-model",
        state="status",
        says={"OPEN": "trigger", "CLOSED": "resolve"},
        key="idempotency_key",
        severity="level",
    ),
    Plugin(
        name="GoAlert",
        scheme="goalerts",
        url=f"goalerts://goalert.example.org/{UUID}",
        page="https://github.com/target/goalert (Generic API)",
        state="action",
        says={"": "trigger", "close": "resolve"},
        key="dedup",
    ),
    Plugin(
        name="ilert",
        scheme="ilert",
        url="ilert://il1api123",
        page="https://docs.ilert.com/developer-docs/rest-api/api-reference/events",
        state="eventType",
        says={"ALERT": "trigger", "ACCEPT": "acknowledge", "RESOLVE": "resolve"},
        key="alertKey",
        severity="priority",
    ),
    Plugin(
        name="incident.io",
        scheme="incidentio",
        url="incidentio://01GW2G3V0S59R238FAHPDS1R66/token",
        page="https://docs.incident.io/api-reference/alert-events-v2/createhttp",
        state="status",
        says={"firing": "trigger", "resolved": "resolve"},
        key="deduplication_key",
    ),
    Plugin(
        name="Jira Service Management",
        scheme="jira",
        url=f"jira://{UUID}",
        page="https://developer.atlassian.com/cloud/jira/service-desk-ops/rest/v1/"
        "api-group-integration-events/",
        state="path",
        says=_GENIE,
        key="alias",
        severity="priority",
    ),
    Plugin(
        name="Opsgenie",
        scheme="opsgenie",
        url=f"opsgenie://{UUID}",
        page="https://docs.opsgenie.com/docs/alert-api",
        state="path",
        says=_GENIE,
        key="alias",
        severity="priority",
    ),
    Plugin(
        name="OpsiMate",
        scheme="opsimates",
        url="opsimates://token@opsimate.example.org",
        page="https://docs.opsimate.dev/docs/integrations/custom-alerts",
        state="status",
        says={"firing": "trigger", "resolved": "resolve"},
        key="id",
        severity="severity",
    ),
    Plugin(
        name="PagerDuty",
        scheme="pagerduty",
        url="pagerduty://0123456789abcdef0123456789abcdef@apikey",
        page="https://developer.pagerduty.com/docs/events-api-v2/trigger-events/",
        state="event_action",
        says={"trigger": "trigger", "acknowledge": "acknowledge", "resolve": "resolve"},
        key="dedup_key",
        severity="payload.severity",
    ),
    Plugin(
        name="PagerTree",
        scheme="pagertree",
        url="pagertree://int_0123456789",
        page="https://pagertree.com/docs/integration-guides/webhook",
        state="event_type",
        says={"create": "trigger", "acknowledge": "acknowledge", "resolve": "resolve"},
        key="id",
        severity="urgency",
    ),
    Plugin(
        name="SIGNL4",
        scheme="signl4",
        url="signl4://secret",
        page="https://docs.signl4.com/integrations/webhook/webhook.html",
        state="X-S4-Status",
        says={"": "trigger", "acknowledged": "acknowledge", "resolved": "resolve"},
        key="X-S4-ExternalID",
    ),
    Plugin(
        name="Spike.sh",
        scheme="spike",
        url="spike://0123456789abcdef0123456789abcdef",
        page="https://docs.spike.sh/alerts/send-alerts-to-spike",
    ),
    Plugin(
        name="Splunk On-Call (VictorOps)",
        scheme="splunk",
        url="splunk://routing@apikey",
        page="https://help.victorops.com/knowledge-base/rest-endpoint-integration-guide/",
        state="message_type",
        says={
            "CRITICAL": "trigger",
            "WARNING": "trigger",
            "INFO": "note",
            "ACKNOWLEDGEMENT": "acknowledge",
            "RECOVERY": "resolve",
        },
        key="entity_id",
        severity="message_type",
    ),
    Plugin(
        name="Squadcast",
        scheme="squadcast",
        url="squadcast://webhookkey",
        page="https://support.squadcast.com/integrations/incident-webhook-incident-webhook-api",
        state="status",
        says={"trigger": "trigger", "resolve": "resolve"},
        key="event_id",
        severity="priority",
    ),
    Plugin(
        name="xMatters",
        scheme="xmatters",
        url=f"xmatters://apikey@acme/{UUID}/ops",
        page="https://help.xmatters.com/integrations/other/triggeralertsbywebhook.htm",
    ),
)

NO_ON_CALL_SYSTEMS: Final = frozenset(
    {
        "aprs",
        "dapnet",
        "emby",
        "enigma2",
        "growl",
        "lfgalarm",
        "pushward",
        "ses",
        "sogs",
        "streamlabs",
        "trigv",
        "vapid",
    }
)
"""Modules of plugins that speak of such things and keep no alert: a pager, a push, a mail."""
