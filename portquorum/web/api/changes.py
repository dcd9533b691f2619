"""What routes that change something say of themselves, for the OpenAPI document."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import fields

from portquorum.access.principal import Need
from portquorum.web.access.needs import needs
from portquorum.web.api.bodies import JSON
from portquorum.web.page_cache import NOT_PACKED_AGAIN

CHANGE: Final = "change"


class Change(Struct, frozen=True, kw_only=True):
    """A route that changes something.

    `body`: the Struct of its body, None if it takes none; `media_types` those that it takes.
    `has_version`: it takes `If-Match` and `If-None-Match`, and answers with an `ETag`. `made`: it
    may answer 201 with a `Location`. `statuses`: further ones, and when. `also`: what it may answer
    in place of its usual answer.
    """

    body: type[Struct] | None = None
    media_types: tuple[str, ...] = (JSON,)
    has_version: bool = False
    made: bool = False
    statuses: Mapping[int, str] = {}
    also: tuple[type[Struct], ...] = ()

    @property
    def needs_body(self) -> bool:
        """True if an absent body, which is an object without fields, is not enough."""
        return self.body is not None and any(one.required for one in fields(self.body))


def changes(
    need: Need,
    body: type[Struct] | None = None,
    *,
    media_types: Sequence[str] = (JSON,),
    has_version: bool = False,
    made: bool = False,
    statuses: Mapping[int, str] | None = None,
    also: Sequence[type[Struct]] = (),
) -> dict[str, Any]:
    """The `opt` of a route that changes something."""
    change = Change(
        body=body,
        media_types=tuple(media_types),
        has_version=has_version,
        made=made,
        statuses=statuses or {},
        also=tuple(also),
    )
    return {CHANGE: change} | needs(need)


def versioned(need: Need) -> dict[str, Any]:
    """The `opt` of a route that reads what has versions: its ETag is strong.

    A strong tag is that of the bytes (RFC 9110, section 8.8.1), so they are not packed.
    """
    return {"versioned": True, NOT_PACKED_AGAIN: True} | needs(need)
