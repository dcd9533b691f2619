"""The wait before the restart of a role that died."""

from typing import Annotated, Final

from msgspec import Meta, Struct

FIRST_S: Final = 0.5
LONGEST_S: Final = 30.0
WELL_AFTER_S: Final = 30.0


class Backoff(Struct, frozen=True, kw_only=True):
    """Doubles from `first_s` to `longest_s`; a run of `well_after_s` resets it."""

    first_s: Annotated[float, Meta(gt=0)] = FIRST_S
    longest_s: Annotated[float, Meta(gt=0)] = LONGEST_S
    well_after_s: Annotated[float, Meta(gt=0)] = WELL_AFTER_S

    def next(self, last_s: float | None, ran_s: float) -> float:
        """The wait in seconds after a run of `ran_s`.

        `last_s` is the wait before that run, None if it was the first one.
        """
        if last_s is None or ran_s >= self.well_after_s:
            return self.first_s
        return min(last_s * 2, self.longest_s)
