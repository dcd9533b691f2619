"""The page of a target: how it is and why, its checks, its past, what can be done."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from portquorum.changing.edits import OWN_SOURCE
from portquorum.inventory.heartbeats import is_job
from portquorum.web.answers import Counts, Freshness, IncidentAnswer, IncidentRow, TargetAnswer
from portquorum.web.charts.chart import Chart, Table
from portquorum.web.history.answers import (
    CertificateSeen,
    CheckSeen,
    IncidentSpan,
    RegionChecks,
    TargetHistory,
    TimeWindow,
)
from portquorum.web.pages import commands, job
from portquorum.web.pages.address import Address
from portquorum.web.pages.number_words import cut, fill, many, milliseconds, minus, path
from portquorum.web.pages.region_words import RegionWord
from portquorum.web.pages.rendering import render
from portquorum.web.pages.row_words import check_strip, word_of
from portquorum.web.pages.viewer import Viewer
from portquorum.web.pages.window_links import around, window_links
from portquorum.web.words import CLOSED_BECAUSE, ENGLISH, REASONS, RUN_ENDS
from schemas._types import MAX_MILLIS
from schemas.duration import duration_text
from schemas.target import LatencyLimit, Target
from schemas.web import Audit

_OF_TYPE: Final = {"unreachable": "down"}
_CHECK_STATES: Final = {"up": "up", "down": "down"}


MOST_REGIONS: Final = 32
"""Regions of the matrix, those that fail first; the table has all."""
MOST_ROWS: Final = 20
"""Incidents, and targets of the host: a page has 2,000 elements at most."""
MOST_DEFINITIONS: Final = 6
MOST_DONE: Final = 20
"""Acts of people that are shown."""
_MOST_RUNS: Final = 4
_MOST_SILENCES: Final = 3
_PAUSED: Final = "pause target"


class CheckCell(NamedTuple):
    """One check: its time, what was found and its mark."""

    at: int
    status: str
    state: str
    said: str
    latency_ms: float | None


class MatrixRow(Struct, frozen=True, kw_only=True):
    """One region: what it says now, its newest check, its last checks as a drawing and as words.

    `strip` is a path (SVG, in a box of 1000 × 16) for each state.
    """

    region: str
    status: str
    newest: CheckCell | None
    strip: tuple[tuple[str, str], ...]
    words: str


class SpanRow(Struct, frozen=True, kw_only=True):
    """An incident of the target: of memory or of the history."""

    id: str
    state: str
    summary: str
    began_at: int
    ended_at: int | None
    lasted: str
    ended: str

    @property
    def is_closed(self) -> bool:
        """Whether it is over."""
        return self.ended_at is not None


class CertificateRow(NamedTuple):
    """An end of a certificate, and the regions that saw it."""

    expires_at: int
    names: str


class DoneRow(NamedTuple):
    """What somebody did to the target, and of a pause until when."""

    at: int
    action: str
    by: str
    why: str
    until: str


class _Until(Struct, frozen=True):
    until: int | str | None = None


class TargetView(Struct, frozen=True, kw_only=True):
    """What the page shows. `opened`: its open incidents. `base`: our own address.

    `because`: why it is as it is, in sentences. `words`: what each region says. `done`: what people
    did to it, the newest first.
    """

    answer: TargetAnswer
    opened: tuple[IncidentAnswer, ...]
    past: TargetHistory
    charts: Sequence[Chart] = ()
    because: Sequence[str] = ()
    words: Sequence[RegionWord] = ()
    base: str = ""
    done: Sequence[Audit] = ()


def page(view: TargetView, counts: Counts, viewer: Viewer) -> str:
    """The page as HTML; `counts` are those of the whole fleet."""
    answer, past = view.answer, view.past
    row, definition, fresh = answer.row, answer.definition, answer.freshness
    here = path("targets", row.id)
    opened = view.opened[0].row.id if view.opened else row.incident
    rows = matrix(view.words, past.checks or ())
    found = spans(answer.incidents, past.incidents or ())
    return render(
        "target.html",
        viewer,
        fresh,
        counts,
        answer=answer,
        row=row,
        definition=definition,
        opened=view.opened,
        past=past,
        because=view.because,
        charts=view.charts,
        matrix=rows[:MOST_REGIONS],
        matrix_left=max(0, len(rows) - MOST_REGIONS),
        checks_table=lambda: checks_table(past.checks or (), viewer),
        spans=found[:MOST_ROWS],
        spans_left=len(found[MOST_ROWS:]) + (past.incidents_left_out or 0),
        most_rows=MOST_ROWS,
        most_definitions=MOST_DEFINITIONS,
        certificates=certificates(past.certificates or ()),
        job=job.job_view(answer, past),
        runs_table=lambda: job.runs_table(
            past.job.runs if past.job and past.job.runs else (), viewer
        ),
        run_ends=RUN_ENDS,
        facts=facts(definition, viewer),
        spared=_spared(answer, viewer),
        silences=[one for one in answer.silences if one.state == "active"][:_MOST_SILENCES],
        done_to_it=[_done(one, viewer) for one in view.done],
        zoom=lambda one: around(one.began_at, one.ended_at, Address.of(viewer.here), viewer.now),
        twins=_twins(row.id, past.window, is_job=past.job is not None),
        zooms=window_links(past.window, Address.of(viewer.here), viewer.now),
        commands=commands.of_target(row, opened, view.base),
        status_age=_status_age(fresh, past, viewer),
        own_source=OWN_SOURCE,
        active="targets",
        json_path=f"{here}.json",
    )


def _status_age(fresh: Freshness, past: TargetHistory, viewer: Viewer) -> str | None:
    """The age of what regions say, where no check of theirs tells it."""
    if past.checks is not None or fresh.status_at is None:
        return None
    return viewer.ago(fresh.status_at)


def _twins(target: str, window: TimeWindow, *, is_job: bool) -> list[tuple[str, str]]:
    """What the page shows beside its twin, as files: the words of each link, and its address."""
    w, here = ENGLISH, path("targets", target)
    asked = (("since", f"{window.since}"), ("until", f"{window.until}"))
    named = (("window", window.name),) if window.name else asked
    return [
        (w.history_json, str(Address(f"{here}/history.json", named))),
        (
            w.jobs.reports_csv if is_job else w.checks_csv,
            str(Address("/results.csv", (("target", target), *asked))),
        ),
    ]


def matrix(words: Sequence[RegionWord], checks: Sequence[RegionChecks]) -> list[MatrixRow]:
    """A row for each region that checks the target, or did; of many those that fail first."""
    seen = {one.region: one.checks for one in checks}
    rows = [_matrix_row(one, seen.get(one.region, ())) for one in words]
    return rows if len(rows) <= MOST_REGIONS else sorted(rows, key=lambda one: one.status == "up")


def _matrix_row(word: RegionWord, checks: Sequence[CheckSeen]) -> MatrixRow:
    cells = [_cell(one) for one in checks]
    return MatrixRow(
        region=word.region,
        status=word.status,
        newest=None if word.newest is None else _cell(word.newest),
        strip=tuple(check_strip([one.state for one in cells])),
        words=runs([one.said for one in cells]),
    )


def _cell(one: CheckSeen) -> CheckCell:
    return CheckCell(
        at=one.at,
        status=one.status,
        state=_CHECK_STATES.get(one.status, "unknown"),
        said=check_words(one),
        latency_ms=one.latency_ms,
    )


def runs(said: Sequence[str]) -> str:
    """What was said, equal ones beside each other as one: `8 × Connection refused, 12 × up`."""
    found = [(words, len(list(same))) for words, same in groupby(said)]
    parts = [fill(ENGLISH.times, n=n, what=cut(words, 80)) for words, n in found[:_MOST_RUNS]]
    left = sum(n for _, n in found[_MOST_RUNS:])
    return ", ".join([*parts, *([many(ENGLISH.older_checks, left)] if left else [])])


def checks_table(checks: Sequence[RegionChecks], viewer: Viewer) -> Table:
    """All checks, the newest of each region first."""
    w = ENGLISH
    return Table(
        (w.region, w.at, w.state, w.reason, w.latency),
        tuple(
            (
                one.region,
                viewer.exactly(check.at),
                word_of(check.status),
                check_words(check) if check.reason is not None else "",
                "" if check.latency_ms is None else milliseconds(check.latency_ms),
            )
            for one in checks
            for check in one.checks
        ),
    )


def check_words(one: CheckSeen) -> str:
    """What a check found: the reason and what the server said, or that it is up."""
    if one.reason is None:
        return word_of(one.status)
    reason = REASONS.get(one.reason, one.reason)
    return f"{reason}: {one.detail}" if one.detail else reason


def spans(rows: Sequence[IncidentRow], past: Sequence[IncidentSpan]) -> list[SpanRow]:
    """Incidents of memory, which is newer, then those of the history, each once."""
    known = [_span_of_row(one) for one in rows]
    ids = {one.id for one in known}
    found = known + [_span_of_past(one) for one in past if one.incident_id not in ids]
    return sorted(found, key=lambda one: (one.is_closed, -one.began_at))


def _span_of_row(one: IncidentRow) -> SpanRow:
    return SpanRow(
        id=one.id,
        state=one.state,
        summary=one.summary,
        began_at=one.began_at,
        ended_at=one.closed_at,
        lasted="" if one.closed_at is None else minus(one.closed_at, one.began_at),
        ended=_ended(one.closed_because),
    )


def _span_of_past(one: IncidentSpan) -> SpanRow:
    return SpanRow(
        id=one.incident_id,
        state=_OF_TYPE.get(one.incident_type, one.incident_type),
        summary=one.summary,
        began_at=one.began_at,
        ended_at=one.closed_at,
        lasted=minus(round(one.duration_s * 1000), 0),
        ended=_ended(one.closed_because),
    )


def _ended(because: str | None) -> str:
    return CLOSED_BECAUSE.get(because, because) if because else ""


def certificates(seen: Sequence[CertificateSeen]) -> list[CertificateRow]:
    """The ends that the regions saw, the next one first: they may see different certificates."""
    by_end: defaultdict[int, list[str]] = defaultdict(list)
    for one in seen:
        by_end[one.expires_at].append(one.region)
    return [CertificateRow(end, ", ".join(by_end[end])) for end in sorted(by_end)]


def facts(one: Target, viewer: Viewer) -> list[tuple[str, str | None]]:
    """How the target is checked and judged, in words; None is left out."""
    w = ENGLISH
    if is_job(one):
        return job.facts(one, viewer)
    return [
        (w.identity, one.id),
        (w.kind, one.kind + (f" ({w.expects_closed})" if one.expect == "closed" else "")),
        (w.team, one.team),
        (w.criticality, one.criticality),
        (w.tags, cut(", ".join(one.tags), 500)),
        (w.regions, cut(", ".join(one.regions), 500)),
        (w.interval, duration_text(one.interval_ms)),
        (w.timeout, duration_text(one.timeout_ms)),
        (w.retries, f"{one.retries}"),
        (w.consensus, f"{one.consensus}"),
        (w.open_after, duration_text(one.open_after_ms) if one.open_after_ms else None),
        (w.latency_limit, _limit(one.latency)),
        (w.slo, f"{one.slo:g} %" if one.slo is not None else None),
        (w.source, one.source),
        (w.version, viewer.both(one.version)),
    ]


def _limit(limit: LatencyLimit | None) -> str | None:
    if limit is None:
        return None
    w = ENGLISH
    said = []
    if limit.max_ms is not None:
        said.append(fill(w.slower_than, ms=f"{limit.max_ms:,g}"))
    if limit.times_usual is not None:
        said.append(fill(w.times_usual, times=f"{limit.times_usual:g}"))
    return f"{' / '.join(said)} {many(w.for_results, limit.for_results)}"


def _done(one: Audit, viewer: Viewer) -> DoneRow:
    try:
        after = msgspec.json.decode(one.after, type=_Until) if one.after else _Until()
    except msgspec.DecodeError:
        after = _Until()
    until = ""
    if one.action == _PAUSED and isinstance(after.until, int) and after.until <= MAX_MILLIS:
        until = fill(ENGLISH.until, time=viewer.moment_with_utc(after.until))
    elif one.action == _PAUSED and after.until == "resumed":
        until = ENGLISH.forms.until_resumed
    return DoneRow(one.at, one.action, one.by, one.detail, until)


def _spared(answer: TargetAnswer, viewer: Viewer) -> str:
    """Windows and silences that hold now, with their ends."""
    w = ENGLISH
    windows = [
        (fill(w.window_named, name=cut(one.name, 80)), one.ends_at)
        for one in answer.maintenance
        if one.is_on
    ]
    silences = [
        (fill(w.silence_named, reason=cut(one.reason, 80), name=cut(one.by, 40)), one.ends_at)
        for one in answer.silences
        if one.state == "active"
    ]
    named = Counter(
        said + (f" {fill(w.until, time=viewer.moment_with_utc(end))}" if end is not None else "")
        for said, end in (*windows, *silences)
    )
    return "; ".join(named)
