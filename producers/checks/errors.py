"""The error of a failed check."""

from schemas.result import Reason


class CheckFailedError(Exception):
    """A check ended with `reason`; `detail` is for people and may still have unsafe characters."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail
