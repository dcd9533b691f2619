"""The complete result of a backtest, for the pages and the JSON document."""

from msgspec import Struct

from portquorum.backtest.expectation import LossExpectation
from streams.backtest.compare import PolicyComparison


class Scope(Struct, frozen=True, kw_only=True):
    """The scope of the backtest. `rows` went through the rules, in `seconds`; others did not."""

    policy: str
    targets: int
    hosts: int
    rows: int
    calm_hosts: int
    calm_rows: int
    unwatched: int
    unwatched_rows: int
    seconds: float


class BacktestResult(Struct, frozen=True, kw_only=True):
    """`changes`: differences of the other policy; `notes`: remarks on the figures.

    `expected` are the false alarms and delays by formula, `comparison` has what was measured.
    """

    scope: Scope
    changes: list[str]
    comparison: PolicyComparison
    expected: LossExpectation
    notes: list[str]
