"""Gatus' alerting providers: `alerting.NAME` of its file.

Source: https://github.com/TwiN/gatus, `alerting/provider/*/*.go` (fields `yaml:"…"`) and README.
"""

from collections.abc import Mapping
from typing import Final

from portquorum.importing.providers.special import (
    CLOUD_EVENT,
    incidentio,
    mail,
    mattermost,
    pasted,
    rocketchat,
    teams,
    webhook,
    zulip,
)
from portquorum.importing.providers.template import Maker, by

HARMLESS: Final = frozenset({"default-alert", "overrides", "group"})
"""Fields that say nothing of the channel; the wing reads them."""

PROVIDERS: Final[Mapping[str, Maker | str]] = {
    "aws-ses": by(
        "ses://{from}/?region={region}&access={!access-key-id}&secret={!secret-access-key}&to={to}"
    ),
    "clickup": (
        "no channel makes tasks of ClickUp; the nearest is webhook+https://… to an automation that "
        "makes them"
    ),
    "custom": webhook("url"),
    "datadog": (
        "no channel writes events of Datadog; the nearest is a mail to the address that Datadog "
        "has for events, or webhook+https://…"
    ),
    "discord": pasted("webhook-url", "discord"),
    "email": mail(
        host="host", port="port", user="username", credential="password", sender="from", to="to"
    ),
    "gitea": "no channel opens issues of Gitea; the nearest is webhook+https://…",
    "github": (
        "it would open an issue a message, and close none; the nearest is webhook+https://… to a "
        "workflow of GitHub"
    ),
    "gitlab": (
        "no channel speaks to GitLab's alerts; the nearest is webhook+https://…, whose CloudEvent "
        "its HTTP endpoint maps"
    ),
    "googlechat": pasted("webhook-url", "gchat"),
    "gotify": by("gotify{s}://{@server-url}/{!token}?priority={priority}"),
    "homeassistant": by(
        "hassio{s}://{@url}/{!token}",
        "it is a notification of Home Assistant, and no event for automations",
    ),
    "ifttt": by("ifttt://{!webhook-key}@{event-name}"),
    "ilert": by(
        "ilert://{!integration-key}",
        "the variable has to be the key of an alert source of the type API, not of Gatus",
    ),
    "incident-io": incidentio("url", "auth-token"),
    "line": by("line://{!channel-access-token}/{*user-ids}"),
    "matrix": by(
        "matrix{s}://{!access-token}@{#server-url=https://matrix-client.matrix.org}/{internal-room-id}"
    ),
    "mattermost": mattermost("webhook-url", "channel"),
    "messagebird": by("msgbird://{!access-key}/{originator}/{*recipients}"),
    "n8n": webhook("webhook-url"),
    "newrelic": (
        "no channel writes events of New Relic; the nearest is webhook+https://… to its Event API "
        "through something of yours"
    ),
    "ntfy": by(
        "ntfy{s}://{#url=https://ntfy.sh}/{topic}?token={!token}&priority={priority}&email={email}&click={click}"
    ),
    "opsgenie": by("opsgenie://{!api-key}"),
    "pagerduty": by("pagerduty://{!integration-key}"),
    "plivo": by("plivo://{!auth-id}@{!auth-token}/{from}/{*to}"),
    "pushover": by(
        "pover://{!user-key}@{!application-token}/{device=}?priority={priority}&sound={sound}"
    ),
    "rocketchat": rocketchat("webhook-url", "channel"),
    "sendgrid": by("sendgrid://{!api-key}:{from}/{*to}"),
    "signal": by("signal{s}://{#api-url}/{number}/{*recipients}"),
    "signl4": by("signl4://{!team-secret}"),
    "slack": pasted("webhook-url", "slack"),
    "splunk": (
        "no channel writes to Splunk's HTTP event collector; the nearest is webhook+https://… "
        "(Splunk On-Call is splunk://ROUTING_KEY@API_KEY)"
    ),
    "squadcast": pasted("webhook-url", "squadcast"),
    "teams": teams("webhook-url"),
    "teams-workflows": pasted("webhook-url", "workflows"),
    "telegram": by("tgram://{!token}/{id}?topic={topic-id}"),
    "twilio": by("twilio://{!sid}:{!token}@{from}/{*to}"),
    "vonage": by("vonage://{!api-key}:{!api-secret}@{from}/{*to}"),
    "webex": pasted("webhook-url", "wxteams", "webex"),
    "zapier": webhook(
        "webhook-url", note=f"{CLOUD_EVENT}: its Zap has to read data.title and data.text"
    ),
    "zulip": zulip(bot="bot-email", key="bot-api-key", domain="domain", channel="channel-id"),
}
