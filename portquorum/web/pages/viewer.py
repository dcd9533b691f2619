"""Who looks at a page: their theme, their time zone, and times in the words for them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Final, Literal
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace

from portquorum.access.principal import Principal
from schemas.duration import COARSE, duration_text
from schemas.wall_clock import zone_named, zone_or_utc

Theme = Literal["auto", "light", "dark"]
THEMES: Final[tuple[Theme, ...]] = ("auto", "light", "dark")
THEME_COOKIE: Final = "portquorum_theme"
ZONE_COOKIE: Final = "portquorum_zone"

_LONGEST_ZONE: Final = 64
_DAY_MS: Final = 86_400_000
_FIRST: Final = -62_135_596_800_000 + _DAY_MS
_LAST: Final = 253_402_300_799_999 - _DAY_MS


NOBODY: Final = Principal(name="", scope="viewer", via="local")


class Viewer(Struct, frozen=True, kw_only=True):
    """A viewer of a page. `now`: UTC ms. `here`: path and query of the page.

    `zone_name` is a name of the IANA time zone database. `rights` are a principal without name and
    session: all that a page may depend on that others see, too.
    """

    now: int
    here: str = "/"
    theme: Theme = "auto"
    zone_name: str = "UTC"
    rights: Principal = NOBODY

    def may_act(self, team: str | None, tags: Iterable[str]) -> bool:
        """True if they may acknowledge, silence and pause a target of this team and these tags."""
        return self.rights.may("operator") and self.rights.may_touch(team, tags)

    def may_edit(self, team: str | None, tags: Iterable[str]) -> bool:
        """True if they may change the definition of such a target, if the page has it."""
        return self.rights.may("admin") and self.rights.may_touch(team, tags)

    @property
    def is_utc(self) -> bool:
        """True if there is no other time to show beside UTC."""
        return self.zone_name == "UTC"

    @property
    def zone(self) -> tzinfo:
        """Their time zone."""
        return zone_or_utc(self.zone_name)

    def ago(self, at: int) -> str:
        """How long ago in whole seconds: `0 s`, `119 s`, `4 min`, `3 h 5 min`."""
        seconds = max(0, self.now - at) // 1000
        return duration_text(seconds * 1000, COARSE) if seconds else "0 s"

    def clock(self, at: int) -> str:
        """The time of day with the zone's letters: `03:03:41 CET`; with the day if not today's."""
        return self._day(at) + f"{self._local(at):%H:%M:%S %Z}"

    def seconds(self, at: int) -> str:
        """The time of day: `03:03:41`."""
        return f"{self._local(at):%H:%M:%S}"

    def seconds_utc(self, at: int) -> str:
        """The time of day in UTC: `02:03:41`."""
        return f"{_utc(at):%H:%M:%S}"

    def letters(self, at: int) -> str:
        """The zone's letters at that time: `CET`, or `+04` where it has none."""
        return f"{self._local(at):%Z}"

    def moment(self, at: int) -> str:
        """Day, if it is not today, and time of day to the minute."""
        return self._day(at) + f"{self._local(at):%H:%M}"

    def exactly(self, at: int) -> str:
        """Day, if it is not today, and time of day to the second."""
        return self._day(at) + f"{self._local(at):%H:%M:%S}"

    def utc(self, at: int) -> str:
        """The time of day in UTC to the minute, to stand beside `moment`."""
        return f"({_utc(at):%H:%M} UTC)"

    def moment_with_utc(self, at: int) -> str:
        """`moment` with UTC beside it: `09:07 (07:07 UTC)`, or `07:07 UTC`."""
        return f"{self.moment(at)} UTC" if self.is_utc else f"{self.moment(at)} {self.utc(at)}"

    def both(self, at: int) -> str:
        """The whole time in the viewer's zone and in UTC."""
        there = f"{_utc(at):%Y-%m-%d %H:%M:%S} UTC"
        return there if self.is_utc else f"{self._local(at):%Y-%m-%d %H:%M:%S %Z} ({there})"

    def _local(self, at: int) -> datetime:
        return _time(at, zone_or_utc(self.zone_name))

    def _day(self, at: int) -> str:
        local, today = self._local(at), self._local(self.now)
        if local.date() == today.date():
            return ""
        return f"{local:%d %b} " if abs(self.now - at) < 300 * _DAY_MS else f"{local:%d %b %Y} "


def rights_of(principal: Principal) -> Principal:
    """What of a principal a page may show that is kept for all who may do the same."""
    return replace(principal, name="", session="")


def viewer_of(
    cookies: Mapping[str, str], now: int, here: str, rights: Principal = NOBODY
) -> Viewer:
    """The viewer by the cookies of a request; a cookie of no sense counts as none."""
    theme: Theme = next((one for one in THEMES if one == cookies.get(THEME_COOKIE)), "auto")
    zone = unquote(cookies.get(ZONE_COOKIE, ""))
    known = 0 < len(zone) <= _LONGEST_ZONE and zone_named(zone) is not None
    return Viewer(
        now=now, here=here, theme=theme, zone_name=zone if known else "UTC", rights=rights
    )


def iso(at: int) -> str:
    """RFC 3339 in UTC to the second, for `<time datetime>`."""
    return f"{_utc(at):%Y-%m-%dT%H:%M:%SZ}"


def _time(at: int, zone: tzinfo) -> datetime:
    """Times beyond what a calendar has (a message may have any number) become its ends."""
    return datetime.fromtimestamp(max(_FIRST, min(_LAST, at)) / 1000, tz=zone)


def _utc(at: int) -> datetime:
    return _time(at, UTC)
