"""What rows of fleet and history say in words: places, causes, regions, marks."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from portquorum.report import words as report_words
from portquorum.web.answers import (
    CauseRow,
    Counts,
    GroupRow,
    IncidentRow,
    Mark,
    RegionMark,
    TargetRow,
)
from portquorum.web.pages.number_words import cut, fill, many, path
from portquorum.web.pages.viewer import Viewer
from portquorum.web.words import BLIND, CLOSED_BECAUSE, ENGLISH, MARKS, STATES, TOLD
from schemas.incident import Votes
from schemas.policy import Match
from schemas.probe import JOB
from schemas.result import RECEIVER

HEAD_STATES: Final = (
    *("down", "flapping", "slow", "unknown", "pending", "maintenance", "paused", "up"),
)
"""The counts above each page, in their order."""

_ALWAYS: Final = frozenset({"down", "slow", "unknown", "maintenance", "up"})
_SIGNS: Final[Mapping[str, str]] = {"down": "✕", "slow": "✕", "up": "✓"}
_NEITHER: Final = "○"

GROUP_STATES: Final = ("down", "slow", "unknown")
"""The columns of the groups; flapping counts as down, pending as unknown."""

_CLOCK_MS: Final = 5_000
_MATCHED: Final = frozenset(Match.__struct_fields__)

_HEIGHTS: Final[Mapping[str, tuple[str, float, float]]] = {
    "down": ("down", 1, 15),
    "flapping": ("down", 1, 15),
    "slow": ("slow", 4, 12),
    "unknown": ("unknown", 2, 14),
    "pending": ("unknown", 2, 14),
    "maintenance": ("maintenance", 6.5, 9.5),
    "paused": ("paused", 5, 11),
}
"""The state that a mark is drawn as, and its upper and lower end in a strip of 16."""


class RegionRun(Struct, frozen=True, gc=False):
    """Regions beside each other that all fail, or of which none does: names with their signs."""

    text: str
    fails: bool


class RegionWords(Struct, frozen=True):
    """The regions of a row: some with their signs, the number of others, all as a sentence."""

    shown: tuple[RegionRun, ...]
    more: str
    words: str


def word_of(state: str) -> str:
    """The word of a state; a state that is not known is its own word."""
    return STATES.get(state, state)


def mark_of(state: str) -> str:
    """The name of shape and colour of a state."""
    return MARKS.get(state, "unknown")


def blind_words(because: str | None) -> str:
    """Why nothing is known."""
    return BLIND.get(because or "", because or ENGLISH.unknown_value)


def head_counts(counts: Counts) -> list[tuple[str, int]]:
    """States and numbers for the line above each page; rare states only if there are any."""
    found = ((name, count_of(counts, name)) for name in HEAD_STATES)
    return [(name, n) for name, n in found if n or name in _ALWAYS]


def count_of(counts: Counts, state: str) -> int:
    """The number of targets in a state."""
    found = getattr(counts, state)
    return found if isinstance(found, int) else 0


def group_count(counts: Counts, state: str) -> int:
    """The number in a column of the groups."""
    beside = {"down": counts.flapping, "unknown": counts.pending}
    return count_of(counts, state) + beside.get(state, 0)


def by_trouble(groups: Sequence[GroupRow]) -> tuple[list[GroupRow], list[GroupRow]]:
    """Groups with a target that is down, slow or unknown, and those without."""
    wrong = [one for one in groups if _is_wrong(one)]
    return wrong, [one for one in groups if not _is_wrong(one)]


def _is_wrong(group: GroupRow) -> bool:
    return any(group_count(group.counts, name) for name in GROUP_STATES)


def place_words(row: IncidentRow | TargetRow) -> str:
    """Kind and place, without what the name already says: `postgres 5432`, `tcp db1:5432`."""
    if row.kind == JOB:
        return ENGLISH.job
    if row.host is None or row.place in row.name:
        return row.kind
    if row.host in row.name and row.port is not None:
        named = row.name.partition(row.host)[2].split()
        words = (one for one in (row.kind, f"{row.port}") if one not in named)
        return " ".join(words)
    return cut(f"{row.kind} {row.place}", 120)


def cause_words(row: CauseRow) -> str:
    """What stands beside the title of a cause."""
    w = ENGLISH
    match row.cause:
        case "host":
            others = max(row.targets, len(row.ports)) - 1
            first = f"{row.ports[0]}" if row.ports else ""
            kind = row.incident.kind if row.incident is not None else ""
            named = " ".join(one for one in (kind, first) if one)
            return f"{named} {many(w.more_ports, others)}".strip() if others > 0 else named
        case "gateway":
            return many(w.behind, max(0, row.targets - 1))
        case "region":
            return w.cause_region
        case "unwatched":
            return many(w.cause_unwatched, row.targets)
        case "certificate":
            return w.cause_certificate
        case "target":
            return place_words(row.incident) if row.incident is not None else ""


def cause_url(row: CauseRow) -> str:
    """Where a row of the overview leads: its incident, its region, or its targets."""
    if row.incident is not None:
        return path("incidents", row.incident.id)
    if row.cause == "region":
        return "/regions"
    return f"/targets?state=unknown&cause={path(row.key)[1:]}"


def region_words(marks: Sequence[RegionMark], most: int) -> RegionWords:
    """Regions with their signs, failing ones first if not all fit; who takes reports is none."""
    w = ENGLISH
    marks = [one for one in marks if one.region != RECEIVER]
    failing = [one for one in marks if _fails(one)]
    others = [one for one in marks if not _fails(one)]
    groups = (
        (w.fails_from, failing),
        (w.answers_from, [one for one in others if _answers(one)]),
        (w.not_known_from, [one for one in others if not _answers(one)]),
    )
    said = [fill(words, names=_names(group)) for words, group in groups if group]
    shown: Sequence[RegionMark] = marks if len(marks) <= most else (failing + others)[:most]
    left = len(marks) - len(shown)
    return RegionWords(
        shown=tuple(
            RegionRun(" ".join(map(_signed, run)), fails) for fails, run in groupby(shown, _fails)
        ),
        more=f"+{left}" if left else "",
        words="; ".join(said),
    )


def _fails(one: RegionMark) -> bool:
    return one.verdict in {"down", "slow"} and not one.set_aside


def _answers(one: RegionMark) -> bool:
    return one.verdict == "up" and not one.set_aside


def _signed(one: RegionMark) -> str:
    sign = _NEITHER if one.set_aside else _SIGNS.get(one.verdict, _NEITHER)
    return f"{cut(one.region, 24)}\N{NO-BREAK SPACE}{sign}"


def _names(marks: Iterable[RegionMark]) -> str:
    return ", ".join(cut(one.region, 24) for one in marks)


def closed_words(row: IncidentRow) -> str:
    """Why an incident was closed, and by whom."""
    if row.closed_because is None:
        return ""
    said = CLOSED_BECAUSE.get(row.closed_because, row.closed_because)
    by = f" {fill(ENGLISH.by, name=cut(row.resolved_by, 40))}" if row.resolved_by else ""
    return f"{said}{by}"


def spared_words(row: IncidentRow | TargetRow, viewer: Viewer) -> str:
    """Who silenced an incident, and until when, or in which window it is; empty: neither.

    Of a target that nobody checks, who paused it.
    """
    w = ENGLISH
    if isinstance(row, TargetRow) and row.state == "paused":
        return paused_words(row, viewer)
    if row.silence and row.silence_until is not None:
        until = viewer.moment_with_utc(row.silence_until)
        said = fill(w.silenced, time=until, name=cut(row.silence_by, 40))
        return f"{said}: {cut(row.silence_reason, 200)}" if row.silence_reason else said
    window = row.maintenance if isinstance(row, IncidentRow) else ""
    return fill(w.in_maintenance, name=cut(window, 80)) if window else ""


def paused_words(row: TargetRow, viewer: Viewer) -> str:
    """Who paused a target, until when and why, or which inventory says that nobody checks it."""
    w = ENGLISH
    if not row.paused_by:
        return fill(w.disabled_in, name=cut(row.source, 80))
    name, reason = cut(row.paused_by, 40), cut(row.pause_reason, 200)
    if row.paused_until is None:
        said = fill(w.paused_by, name=name)
    else:
        said = fill(w.paused_until, name=name, time=viewer.moment_with_utc(row.paused_until))
    return f"{said}: {reason}" if reason else said


def flags(row: TargetRow) -> str:
    """What is true of a target beside its state."""
    w = ENGLISH
    found = (
        (row.is_resolved, w.resolved),
        (row.is_improved, w.improved),
        (row.is_failing, w.job_failing if row.kind == JOB else w.failing),
        (row.is_late, w.late),
        (row.is_expiring, w.expiring),
    )
    return "; ".join(words for is_so, words in found if is_so)


def votes_words(votes: Votes) -> str:
    """The count behind a decision, in a sentence."""
    return fill(ENGLISH.votes_sentence, down=votes.down, fresh=votes.fresh, need=votes.need)


def percent(value: float | None) -> str:
    """A share from 0 to 100; what was not measured is said so."""
    return ENGLISH.not_measured if value is None else report_words.percent(value)


def told_words(status: str) -> str:
    """What became of a message."""
    return TOLD.get(status, status)


def clock_is_right(offset_ms: int) -> bool:
    """Whether a prober's clock is near enough: beyond this an event says so (docs/rules.md)."""
    return abs(offset_ms) <= _CLOCK_MS


def match_words(match: Match) -> str:
    """What a silence matches: the fields that say something, all of which must match."""
    named = (
        (name.replace("_", " "), getattr(match, name))
        for name in match.__struct_fields__
        if name in _MATCHED
    )
    said = "; ".join(f"{name}: {', '.join(values)}" for name, values in named if values)
    return said or ENGLISH.everything


def strip(marks: Iterable[Mark]) -> list[tuple[str, str]]:
    """A path (SVG, in a box of 1000 × 16) for each state that has marks, the worst on top."""
    paths: dict[str, list[str]] = {}
    for one in marks:
        drawn = _HEIGHTS.get(one.state)
        if drawn is not None:
            paths.setdefault(drawn[0], []).append(_piece(one, *drawn[1:]))
    order = ("paused", "maintenance", "unknown", "slow", "down")
    return [(name, "".join(paths[name])) for name in order if name in paths]


def check_strip(states: Sequence[str]) -> list[tuple[str, str]]:
    """The last checks as paths in a box of 1000 × 16, each as wide as of twenty; the worst on top.

    Up is a line, down fills the height, what nobody knows is dashed.
    """
    wide = 1000 / max(_CHECKS, len(states))
    paths: dict[str, list[str]] = {}
    for place, state in enumerate(states):
        left, right = place * wide, (place + 1) * wide - _CHECK_GAP
        name, top, foot = _CHECK_HEIGHTS.get(state, _CHECK_HEIGHTS["unknown"])
        paths.setdefault(name, []).append(f"M{left:g} {top:g}H{right:g}V{foot:g}H{left:g}Z")
    return [(name, "".join(paths[name])) for name in ("up", "unknown", "down") if name in paths]


_CHECKS: Final = 20
_CHECK_GAP: Final = 8
_CHECK_HEIGHTS: Final[Mapping[str, tuple[str, float, float]]] = {
    "up": ("up", 6.5, 9.5),
    "unknown": ("unknown", 3, 13),
    "down": ("down", 0.5, 15.5),
}


def _piece(one: Mark, top: float, foot: float) -> str:
    """A mark: a stroke if it is narrow, else a box."""
    if one.end - one.begin <= _NARROW:
        return f"M{(one.begin + one.end) / 2:g} {top:g}V{foot:g}"
    return f"M{one.begin} {top:g}H{one.end}V{foot:g}H{one.begin}Z"


_NARROW: Final = 4
