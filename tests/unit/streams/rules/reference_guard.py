"""Rule 8: which regions have lost their own network, from the last beats of their probers."""

from msgspec import Struct

from schemas.control import Beat
from tests.unit.streams.rules.reference_words import Cleared, Suspect


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
        self.since: dict[str, int] = {}
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
        told: list[Suspect | Cleared] = []
        for region, counts in sorted(reporting.items()):
            it_and_those = wide + (0 if counts.fails_widely else 1)
            innocent = counts.is_well or 2 * it_and_those > len(reporting)
            if region in self.suspect and innocent:
                self.suspect.remove(region)
                del self.since[region]
                told.append(Cleared(region, now))
            elif region not in self.suspect and counts.has_begun_to and not innocent:
                self.suspect.add(region)
                self.since[region] = running
                told.append(Suspect(region, now))
        return told
