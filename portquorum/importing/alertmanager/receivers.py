"""Receivers: the channels of each, with what stands in `global:` for all."""

from typing import Any, Final

from msgspec import Struct

from portquorum.importing.channels import Channel, channel
from portquorum.importing.model import Found, Ignored
from portquorum.importing.secrets import Secrets
from portquorum.importing.source_yaml import Fields

_OF_GLOBAL: Final[dict[str, dict[str, str]]] = {
    "discord_configs": {},
    "email_configs": {
        "from": "smtp_from",
        "smarthost": "smtp_smarthost",
        "auth_username": "smtp_auth_username",
        "auth_password": "smtp_auth_password",
        "auth_secret": "smtp_auth_secret",
        "auth_identity": "smtp_auth_identity",
        "require_tls": "smtp_require_tls",
        "force_implicit_tls": "smtp_force_implicit_tls",
    },
    "mattermost_configs": {"webhook_url": "mattermost_webhook_url"},
    "opsgenie_configs": {"api_key": "opsgenie_api_key", "api_url": "opsgenie_api_url"},
    "pagerduty_configs": {"url": "pagerduty_url"},
    "rocketchat_configs": {
        "api_url": "rocketchat_api_url",
        "token": "rocketchat_token",
        "token_id": "rocketchat_token_id",
    },
    "slack_configs": {"api_url": "slack_api_url", "app_token": "slack_app_token"},
    "telegram_configs": {"bot_token": "telegram_bot_token", "api_url": "telegram_api_url"},
    "victorops_configs": {"api_key": "victorops_api_key", "api_url": "victorops_api_url"},
    "wechat_configs": {"api_secret": "wechat_api_secret", "corp_id": "wechat_api_corp_id"},
}
"""Of each integration the fields that `global:` may have, and how they are called there."""

_DEFAULTS: Final = {
    "https://api.telegram.org",
    "https://events.pagerduty.com/v2/enqueue",
    "https://api.opsgenie.com/",
    "https://alert.victorops.com/integrations/generic/20131114/alert/",
    "https://webexapis.com/v1/messages",
}
"""Addresses that are their own defaults: not worth a word."""

_NO_RECOVERIES: Final = frozenset({"slack_configs", "email_configs", "wechat_configs"})
"""Integrations that tell of no end unless `send_resolved` says so."""


_NOBODY: Final = "console://"


class Receiver(Struct, frozen=True):
    """A receiver: its URLs, what differs, and the entry of the report."""

    name: str
    urls: tuple[str, ...]
    entry: Found


def receiver(fields: Fields, global_: Fields, secrets: Secrets) -> Receiver:
    """The channels of a receiver; of an empty one, none."""
    name = fields.text("name")
    entry = Found(place=fields.place(), name=name, group="receiver", key=f"receiver {name}")
    urls: list[str] = []
    refused: list[str] = []
    kinds = [one for one in fields.value if str(one).endswith("_configs")]
    for kind in kinds:
        for item in fields.listed(kind):
            if not isinstance(item, dict):
                raise fields.wrong(kind, "a list of mappings")
            one = Fields(item, fields.file)
            made = channel(
                f"alertmanager.{kind}", _filled(kind, one, global_), secrets, one.place()
            )
            if isinstance(made, Channel):
                urls += made.urls
                entry.differences += made.differences
                if not one.boolean("send_resolved", default=kind not in _NO_RECOVERIES):
                    entry.differences.append("it is told of recoveries, too")
            else:
                refused.append(made.why)
    for why in refused:
        entry.differences.append(f"a channel of it was left out: {why}")
    if not kinds:
        urls = [_NOBODY]
        entry.differences.append("it tells nobody: a line in the notifier's log is all")
    elif not urls:
        entry.left_out = "; ".join(refused) or "it has no channel"
    fields.skip("labels", "receivers have no labels here")
    entry.ignored = fields.unused()
    return Receiver(name, tuple(dict.fromkeys(urls)), entry)


def _filled(kind: str, one: Fields, global_: Fields) -> dict[str, Any]:
    """The fields of an integration, and those of `global:` that it does not have itself."""
    found = {str(name): value for name, value in one.value.items()}
    for name, there in _OF_GLOBAL.get(kind, {}).items():
        if found.get(name) is not None or found.get(f"{name}_file") is not None:
            continue
        for ending in ("", "_file"):
            value = global_.get(f"{there}{ending}")
            if value is not None:
                found[f"{name}{ending}"] = value
    return {name: value for name, value in found.items() if str(value) not in _DEFAULTS}


def global_rest(global_: Fields) -> list[Ignored]:
    """What of `global:` has no place here; fields of integrations that nobody has are named."""
    global_.skip("resolve_timeout", "incidents end when the target is up again, and not by a time")
    return global_.unused()
