"""Rule 8: which regions have lost their own network, from the last beats of their probers."""

from msgspec import Struct

from schemas.control import Beat
from tests.unit.streams.reference_words import Cleared, Suspect


class Counts(Struct):
    """Of all probers of a region that were heard."""

    targets: int = 0
    failing: int = 0
    newly: int = 0

    @property
    def fails_widely(self) -> bool:
        return 100 * self.failing > 40 * self.targets and self.failing >= 20

    @property
    def has_begun_to(self) -> bool:
        return 100 * self.newly > 40 * self.targets and self.newly >= 20

    @property
    def is_well(self) -> bool:
        return 100 * self.failing <= 20 * self.targets


class Guard:
    def __init__(self) -> None:
        self.suspect: set[str] = set()
        self.beats: dict[tuple[str, str], tuple[int, Beat]] = {}

    def take(self, beat: Beat, running: int, now: int) -> list[Suspect | Cleared]:
        self.beats[beat.region, beat.prober] = (running, beat)
        reporting: dict[str, Counts] = {}
        for (region, _), (heard, last) in self.beats.items():
            if running - heard < 15_000:
                counts = reporting.setdefault(region, Counts())
                counts.targets += last.targets
                counts.failing += last.failing
                counts.newly += last.newly_failing
        wide = sum(counts.fails_widely for counts in reporting.values())
        most = 2 * wide > len(reporting)
        told: list[Suspect | Cleared] = []
        for region, counts in sorted(reporting.items()):
            if region in self.suspect and (counts.is_well or most):
                self.suspect.remove(region)
                told.append(Cleared(region, now))
            elif region in self.suspect or counts.is_well or most:
                continue
            elif counts.has_begun_to:
                self.suspect.add(region)
                told.append(Suspect(region, now))
        return told
