"""The URL of each receiver, by name."""

from typing import Any

from tests.receivers import neighbourhood
from tests.receivers.neighbourhood import Neighbourhood

PEOPLE = ("slack", "slack_bot", "telegram", "discord", "mattermost", "json")
ON_CALL = ("pagerduty", "opsgenie", "webhook")
HTTP = (*PEOPLE, *ON_CALL)


def url_of(street: Neighbourhood, service: str, query: str = "") -> str:
    url = {
        "slack": neighbourhood.SLACK_URL,
        "slack_bot": neighbourhood.SLACK_BOT_URL,
        "telegram": neighbourhood.TELEGRAM_URL,
        "discord": neighbourhood.DISCORD_URL,
        "mattermost": street.mattermost_url,
        "json": street.json_url(),
        "smtp": street.smtp.url(),
        "pagerduty": f"pagerduty://{neighbourhood.PAGERDUTY_KEY}",
        "opsgenie": f"opsgenie://{neighbourhood.OPSGENIE_KEY}/#team/@me@example.com",
        "webhook": (
            f"webhook+http://127.0.0.1:{street.webhook.port}/hook"
            f"?secret={neighbourhood.WEBHOOK_SECRET}"
        ),
    }[service]
    return url + ("&" if "?" in url else "?") + query if query else url


def receiver_of(street: Neighbourhood, service: str) -> Any:
    return getattr(street, service)
