"""Answers of 2xx that are refusals: some services say in the body what HTTP would say by a status.

Apprise looks into the body for a part of them, and calls the rest a success. What a user's own
server answers (`json://`, `form://`, `xml://`) is not looked at: it means what its maker likes.
"""

from collections.abc import Callable
from typing import Final

from sinks.notifier.channels.outcomes import Finding, json_object, said_in
from sinks.notifier.model import OutcomeKind

_OWN_SERVERS: Final = frozenset({"custom_json", "custom_form", "custom_xml", "apprise_api", ""})
_TEAMS: Final = (b"delivery failed", b"endpoint returned http error")
_TEAMS_LENGTH: Final = 4_096

_NEVER_A_PAGE: Final = frozenset(
    {
        "discord",
        "google_chat",
        "gotify",
        "guilded",
        "matrix",
        "mattermost",
        "ntfy",
        "pushover",
        "revolt",
        "rocketchat",
        "signal_api",
        "slack",
        "telegram",
        "twilio",
        "webexteams",
        "zulip",
        # Ours, by the schemes of their URLs.
        "pagerduty",
        "opsgenie",
        "jira",
        "alertmanager+http",
        "alertmanager+https",
    }
)
"""Services that answer with JSON, a word or nothing: a page in HTML comes of a login in front of
them, of a captive network, or of a web application under the same name."""

_BAD_URL: Final = frozenset(
    {
        # Slack: https://docs.slack.dev/reference/methods/chat.postMessage#errors
        "account_inactive",
        "channel_not_found",
        "invalid_auth",
        "is_archived",
        "missing_scope",
        "no_permission",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "token_expired",
        "token_revoked",
        # WeCom: https://developer.work.weixin.qq.com/document/path/90313
        "93000",
        "40014",
        # DingTalk: https://open.dingtalk.com/document/orgapp/custom-bot-send-message-type
        "300001",
        # Feishu, Lark: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
        "19001",
    }
)
_LATER: Final = frozenset(
    {
        "fatal_error",
        "internal_error",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "45009",
        "130101",
        "11232",
    }
)


def refusal_in(plugin: str, body: bytes) -> Finding | None:
    """The refusal in an answer of 2xx to the plugin of this name; None if there is none.

    `plugin` is a module of Apprise's plugins, or the scheme of one of our own channels.
    """
    if plugin in _OWN_SERVERS:
        return None
    if plugin in _NEVER_A_PAGE and body.lstrip()[:1] == b"<":
        why = "expected the answer of the service, found a page (a login? another server?) with 2xx"
        return Finding("misconfigured", why)
    code = _code(plugin, body)
    if code is None:
        return None
    kind: OutcomeKind = "refused"
    if code in _BAD_URL:
        kind = "misconfigured"
    elif code in _LATER:
        kind = "unreachable"
    return Finding(kind, f"the channel answered 2xx and an error: {said_in(body) or code}")


def _code(plugin: str, body: bytes) -> str | None:
    if plugin in {"msteams", "workflows"} and len(body) <= _TEAMS_LENGTH:
        # https://learn.microsoft.com/connectors/webhooks: 429 and 413 come as text of a 200.
        return "teams" if any(words in body.lower() for words in _TEAMS) else None
    answer = json_object(body)
    if answer.get("ok") is False or answer.get("success") is False:
        return str(answer.get("error") or answer.get("description") or "not ok")
    errcode = answer.get("errcode")
    if isinstance(errcode, int) and errcode != 0:
        return str(errcode)
    special = _SPECIAL.get(plugin)
    return special(answer) if special is not None else None


def _nonzero_code(answer: dict[str, object]) -> str | None:
    code = answer.get("code", answer.get("StatusCode"))
    return str(code) if isinstance(code, int) and code != 0 else None


def _vonage(answer: dict[str, object]) -> str | None:
    messages = answer.get("messages")
    if not isinstance(messages, list):
        return None
    states = [str(one.get("status")) for one in messages if isinstance(one, dict)]
    return next((state for state in states if state != "0"), None)


_SPECIAL: Final[dict[str, Callable[[dict[str, object]], str | None]]] = {
    "feishu": _nonzero_code,
    "lark": _nonzero_code,
    "pushdeer": _nonzero_code,
    "serverchan": _nonzero_code,
    "vonage": _vonage,
}
