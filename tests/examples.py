"""How many examples Hypothesis tries where a test says so itself.

A fixed number holds in the long form of `make soak` too, which then is none. CI's form of what is
slow is short; what it does not find, the long one does.
"""

from typing import Final

from hypothesis import settings

SHORT: Final = 40
"""Examples of a test that says nothing, in CI."""
LONG: Final = 1000
"""The same in `make soak`."""


def examples(short: int) -> int:
    """`short` in CI, and as many times more in `make soak` as other tests have there."""
    return max(1, short * settings().max_examples // SHORT)


def minutes(short: int) -> int:
    """The seconds of `pytest.mark.timeout`: `short` minutes in CI, no end in `make soak`."""
    return 0 if settings().max_examples > SHORT else 60 * short
