"""What a wing says of the files that it has read, before and after the inventory's own checks."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from msgspec import Struct, field

SourceKind = Literal[
    "gatus", "kuma", "blackbox", "prometheus", "alertmanager", "nagios", "csv", "nmap"
]
Outcome = Literal["exact", "nearly", "left_out"]
PrivateHosts = Literal["internal", "allow", "refuse"]

MOST_BYTES: Final = 16 * 1024 * 1024
"""The longest file that is read."""


class Place(Struct, frozen=True):
    """Where something stands at its source: the file, and the line (from 1; 0: not known)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Timing(Struct, frozen=True, kw_only=True):
    """Seconds of an entry: between two checks, for an answer, and until somebody is told.

    `told_after_s` is counted from the first check that fails to the alert or incident. None: the
    source does not say, or tells nobody.
    """

    interval_s: float
    timeout_s: float | None = None
    told_after_s: float | None = None


class Secret(Struct, frozen=True):
    """A secret that the operator has to set: the variable's name, and where its value stands.

    Its value is nowhere in the result. `of_checks`: the probers need it (their names begin with
    `PORTQUORUM_SECRET_`), else the notifier does.
    """

    name: str
    place: Place
    what: str
    """Such as `basic_auth_pass of the monitor "API"`."""

    of_checks: bool = True


class Ignored(Struct, frozen=True):
    """Something at the source that has no place here: what it is, and why that is so."""

    place: Place
    what: str
    why: str


class Found(Struct, kw_only=True):
    """One entry of the source, and what the wing made of it.

    `targets` are items of the inventory's `targets:` as plain values, without `id`, which
    `assemble` gives them; none if the entry is left out. `differences` are sentences: empty is
    exact. `left_out` is the reason if the entry is left out. `networked`: whether any network
    monitor could do such a check (the load of a disk is none). `ignored` are fields of the entry
    that were not used. `depends_on` names other entries by their `key`, for
    all targets; `depends_on: ["key:KEY"]` of a target does it for that one. `routes` are names of
    routes that it became; `taken`: it became a part of something else (the channels of a route),
    or holds without being written.
    """

    place: Place
    name: str
    group: str = ""
    key: str = ""
    """Unique at the source, for references from other entries; empty: nobody refers to it."""

    targets: list[dict[str, Any]] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    left_out: str | None = None
    networked: bool = True
    ignored: list[Ignored] = field(default_factory=list)
    before: Timing | None = None
    depends_on: list[str] = field(default_factory=list)
    routes: list[str] = field(default_factory=list)
    taken: bool = False


class Unreadable(Struct, frozen=True):
    """A file, or a part of one, that could not be read, and why."""

    place: Place
    why: str


class Import(Struct, kw_only=True):
    """All that a wing found. Names of `routes` and `teams` are those of the inventory to be."""

    source: SourceKind
    entries: list[Found] = field(default_factory=list)
    routes: dict[str, dict[str, Any]] = field(default_factory=dict)
    route_differences: dict[str, list[str]] = field(default_factory=dict)
    teams: dict[str, dict[str, Any]] = field(default_factory=dict)
    maintenance: list[dict[str, Any]] = field(default_factory=list)
    """Items of `maintenance:`; a target is named by the `key` of its entry as `key:KEY`."""

    connectivity: list[str] = field(default_factory=list)
    """Places (`host:port`) by which the source tells that its own network has failed."""

    secrets: list[Secret] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


class Options(Struct, frozen=True, kw_only=True):
    """What the operator said on the command line.

    `variables` are those of `--env-file`, and of the environment with `--env`. `blackbox` are the
    files with modules of the blackbox exporter for Prometheus jobs.
    """

    regions: tuple[str, ...] = ("local",)
    private: PrivateHosts = "internal"
    variables: Mapping[str, str] = MappingProxyType({})
    blackbox: tuple[Path, ...] = ()


Wing = Callable[[Sequence[Path], Options], Import]
"""Reads the named files; never raises for what is in them."""


class Taken(Struct, frozen=True, kw_only=True):
    """One entry of the source after `assemble`: its outcome, and the ids of its targets.

    `renamed` are ids that are not what group and name alone would give.
    """

    place: Place
    name: str
    outcome: Outcome
    ids: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    why: str | None = None
    networked: bool = True
    ignored: tuple[Ignored, ...] = ()
    before: Timing | None = None
    after: Timing | None = None


class Report(Struct, frozen=True, kw_only=True):
    """All that became of a source. `len(entries)` is the number of entries that it has."""

    source: SourceKind
    entries: tuple[Taken, ...]
    routes: Mapping[str, tuple[str, ...]]
    """Of each route its differences."""

    secrets: tuple[Secret, ...]
    ignored: tuple[Ignored, ...]
    unreadable: tuple[Unreadable, ...]
    warnings: tuple[str, ...] = ()

    def count(self, outcome: Outcome) -> int:
        """The number of entries with this outcome."""
        return sum(entry.outcome == outcome for entry in self.entries)
