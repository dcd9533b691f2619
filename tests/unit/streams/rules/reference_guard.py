"""Rule 8: which regions have lost their own network, from the last beats of their probers."""

from msgspec import Struct

from schemas.control import Beat
from tests.unit.streams.rules.reference_words import Cleared, Suspect


class Counts(Struct):
    """Of all probers of a region that were heard."""

    targets: int = 0
    failing: int = 0
    newly: int = 0
    heard: list[int] = []

    @property
    def fails_widely(self) -> bool:
        return 100 * self.failing > 40 * self.targets and self.failing >= 20

    @property
    def has_begun_to(self) -> bool:
        begun = 100 * self.newly > 40 * self.targets and self.newly >= 20
        return begun and not self.is_well

    @property
    def is_well(self) -> bool:
        return 100 * self.failing <= 20 * self.targets

    def contradicts(self, begun: int) -> bool:
        """Of a region that began to fail widely then: this one looked, and sees no such thing."""
        if self.targets == 0 or self.fails_widely or 100 * self.newly > 20 * self.targets:
            return False
        return all(heard >= begun + 10_000 for heard in self.heard)


class Guard:
    def __init__(self) -> None:
        self.suspect: set[str] = set()
        self.since: dict[str, int] = {}
        self.begun: dict[str, int] = {}
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
                counts.heard = [*counts.heard, heard]
        self.begun = {
            region: self.begun.get(region, running)
            for region, counts in reporting.items()
            if counts.has_begun_to
        }
        wide = sum(counts.fails_widely for counts in reporting.values())
        told: list[Suspect | Cleared] = []
        for region, counts in sorted(reporting.items()):
            it_and_those = wide + (0 if counts.fails_widely else 1)
            innocent = counts.is_well or 2 * it_and_those > len(reporting)
            if region in self.suspect and innocent:
                self.suspect.remove(region)
                del self.since[region]
                told.append(Cleared(region, now))
            elif region not in self.suspect and region in self.begun:
                others = [one for name, one in reporting.items() if name != region]
                against = sum(one.contradicts(self.begun[region]) for one in others)
                if against >= len(reporting) - against:
                    self.suspect.add(region)
                    self.since[region] = running
                    told.append(Suspect(region, now))
        return told
