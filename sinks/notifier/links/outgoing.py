"""Puts links into messages for people. Pure."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from foundation.settings import Settings
from schemas.incident import IncidentEvent
from sinks.notifier.links.token import LIFE_MS, LinkClaim, signed
from sinks.notifier.model import Delivery, News

MOST_LINKS: Final = 10
"""Links in one message: a digest of a thousand incidents has some."""

_ACTIONS: Final = frozenset({"opened", "worsened", "reminder", "digest"})
_LONGEST_ID: Final = 255


class Links(Struct, frozen=True):
    """The public address of the links, and the key by which they are signed."""

    base: str
    key: str

    def url(self, token: str) -> str:
        """The URL of a token."""
        return f"{self.base.rstrip('/')}/i/{token}"

    def added(self, delivery: Delivery) -> Delivery:
        """`delivery` with a link for each of its open outages that nobody has acknowledged.

        Its id stays the same. For messages to people; the console's lines are in a log, where no
        link belongs.
        """
        if delivery.action not in _ACTIONS or delivery.channel.scheme == "console":
            return delivery
        left = MOST_LINKS
        news = []
        for one in delivery.news:
            if left and _can_be_acknowledged(one, delivery):
                left -= 1
                news.append(replace(one, link=self._link(one, delivery.at)))
            else:
                news.append(one)
        return replace(delivery, news=tuple(news))

    def _link(self, news: News, now: int) -> str:
        event = news.event
        assert isinstance(event, IncidentEvent)  # noqa: S101 - looked at before
        until = (now + LIFE_MS) // 1000
        return self.url(signed(LinkClaim("ack", event.incident_id, news.episode, until), self.key))


def links_of(settings: Settings) -> Links | None:
    """The links of the settings; None without them."""
    if not settings.links or settings.links_key is None:
        return None
    return Links(settings.links, settings.links_key)


def _can_be_acknowledged(news: News, delivery: Delivery) -> bool:
    event, action = news.event, news.action or delivery.action
    return (
        isinstance(event, IncidentEvent)
        and action in _ACTIONS
        and event.event != "closed"
        and event.acknowledged_by is None
        and len(event.incident_id) <= _LONGEST_ID
    )
