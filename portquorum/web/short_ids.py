"""Incidents by the first characters of their ids, as `portquorum ack` takes them. Pure."""

from http import HTTPStatus
from typing import Final

from portquorum.web.ports import Fleet
from portquorum.web.problem import ProblemError

_LISTED: Final = 5


def whole_id(fleet: Fleet, text: str) -> str:
    """The id that `text` begins, in any case; `text` if none in memory does.

    Raises:
        ProblemError: 409, several incidents have ids that begin so; the sentence lists them.
    """
    if fleet.incident(text) is not None:
        return text
    found = fleet.incidents_beginning(text)
    if len(found) > 1:
        listed = [f"{one.id} ({one.target}, {one.type})" for one in found[:_LISTED]]
        more = ["…"] if len(found) > _LISTED else []
        raise ProblemError(
            HTTPStatus.CONFLICT,
            f"{len(found)} incidents have ids that begin with {text[:99]!r}, type more of it: "
            f"{', '.join(listed + more)}",
        )
    return found[0].id if found else text
