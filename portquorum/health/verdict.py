"""The lines of `portquorum health`, and its whole answer."""

from typing import Final, Literal

from msgspec import Struct

from portquorum.health.facts import HealthFacts

HealthLevel = Literal["ok", "unknown", "warning", "trouble"]
"""`unknown`: it can't be seen from here, as a right is missing or another part is away."""

LEVELS: Final[tuple[HealthLevel, ...]] = ("ok", "unknown", "warning", "trouble")


class HealthLine(Struct, frozen=True):
    """What is said of one part. `part` is one of a fixed list, `name` the region of a region's."""

    part: str
    level: HealthLevel
    text: str
    name: str | None = None

    @property
    def title(self) -> str:
        """The part as people see it."""
        return self.part if self.name is None else f"{self.part} {self.name}"


class HealthReport(Struct, frozen=True, kw_only=True):
    """The answer: `level` is `trouble`, `warning` or `ok`, `at` the broker's time (UTC ms)."""

    level: HealthLevel
    summary: str
    at: int
    took_ms: int
    lines: tuple[HealthLine, ...]
    facts: HealthFacts


def worst(lines: tuple[HealthLine, ...]) -> HealthLevel:
    """The level of the whole; what can't be seen does not count."""
    found = max((LEVELS.index(line.level) for line in lines), default=0)
    level = LEVELS[found]
    return "ok" if level == "unknown" else level
