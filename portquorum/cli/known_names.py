"""Checks that there is what a filter names."""

from collections.abc import Sequence
from typing import Final

from portquorum.cli.errors import WrongUseError

LISTED: Final = 12
"""Names that an error lists."""


def expect_known(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    """Checks that all `names` are among the `known`; `what` they are, as `team`.

    Raises:
        WrongUseError: the text says which is not, and what there is.
    """
    there = [one for one in known if one]
    for name in names:
        if name in there:
            continue
        if not there:
            raise WrongUseError(f"no {what} is {name!r}: no target has one")
        from portquorum.inventory.suggest import did_you_mean

        meant = did_you_mean(name, there)
        if meant:
            raise WrongUseError(f"no {what} is {name!r}{meant}")
        listed = ", ".join(there[:LISTED])
        more = len(there) - LISTED
        raise WrongUseError(
            f"no {what} is {name!r}; there is {listed}" + (f" and {more} more" if more > 0 else "")
        )
