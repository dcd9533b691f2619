"""What really arrived at the receivers, whatever the notifier knows of it."""

from dataclasses import dataclass

from sinks.notifier.model import Delivery, News

TELLS_OPEN = frozenset({"opened", "worsened", "improved", "updated", "reminder"})


@dataclass(frozen=True)
class Arrival:
    action: str
    key: str
    event_id: str
    at: int
    crashed: bool
    """The notifier ended before it knew of this arrival."""


class Receivers:
    def __init__(self) -> None:
        self.people: dict[tuple[str, str], list[Arrival]] = {}
        """By URL and subject."""
        self.keys: dict[str, dict[str, str]] = {}
        """By URL: the keys that are open there, and their subjects."""
        self.deliveries = 0

    def got(self, delivery: Delivery, now: int, *, crashed: bool) -> None:
        self.deliveries += 1
        url = delivery.channel.url
        for news in delivery.news:
            match delivery.action:
                case "trigger" | "refresh":
                    self.keys.setdefault(url, {})[news.key] = news.entry
                case "resolve":
                    self.keys.setdefault(url, {}).pop(news.key, None)
                case "acknowledge":
                    pass
                case _:
                    self._read(url, delivery, news, now, crashed)

    def _read(self, url: str, delivery: Delivery, news: News, now: int, crashed: bool) -> None:
        own = news.action if delivery.action == "digest" else None
        arrival = Arrival(own or delivery.action, news.key, news.event.event_id, now, crashed)
        self.people.setdefault((url, news.entry), []).append(arrival)
