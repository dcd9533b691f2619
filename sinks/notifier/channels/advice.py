"""What to write in place of an address that was pasted and is of no channel. Pure."""

import re
from typing import Final

_SAID: Final[dict[str, str]] = {
    r"(?:[a-z0-9-]+\.)*webhook\.office\.com/|outlook\.office(?:365)?\.com/webhook": (
        "expected the URL of a workflow of Teams, found a connector of Office 365, which Microsoft "
        "retires: make a workflow that posts when a webhook request is received, and paste its URL"
    ),
    r"api\.telegram\.org/": (
        "expected https://api.telegram.org/botTOKEN/sendMessage?chat_id=CHAT or "
        "tgram://TOKEN/CHAT, found another address of Telegram"
    ),
    r"events(?:\.eu)?\.pagerduty\.com/": (
        "expected pagerduty://INTEGRATION_KEY, found PagerDuty's address, which has no key"
    ),
    r"api(?:\.eu)?\.opsgenie\.com/": (
        "expected opsgenie://API_KEY with the key of an API integration, found Opsgenie's "
        "address, which has no key"
    ),
    r"api\.pushover\.net/": (
        "expected pover://USER_KEY@TOKEN, found Pushover's address, which has no keys"
    ),
    r"[^/]+/(?:[^/]+/)*hooks/[^/]+/[^/]+/?$": (
        "expected rockets://TOKEN_A/TOKEN_B@HOST/#ROOM?mode=webhook if this is Rocket.Chat, else "
        "webhook+https://… for a service of yours, found an address of no service known by its host"
    ),
    r"[^/]+/(?:[^/]+/)*hooks/[^/]+/?$": (
        "expected mmosts://HOST/TOKEN if this is Mattermost, else webhook+https://… for a service "
        "of yours, found an address of no service known by its host"
    ),
    r"[^/]+/_matrix/": (
        "expected matrixs://USER:PASSWORD@HOST/#ROOM for Matrix, found the address of its server"
    ),
}
_ADVICE: Final = tuple((re.compile(one, re.IGNORECASE), said) for one, said in _SAID.items())


def advice(url: str) -> str:
    """What to write in place of a pasted `url` that no service is known by; without its parts."""
    place = url.partition("://")[2].partition("?")[0]
    for pattern, said in _ADVICE:
        if pattern.match(place):
            return said
    return (
        "expected the address of a service that is known by it (Discord, Slack, a workflow of "
        "Teams, Google Chat, Telegram, …), or a URL with its scheme (mmosts://HOST/TOKEN, "
        "ntfys://HOST/TOPIC; webhook+https://… for a service of yours), found another address"
    )
