"""The error of a demo stage that did not come in time."""

from collections.abc import Sequence


class StageError(Exception):
    """A stage did not come within its deadline; the text says which and why.

    `roles` are those with last lines that may tell more.
    """

    def __init__(self, stage: str, why: str, roles: Sequence[str] = ()) -> None:
        super().__init__(f"{stage}: {why}")
        self.stage = stage
        self.why = why
        self.roles = tuple(roles)
