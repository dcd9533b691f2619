"""The definition of a kind of check."""

from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from msgspec import Struct

from producers.kinds.check_context import CheckContext
from producers.kinds.json_text import Place
from producers.kinds.pace import Pace
from schemas.probe import Probe, Tls

P = TypeVar("P", bound=Struct)

Check = Callable[[CheckContext], Awaitable[None]]
"""Returns if the target is up, raises `CheckFailedError` if it is down."""

Settle = Callable[[Probe | None, int | None], Probe | None]
"""The options with resolved defaults, from the options in the inventory and the port.

Raises ValueError with a sentence: what was expected, what was found.
"""


def as_written(probe: Probe | None, _: int | None) -> Probe | None:
    """`Settle` of a kind whose options need no checks and no defaults."""
    return probe


class Kind(Struct, frozen=True, kw_only=True):
    """A kind. `port`: the default port, None if a target must have one in the inventory.

    `options`: the Struct of its options, None without options. `tls_by_port`: the way of TLS of a
    target that does not say its own. `has_port`: False for a kind without
    ports, whose targets must not have one. `pace`: of servers that lock out whoever comes more
    often. `json_options`: the options that are any value in an inventory, and the text of JSON when
    published (see `json_text`). `latency_of`: the time that is meant by `latency:` of an inventory,
    unless it says its own. `check_host` judges the host that a user wrote, beyond the form of any
    host, and raises as `settle`. `spans` are lengths of time (`interval: 1d`) that go before those
    of `defaults:`, `least_interval_ms` is that of a target with these options. `asks_others`: not
    the target is asked but somebody who knows of it, so that the time of a check is not its own.
    """

    check: Check
    port: int | None = None
    has_port: bool = True
    options: type[Probe] | None = None
    settle: Settle = as_written
    tls_by_port: Callable[[int | None], Tls] | None = None
    pace: Pace | None = None
    json_options: tuple[Place, ...] = ()
    latency_of: Literal["connect", "total"] = "connect"
    check_host: Callable[[str], None] | None = None
    spans: dict[str, str] = {}
    least_interval_ms: Callable[[Probe | None], int] | None = None
    asks_others: bool = False
