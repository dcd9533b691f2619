"""Why a check did not succeed, raised where it is found."""

from schemas.result import Reason


class CheckFailedError(Exception):
    """The check ends with this reason; `detail` is for people and need not be clean yet."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail
