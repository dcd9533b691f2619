"""The figures and the result in words, for the terminal and for the page."""

from schemas.duration import DAY_MS, ONE_UNIT, duration_text
from streams.backtest.compare import PolicyComparison
from streams.backtest.figures import SHORT_MS, PolicyFigures


class Line:
    """A row of the table of figures: both values in people's notation, and their difference."""

    __slots__ = ("better", "difference", "name", "present", "proposed")

    def __init__(self, name: str, present: float | None, proposed: float | None, unit: str) -> None:
        """`better` is True if the proposed value is lower: less is better for all these figures."""
        self.name = name
        self.present = _text(present, unit)
        self.proposed = _text(proposed, unit)
        self.difference = ""
        self.better: bool | None = None
        if present is not None and proposed is not None and present != proposed:
            change = proposed - present
            sign = "+" if change > 0 else "-"
            self.difference = f"{sign}{_text(abs(change), unit)}"
            if present:
                self.difference += f" ({sign}{abs(change) / present:.0%})"
            self.better = change < 0


def lines(found: PolicyComparison) -> list[Line]:
    """The figures side by side."""
    first, second = found.present.figures, found.proposed.figures
    shown = [Line("incidents", first.incidents, second.incidents, "")]
    types = sorted(first.by_type.keys() | second.by_type.keys())
    if len(types) > 1 or types not in ([], ["unreachable"]):
        shown += [
            Line(f"  {one}", first.by_type.get(one, 0), second.by_type.get(one, 0), "")
            for one in types
        ]
    short = f"  over within {SHORT_MS // 60_000} min of opening"
    return [
        *shown,
        Line(short, first.short, second.short, ""),
        Line("alerts a day", first.alerts_a_day, second.alerts_a_day, "a day"),
        Line("minutes down", first.minutes_down, second.minutes_down, "min"),
        Line("time to detect, median", first.detect_p50_s, second.detect_p50_s, "s"),
        Line("time to detect, 95 %", first.detect_p95_s, second.detect_p95_s, "s"),
        Line("open at the end", first.open, second.open, ""),
    ]


def verdict(found: PolicyComparison) -> str:
    """The result in one sentence."""
    first, second = found.present.figures, found.proposed.figures
    if not found.gone and not found.new and first == second:
        return "The other policy would have changed nothing."
    days = max(1, round((found.until - found.since) / DAY_MS))
    parts = [
        f"{_alerts(first)} would have been {_alerts(second)} in {days} day{'s' * (days != 1)}",
    ]
    if found.gone:
        parts.append(f"{_incidents(len(found.gone))} would not have opened")
    if found.new:
        parts.append(f"{_incidents(len(found.new))} would be new")
    if first.detect_p95_s is not None and second.detect_p95_s is not None:
        change = second.detect_p95_s - first.detect_p95_s
        if abs(change) >= 1:
            way = "later" if change > 0 else "sooner"
            parts.append(f"95 % are known {duration_text(abs(change) * 1000, ONE_UNIT)} {way}")
    return "; ".join(parts) + "."


def _alerts(figures: PolicyFigures) -> str:
    return f"{figures.alerts:,} alert{'' if figures.alerts == 1 else 's'}"


def _incidents(count: int) -> str:
    return f"{count:,} incident{'' if count == 1 else 's'}"


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "s":
        return duration_text(value * 1000, ONE_UNIT)
    if unit == "a day":
        return f"{value:,.1f}"
    return f"{value:,.0f}"
