"""The error of a failed check."""

from schemas.result import Reason


class CheckFailedError(Exception):
    """A check ended with `reason`; `detail` is for people and may still have unsafe characters.

    `no_way`: see `producers.checks.addresses.Failure`.
    """

    def __init__(self, reason: Reason, detail: str, *, no_way: bool = False) -> None:
        super().__init__(detail)
        self.no_way = no_way
        self.reason: Reason = reason
        self.detail = detail
