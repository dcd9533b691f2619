"""Alertmanager's receivers, by their integration (`slack_configs` and the like).

Source: https://github.com/prometheus/alertmanager, docs/configuration.md and config/notifiers.go.
Defaults of `global:` are filled in by the wing before.
"""

import re
from collections.abc import Mapping
from typing import Final

from portquorum.importing.providers.given import Given, MissingFieldError, RefusedError
from portquorum.importing.providers.special import (
    incidentio,
    mail,
    mattermost,
    pasted,
    teams,
    webhook,
)
from portquorum.importing.providers.template import Maker, by, encoded

HARMLESS: Final = frozenset({"send_resolved", "max_alerts", "timeout", "hello", "parse_mode"})
"""Fields that say nothing of the channel, or that the wing reads."""


def _slack(given: Given) -> list[str]:
    """By the token of an app where there is one, else by the webhook."""
    if not given.has("app_token"):
        return pasted("api_url", "slack", channel="channel")(given)
    room = encoded(given.text("channel"), "#@")
    return [f"slack://{given.secret('app_token')}/{room}"]


def _opsgenie(given: Given) -> list[str]:
    """`opsgenie://KEY/#team/@user`, for the responders that are no templates."""
    marks = {"team": "#", "user": "@", "schedule": "*", "escalation": "^"}
    responders = given.raw("responders")
    places = ""
    for one in responders if isinstance(responders, list | tuple) else ():
        name = (
            next((one[key] for key in ("name", "username") if one.get(key)), "")
            if isinstance(one, Mapping)
            else ""
        )
        if name and "{{" not in str(name) and str(one.get("type")) in marks:
            places += f"/{marks[str(one['type'])]}{encoded(str(name), '')}"
        else:
            given.differ("a responder that is chosen by a template or an id is not taken over")
    region = "?region=eu" if ".eu." in given.optional("api_url") else ""
    return [f"opsgenie://{given.secret('api_key')}{places}{region}"]


def _pagerduty(given: Given) -> list[str]:
    region = "?region=eu" if ".eu." in given.optional("url") else ""
    if given.has("routing_key"):
        return [f"pagerduty://{given.secret('routing_key')}{region}"]
    key = given.secret("service_key")
    given.differ("its key is one of the Events API v1: make an integration of the Events API v2")
    return [f"pagerduty://{key}{region}"]


def _rocketchat(given: Given) -> list[str]:
    """By the id and the token of a user, as `rockets://ID:TOKEN@HOST/#room`."""
    host = given.optional("api_url") or "https://open.rocket.chat/"
    scheme, _, place = host.partition("://")
    room = encoded(given.text("channel"), "#@")
    login = f"{given.secret('token_id')}:{given.secret('token')}"
    return [
        f"rocket{'' if scheme == 'http' else 's'}://{login}@{place.strip('/')}/{room}?mode=token"
    ]


def _sns(given: Given) -> list[str]:
    sigv4 = given.raw("sigv4")
    if not isinstance(sigv4, Mapping) or not sigv4.get("secret_key"):
        raise RefusedError(
            "its keys are those of the machine's role, which no channel takes; the nearest is "
            "sns://KEY/SECRET/REGION/TOPIC with keys of a user"
        )
    place = given.optional("topic_arn") or given.optional("phone_number")
    if not place:
        raise MissingFieldError("topic_arn")
    region = str(sigv4.get("region") or (place.split(":") + [""] * 4)[3])
    key = given.named_secret("access_key", str(sigv4.get("access_key", "")), "`sigv4.access_key`")
    secret = given.named_secret("secret_key", str(sigv4["secret_key"]), "`sigv4.secret_key`")
    target = encoded(place.rpartition(":")[2], "+")
    return [f"sns://{key}/{secret}/{region}/{target}"]


def _victorops(given: Given) -> list[str]:
    return [f"splunk://{encoded(given.text('routing_key'), '')}@{given.secret('api_key')}"]


def _webex(given: Given) -> list[str]:
    http = given.raw("http_config")
    authorization = http.get("authorization") if isinstance(http, Mapping) else None
    token = authorization.get("credentials", "") if isinstance(authorization, Mapping) else ""
    made = given.named_secret("token", str(token), "`http_config.authorization.credentials`")
    return [f"wxteams://{made}/{encoded(given.text('room_id'), '')}"]


_POSTED: Final = webhook(
    "url", note="it is posted a CloudEvent of portquorum, and not Alertmanager's own webhook"
)
_API: Final = re.compile(r"(https?://[^/@?#]+(?:/.*)?)/api/v[12]/alerts/?")


def _webhook(given: Given) -> list[str]:
    """A service of one's own, or another Alertmanager."""
    found = _API.fullmatch(str(given.raw("url")))
    if found is None or given.is_variable(str(given.raw("url"))):
        return _POSTED(given)
    given.differ("by its address it is an Alertmanager, and gets alerts of its API v2")
    return [f"alertmanager+{found[1]}"]


PROVIDERS: Final[Mapping[str, Maker | str]] = {
    "discord_configs": pasted("webhook_url", "discord"),
    "email_configs": mail(
        host="smarthost",
        port="",
        user="auth_username",
        credential="auth_password",
        sender="from",
        to="to",
        implicit_tls="force_implicit_tls",
        requires_tls="require_tls",
    ),
    "incidentio_configs": incidentio("url", "alert_source_token"),
    "jira_configs": (
        "no channel makes issues of Jira; the nearest is jira://KEY, alerts of Jira Service "
        "Management by the key of an API integration, or webhook+https://… to an automation"
    ),
    "mattermost_configs": mattermost("webhook_url", "channel"),
    "msteams_configs": teams("webhook_url"),
    "msteamsv2_configs": pasted("webhook_url", "workflows"),
    "opsgenie_configs": _opsgenie,
    "pagerduty_configs": _pagerduty,
    "pushover_configs": by(
        "pover://{!user_key}@{!token}/{device=}?sound={sound}&priority={priority}"
    ),
    "rocketchat_configs": _rocketchat,
    "slack_configs": _slack,
    "sns_configs": _sns,
    "telegram_configs": by(
        "tgram://{!bot_token}/{chat_id}?topic={message_thread_id}&silent={disable_notifications}"
    ),
    "victorops_configs": _victorops,
    "webex_configs": _webex,
    "webhook_configs": _webhook,
    "wechat_configs": by("wechat://{corp_id}:{!api_secret}@{agent_id}/@{to_user}"),
}
