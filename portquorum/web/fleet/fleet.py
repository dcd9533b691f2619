"""The fleet: topics are applied to it, answers are read from it."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from portquorum.web.answers import (
    Counts,
    Freshness,
    GroupPage,
    IncidentAnswer,
    IncidentPage,
    IncidentQuery,
    MaintenanceAnswer,
    Overview,
    ProberRow,
    RegionsAnswer,
    SilencesAnswer,
    TargetAnswer,
    TargetPage,
    TargetQuery,
)


class CursorError(ValueError):
    """A cursor that no page has given, or that belongs to another sort."""


class StatusRow(Struct, frozen=True, gc=False, kw_only=True):
    """What `status_now` says of a target; `regions` maps each region to its word."""

    target: str
    status: str
    since: int | None = None
    is_resolved: bool = False
    newest_result_at: int | None = None
    regions: Mapping[str, str] = {}


class Fleet:
    """What is known now. `partitions` is the number of partitions of the fleet's topics."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions

    # What comes in. Undecodable values change nothing; each method says whether anything changed.

    def apply_target(self, key: bytes, value: bytes | None, partition: int, offset: int) -> bool:
        """A record of [targets]; None or empty removes the target from the partition."""
        raise NotImplementedError

    def apply_policy(self, key: bytes, value: bytes | None, offset: int) -> bool:
        """A record of [policy]."""
        raise NotImplementedError

    def apply_open(self, key: bytes, value: bytes | None) -> bool:
        """A record of [incidents.open]."""
        raise NotImplementedError

    def apply_event(self, partition: int, offset: int, value: bytes) -> bool:
        """A record of [incidents]."""
        raise NotImplementedError

    def apply_status(self, rows: Iterable[StatusRow], at: int) -> bool:
        """All rows of `status_now`, as they were at `at` (UTC ms)."""
        raise NotImplementedError

    def apply_beats(self, regions: Mapping[str, Sequence[ProberRow]], at: int) -> bool:
        """The newest beat of each prober, by region, as they were at `at`."""
        raise NotImplementedError

    def tick(self, now: int) -> bool:
        """The time is `now` (UTC ms): windows begin and end, data grow old."""
        raise NotImplementedError

    # What goes out.

    @property
    def version(self) -> int:
        """Grows with each change of any answer, but for ages."""
        raise NotImplementedError

    @property
    def position(self) -> str:
        """The vector of offsets that is applied, an opaque text."""
        raise NotImplementedError

    def freshness(self) -> Freshness:
        """How old the data are."""
        raise NotImplementedError

    def counts(self) -> Counts:
        """Targets by state."""
        raise NotImplementedError

    def overview(self, group_by: str = "team") -> Overview:
        """The first page."""
        raise NotImplementedError

    def groups(self, group_by: str = "team") -> GroupPage:
        """All groups of a dimension: team, tag, kind, criticality, region, source.

        Raises:
            ValueError: no such dimension.
        """
        raise NotImplementedError

    def targets(self, query: TargetQuery) -> TargetPage:
        """A page of targets.

        Raises:
            CursorError: the cursor is none, or of another sort.
        """
        raise NotImplementedError

    def incidents(self, query: IncidentQuery) -> IncidentPage:
        """A page of the incidents in memory.

        Raises:
            CursorError: the cursor is none.
        """
        raise NotImplementedError

    def target(self, target_id: str) -> TargetAnswer | None:
        """One target; None: there is none of this id."""
        raise NotImplementedError

    def incident(self, incident_id: str) -> IncidentAnswer | None:
        """One incident that is open or closed within 24 h; None: ask the history."""
        raise NotImplementedError

    def regions(self) -> RegionsAnswer:
        """All regions."""
        raise NotImplementedError

    def maintenance(self) -> MaintenanceAnswer:
        """All maintenance windows."""
        raise NotImplementedError

    def silences(self) -> SilencesAnswer:
        """All silences."""
        raise NotImplementedError
