"""What a page can be asked: another filter, or another value, would be another question. Pure."""

import difflib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Final

from portquorum.changing.errors import FieldError
from portquorum.web.history.windows import NAMES, between
from portquorum.web.pages.address import DONE, TABLE, Address
from portquorum.web.pages.window_links import milliseconds
from portquorum.web.problem import ProblemError

Filters = Mapping[str, Sequence[str]]
"""The values of each filter; none: any text."""

NO_FILTERS: Final[Filters] = {}
OF_A_TARGET: Final[Filters] = {"window": NAMES, "since": (), "until": ()}
_MOST_ERRORS: Final = 20


def refuse_unknown(asked: Address, known: Filters) -> None:
    """Lets pass what the page knows.

    Raises:
        ProblemError: 400, a filter or value that it does not know; the sentence lists what it does.
    """
    wrong = (one for one in dict.fromkeys(asked.pairs) if one[0] not in {TABLE, DONE})
    found = ((name, _what_is_wrong(name, value, known)) for name, value in wrong)
    errors = tuple(
        FieldError(field=name[:100], message=message)
        for name, message in islice((one for one in found if one[1]), _MOST_ERRORS)
    )
    if errors:
        said = "; ".join(f"{one.field}: {one.message}" for one in errors[:5])
        raise ProblemError(HTTPStatus.BAD_REQUEST, said, errors=errors)


def refuse_wrong_window(asked: Address) -> None:
    """Lets pass no `since` and no `until`, or both of a window that there is.

    Raises:
        ProblemError: 400.
    """
    if not asked.values("since") and not asked.values("until"):
        return
    since, until = milliseconds(asked.value("since")), milliseconds(asked.value("until"))
    message = ""
    if since is None or until is None:
        message = "expected `since` and `until`, each in UTC ms"
    else:
        try:
            between(since, until)
        except ValueError as error:
            message = str(error)
    if message:
        names = [one for one in ("since", "until") if asked.values(one)]
        errors = tuple(FieldError(field=one, message=message) for one in names)
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"{names[0]}: {message}", errors=errors)


def _what_is_wrong(name: str, value: str, known: Filters) -> str:
    """One sentence; empty: nothing."""
    if name not in known:
        if not known:
            return "this page has no filters"
        alike = difflib.get_close_matches(name[:100], known, 1)
        hint = f"did you mean `{alike[0]}`? There are" if alike else "there are"
        return f"no such filter; {hint} {', '.join(sorted(known))}"
    if known[name] and value not in known[name]:
        return f"no such value: {value[:60]!r}; there are {', '.join(known[name])}"
    return ""
