"""The entries of the page's own inventory, and what they resolve to now."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from portquorum.changing.errors import FieldError
from portquorum.editing import entries
from portquorum.editing.entries import Resolved
from portquorum.editing.published import Published
from portquorum.inventory.document import TargetEntry
from portquorum.inventory.present import known_of
from portquorum.inventory.resolve import Known
from portquorum.journal.protocol import Book, Journal
from schemas.partition import canonical_host
from schemas.policy import WEB
from schemas.target import Target
from schemas.web import CLAIM_MS, Claim, WrittenTarget

STEP: Final = 100
"""Entries that are resolved before others have a turn: some 10 ms."""


class Held(Struct, frozen=True):
    """Somebody else's claim of an id."""

    source: str
    claim: str


class Shelf:
    """Reads the journal's book; remembers entries that it has decoded."""

    def __init__(self, journal: Journal, published: Published) -> None:
        self._journal = journal
        self._published = published
        self._decoded: dict[str, tuple[int, TargetEntry | None]] = {}
        self._claims: tuple[str, ...] = ()
        self._held: dict[str, Held] = {}
        """What the claims of others hold, by target id."""

    @property
    def book(self) -> Book:
        return self._journal.book

    def record(self, target: str) -> WrittenTarget | None:
        """The edit of a target that counts; None: there is no such target of the page."""
        return self.book.get(WrittenTarget, target)

    def version(self, target: str) -> int:
        """The newest version of a target, of a removed one too; 0: there never was one."""
        return self.book.version(WrittenTarget, target)

    def entry(self, target: str) -> TargetEntry | None:
        """The entry of a target; None: there is none that can be read."""
        record = self.record(target)
        if record is None:
            self._decoded.pop(target, None)
            return None
        version, entry = self._decoded.get(target, (0, None))
        if version != record.version:
            entry = entries.stored(record.entry)
            self._decoded[target] = record.version, entry
        return entry

    def ids(self) -> list[str]:
        """The ids of all targets of the page."""
        return list(self.book.all(WrittenTarget))

    def dependents(self, target: str) -> list[str]:
        """The ids of the page's targets that depend on one."""
        found = ((name, self.entry(name)) for name in self.ids())
        return [name for name, entry in found if entry is not None and target in entry.depends_on]

    def owner(self, target: str) -> str | None:
        """The source of a target; None: there is none."""
        placed = self._published.placed(target)
        foreign = next((one for one in placed if one.target.source != WEB), None)
        if foreign is not None:
            return foreign.target.source
        return WEB if placed or self.record(target) is not None else None

    def published(self, target: str) -> Target | None:
        """The target as it is published by the page."""
        placed = self._published.placed(target)
        found = placed[0].target if placed else None
        return found if found is not None and found.source == WEB else None

    def held(self, target: str) -> Held | None:
        """The claim of an `inventory apply` that is about to add a target of this id."""
        claims = self.book.every(Claim)
        names = tuple(claims)
        if names != self._claims:
            self._claims = names
            self._held = {
                target: Held(claim.source, name)
                for name, claim in claims.items()
                if claim.source != WEB
                for target in claim.targets
            }
        found = self._held.get(target)
        return found if found is not None and self.counts(found.claim) else None

    def counts(self, claim: str) -> bool:
        """True if a claim is young enough."""
        place = self.book.place(Claim, claim)
        return place is not None and self.book.clock < place.at + CLAIM_MS

    def resolved(self, wanted: Mapping[str, TargetEntry], also: Iterable[str] = ()) -> Resolved:
        """What entries resolve to, with the names of all others as they are now.

        `also` are ids that will be there with them.
        """
        known = self._known(wanted)
        for name in also:
            if name not in wanted:
                known.targets.setdefault(name, WEB)
        return entries.resolved(wanted, known)

    def circle(self, wanted: Mapping[str, TargetEntry]) -> FieldError | None:
        """The circle that these entries would close; None: none."""
        if not any(one.depends_on for one in wanted.values()):
            return None
        depends_on = {name: one.depends_on for name, one in wanted.items()}
        for name in self.ids():
            entry = None if name in depends_on else self.entry(name)
            if entry is not None and entry.depends_on:
                depends_on[name] = entry.depends_on
        return entries.circle(depends_on)

    def _known(self, wanted: Mapping[str, TargetEntry]) -> Known:
        """The names that entries may use; of targets those that they name."""
        known = known_of(self._published.policy(), (), WEB)
        for name in {other for one in wanted.values() for other in one.depends_on} - wanted.keys():
            own = self.entry(name)
            if own is not None:
                known.targets[name] = WEB
                known.hosts.update(_host(name, own.host))
                continue
            for placed in self._published.placed(name)[:1]:
                if placed.target.source != WEB:
                    known.targets[name] = placed.target.source
                    known.hosts.update(_host(name, placed.target.host))
        return known


def _host(name: str, host: str | None) -> dict[str, str]:
    try:
        return {} if host is None else {name: canonical_host(host)}
    except ValueError:
        return {}
