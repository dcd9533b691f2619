"""A dry run in words and bars."""

from typing import TYPE_CHECKING, Final

from rich.text import Text

from portquorum.presentation.output import clock, out, table
from schemas.plain_text import one_line
from schemas.wall_clock import local, zone_or_utc

if TYPE_CHECKING:
    from portquorum.dry_run.figures import DryRunFigures, ReceiverFigures

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_BARS: Final = " ▁▂▃▄▅▆▇█"
_SHOWN: Final = 5
_MOST_REASONS: Final = 20


def show(found: "DryRunFigures") -> None:
    """Prints who would have got what."""
    span = f"{clock(found.since)} to {clock(found.until)} UTC"
    number = f"{found.incidents:,} incident{'' if found.incidents == 1 else 's'}"
    out().print(Text(f"{number} from {span}; nothing was sent", style="bold"))
    if found.left_out:
        out().print(Text(f"{found.left_out:,} had begun before, and are left out", style="dim"))
    if found.receivers:
        _receivers(found)
        _hours(found)
    else:
        out().print(Text("nobody would have got a message"))
    _spared(found)
    _console(found)


def _receivers(found: "DryRunFigures") -> None:
    columns = (
        "receiver",
        "messages",
        "openings",
        "recoveries",
        "digests",
        "reminders",
        "escalations",
        "other",
        "at night",
        "most in an hour",
        "really sent",
    )
    unused = [
        title
        for title, field in (
            ("digests", "digests"),
            ("reminders", "reminders"),
            ("escalations", "escalations"),
            ("other", "others"),
        )
        if not any(getattr(one, field) for one in found.receivers)
    ]
    shown = [index for index, title in enumerate(columns) if title not in unused]
    rows = [[_row(one, found.zone)[index] for index in shown] for one in found.receivers]
    drop = [one for one in ("other", "at night", "really sent", "recoveries") if one not in unused]
    out().print(table([columns[index] for index in shown], rows, drop=drop))


def _row(one: "ReceiverFigures", zone: str) -> tuple[object, ...]:
    most = None if one.busiest is None else f"{one.in_busiest} ({_hour(one.busiest, zone)})"
    return (
        f"{one.route} ({one.scheme})",
        one.messages,
        one.openings,
        one.recoveries,
        one.digests,
        one.reminders,
        one.escalations,
        one.others,
        one.at_night,
        most,
        one.sent,
    )


def _hours(found: "DryRunFigures") -> None:
    most = max(max(row) for row in found.by_hour)
    title = f"Messages by hour of the week ({found.zone}), █ is {most}"
    out().print(Text(title, style="bold"))
    out().print_indented(Text("    00    06    12    18", style="dim"))
    for day, row in zip(_DAYS, found.by_hour, strict=True):
        bars = "".join(_bar(number, most) for number in row)
        out().print_indented(Text.assemble(f"{day} ", (bars, "cyan"), f" {sum(row) or ''}"))
    if found.busiest is not None:
        really = "" if found.sent is None else f"; really sent in that time: {found.sent:,}"
        words = (
            f"{found.messages:,} messages, {found.in_busiest} of them in the hour from "
            f"{_hour(found.busiest, found.zone)} {found.zone}{really}"
        )
        out().print(Text(words))


def _hour(at: int, zone: str) -> str:
    """The hour on the clock whose times are shown."""
    return f"{local(at, zone_or_utc(zone)):%Y-%m-%d %H:%M}"


def _bar(number: int, most: int) -> str:
    if not number:
        return "·"
    return _BARS[max(1, round(number / most * (len(_BARS) - 1)))]


def _spared(found: "DryRunFigures") -> None:
    if not found.spared:
        return
    rows = [
        (one.times, one.why, ", ".join(one.targets[:_SHOWN]) + _more(len(one.targets)))
        for one in found.spared[:_MOST_REASONS]
    ]
    columns = ("times", "not told because", "of")
    out().print(table(columns, rows, fold=("not told because", "of")))


def _console(found: "DryRunFigures") -> None:
    if not found.console:
        return
    some = ", ".join(list(found.console)[:_SHOWN]) + _more(len(found.console))
    words = (
        f"On the console alone, since no route takes it: {sum(found.console.values())} of {some}"
    )
    out().print(Text(one_line(words), style="yellow"))


def _more(number: int) -> str:
    return f" and {number - _SHOWN} more" if number > _SHOWN else ""
