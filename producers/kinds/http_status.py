"""The statuses of HTTP that are fine: single ones and ranges."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_FINE: Final = ("200-299",)

Statuses = Sequence[int | str]


def accepts(statuses: Statuses, status: int) -> bool:
    """Whether `status` is among them (none: 200 to 299)."""
    return any(
        one == status if isinstance(one, int) else status in _range(one)
        for one in statuses or _FINE
    )


def told(statuses: Statuses) -> str:
    """The accepted statuses for people."""
    return ", ".join(str(one).replace("-", " to ") for one in statuses or _FINE)


def check(statuses: Statuses) -> None:
    """Looks for ranges that have no status.

    Raises:
        ValueError: there is one.
    """
    for position, one in enumerate(statuses):
        if isinstance(one, str) and not _range(one):
            text = "expected a range from the lower status to the higher one"
            raise ValueError(f"status[{position}]: {text}, found {one}")


@lru_cache(maxsize=1024)
def _range(text: str) -> range:
    first, last = text.split("-")
    return range(int(first), int(last) + 1)
