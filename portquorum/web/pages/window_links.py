"""The window of the target page by its URL, and links to windows beside it. Pure."""

from typing import Final

from portquorum.web.history.answers import TimeWindow
from portquorum.web.history.windows import LONGEST_MS, MINUTE_MS, NAMES, between, named, zoomed
from portquorum.web.pages.address import Address
from portquorum.web.words import ENGLISH

USUAL: Final = "24h"
"""The window of a URL that names none."""

_LEAST_MARGIN_MS: Final = 30 * MINUTE_MS
_SHORTEST_MS: Final = 10 * MINUTE_MS


def window_of(asked: Address, now: int) -> TimeWindow:
    """The window that a URL asks for: by its name, or `since` and `until` (UTC ms).

    What makes no sense is the usual one.
    """
    name = asked.value("window")
    if name in NAMES:
        return named(name, now)
    since, until = milliseconds(asked.value("since")), milliseconds(asked.value("until"))
    if since is not None and until is not None:
        try:
            return between(since, min(until, now))
        except ValueError:
            pass
    return named(USUAL, now)


def window_links(window: TimeWindow, here: Address, now: int) -> list[tuple[str, str, bool]]:
    """Words, address and whether it is the present one, for each window to go to.

    Whatever else the address asks for, such as a table, stays.
    """
    w = ENGLISH
    kept = here.others("window", "since", "until")

    def there(*pairs: tuple[str, str]) -> str:
        return str(Address(here.path, (*kept, *pairs)))

    links = [(name, there(("window", name)), name == window.name) for name in NAMES]
    earlier, later, wider = zoomed(window, now)
    beside = [(w.earlier, earlier), (w.wider, wider)]
    if window.until < now:
        beside.append((w.later, later))
    if window.until - window.since >= 2 * _SHORTEST_MS:
        beside.append((w.closer, _middle(window)))
    return links + [
        (words, there(("since", f"{one.since}"), ("until", f"{one.until}")), False)
        for words, one in beside
    ]


def around(began_at: int, ended_at: int | None, here: Address, now: int) -> str:
    """The address of the window that an incident fills for a third, and an hour at least."""
    end = now if ended_at is None else ended_at
    margin = max(_LEAST_MARGIN_MS, end - began_at)
    since, until = max(began_at - margin, end + margin - LONGEST_MS), min(end + margin, now)
    kept = here.others("window", "since", "until")
    return str(Address(here.path, (*kept, ("since", f"{since}"), ("until", f"{until}"))))


def _middle(window: TimeWindow) -> TimeWindow:
    """The newest half: what is wrong now is at the end."""
    return between((window.since + window.until) // 2, window.until)


def milliseconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 13 else None
