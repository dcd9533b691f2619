"""Hours of the week in people's notation: `mon-fri 18:00-08:00`, `sat,sun`, `22:00-07:00`."""

from collections.abc import Iterable
from typing import Final, get_args

from schemas.policy import Hours, Weekday

_DAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)


def parse(written: str | Iterable[str] | None) -> tuple[Hours, ...]:
    """The hours of texts that the document's pattern allows; none for None."""
    if written is None:
        return ()
    return tuple(map(_one, [written] if isinstance(written, str) else written))


def text(hours: Iterable[Hours]) -> str:
    """The hours for people, by commas and blanks: `mon-fri 18:00-08:00, sat,sun`."""
    return ", ".join(map(_text, hours))


def _one(written: str) -> Hours:
    if ":" not in written:
        return Hours(days=_days(written))
    days, _, span = written.rpartition(" ")
    begin, end = span.split("-")
    return Hours(
        days=_days(days) if days else (), begin=begin, end="00:00" if end == "24:00" else end
    )


def _days(written: str) -> tuple[Weekday, ...]:
    """`mon-wed,sat` in the order of the week; `sat-mon` goes over its end."""
    chosen: set[int] = set()
    for part in written.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        begin = _DAYS.index(first)
        end = _DAYS.index(last or first)
        chosen |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return tuple(_DAYS[day] for day in sorted(chosen))


def _text(hours: Hours) -> str:
    days = ",".join(_runs(sorted({_DAYS.index(day) for day in hours.days})))
    whole = hours.begin == hours.end == "00:00"
    span = "" if whole else f"{hours.begin}-{'24:00' if hours.end == '00:00' else hours.end}"
    return " ".join(part for part in (days, span) if part) or "always"


def _runs(days: list[int]) -> Iterable[str]:
    """Days in a row as `mon-fri`, from three on; others alone."""
    while days:
        length = 1
        while length < len(days) and days[length] == days[0] + length:
            length += 1
        if length > 2:
            yield f"{_DAYS[days[0]]}-{_DAYS[days[length - 1]]}"
        else:
            yield from (_DAYS[day] for day in days[:length])
        days = days[length:]
