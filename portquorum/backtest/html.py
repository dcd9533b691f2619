"""The result as one self-contained HTML file."""

from collections.abc import Iterator
from typing import Final

from portquorum.backtest.expectation import in_words
from portquorum.backtest.figures import lines, verdict
from portquorum.backtest.result import BacktestResult
from portquorum.presentation.html import render
from portquorum.presentation.output import clock
from schemas.duration import DAY_MS, duration_text
from streams.backtest.compare import PolicyComparison

SHOWN: Final = 500
"""Most rows of a list that are shown; the JSON document has all."""


def document(result: BacktestResult) -> str:
    """The page."""
    return render(
        "portquorum.backtest",
        scope=result.scope,
        changes=result.changes,
        notes=result.notes,
        found=result.comparison,
        verdict=verdict(result.comparison),
        expected=in_words(result.expected, result.comparison.until - result.comparison.since),
        lines=lines(result.comparison),
        days=list(_days(result.comparison)),
        shown=SHOWN,
        clock=clock,
        duration_text=duration_text,
    )


def _days(found: PolicyComparison) -> Iterator[list[tuple[str, float, str]]]:
    """Two bars a day, drawn to the highest of both."""
    most = max(*found.present.days, *found.proposed.days, 1)
    for day, values in enumerate(zip(found.present.days, found.proposed.days, strict=True)):
        date = clock(found.since + day * DAY_MS)[:10]
        yield [
            (kind, 100 * value / most, f"{date}: {value:,}")
            for kind, value in zip(("now", ""), values, strict=True)
        ]
