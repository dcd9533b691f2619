"""What a kind of check is made of."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec import Struct

from producers.kinds.check_context import CheckContext
from schemas.probe import Probe

P = TypeVar("P", bound=Struct)

Check = Callable[[CheckContext], Awaitable[None]]
"""Returns if the target is up, raises `CheckFailedError` if it is down."""

Settle = Callable[[Probe | None, int | None], Probe | None]
"""The options with their defaults resolved, given those that were written and the port.

Raises ValueError with a sentence: what was expected, what was found.
"""


def as_written(probe: Probe | None, _: int | None) -> Probe | None:
    """For a kind whose options need no second look."""
    return probe


class Kind(Struct, frozen=True, kw_only=True):
    """A kind. `port`: that of a target that names none, None if it must be named.

    `options`: the Struct of its options, None if there are none. `has_port`: False for a kind
    that knows no ports, of which a target may name none.
    """

    check: Check
    port: int | None = None
    has_port: bool = True
    options: type[Probe] | None = None
    settle: Settle = as_written
