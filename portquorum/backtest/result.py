"""All that a backtest found, as the pages and the JSON document have it."""

from msgspec import Struct

from streams.backtest.compare import Comparison


class Scope(Struct, frozen=True, kw_only=True):
    """What was looked at. `rows` went through the rules, in `seconds`; the rest need not."""

    policy: str
    targets: int
    hosts: int
    rows: int
    calm_hosts: int
    calm_rows: int
    unwatched: int
    unwatched_rows: int
    seconds: float


class Result(Struct, frozen=True, kw_only=True):
    """`changes`: what the other policy changes; `notes`: what people should know of the figures."""

    scope: Scope
    changes: list[str]
    comparison: Comparison
    notes: list[str]
