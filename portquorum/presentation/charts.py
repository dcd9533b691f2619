"""Small charts of characters for the terminal, and the heights of bars for a page."""

from collections.abc import Iterable
from typing import Final

_LEVELS: Final = "▁▂▃▄▅▆▇█"
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def sparkline(shares: Iterable[float | None]) -> str:
    """A character a value, by its share of the height, from 0 to 1; a dot where there is none."""
    return "".join(
        "·" if share is None else _LEVELS[max(0, min(7, int(share * 8)))] for share in shares
    )


def bar(share: float, width: int) -> str:
    """A bar for a share from 0 to 1, to the eighth of a character; something is never nothing."""
    if share <= 0:
        return ""
    eighths = max(1, round(share * width * 8))
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
