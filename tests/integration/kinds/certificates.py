"""What the fixture `certificates` gives."""

from datetime import datetime
from pathlib import Path

from msgspec import Struct


class Pair(Struct, frozen=True):
    certificate: Path
    key: Path
    until: datetime

    @property
    def until_ms(self) -> int:
        return round(self.until.timestamp() * 1000)


class Certificates(Struct, frozen=True):
    """`other` is of a name that no test checks, `endless` of the year 9999."""

    ca: Path
    good: Pair
    expired: Pair
    other: Pair
    endless: Pair
