"""The page of an explanation: what `portquorum explain` says of a target."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec import Struct

from portquorum.web.answers import Counts, TargetAnswer
from portquorum.web.explaining.answers import TargetExplained
from portquorum.web.pages import commands
from portquorum.web.pages.number_words import fill, milliseconds, path
from portquorum.web.pages.rendering import render
from portquorum.web.pages.row_words import word_of
from portquorum.web.pages.viewer import Viewer
from portquorum.web.words import ENGLISH, REASONS
from schemas.duration import COARSE, duration_text
from streams.explain import RegionExplained

IDLE_MS: Final = 30_000
"""Age beyond which a log has no writer: probers beat each 5 s."""
OLD_CHECKPOINT_MS: Final = 120_000
"""Age beyond which a checkpoint has no writer: one comes each 15 s."""
MOST_REGIONS: Final = 100
MOST_OTHERS: Final = 20

_MARKS: Final = {"unwatched": "unknown"}


class ExplainView(NamedTuple):
    """What the page shows: an explanation, or why there is none."""

    answer: TargetAnswer
    told: TargetExplained | None
    trouble: str = ""


class RegionLine(Struct, frozen=True, kw_only=True):
    """One region: its verdict and what it lacks for another one, in words."""

    region: str
    verdict: str
    why: str
    newest: str
    fresh: str
    failures: str
    latency: str


def page(view: ExplainView, counts: Counts, viewer: Viewer) -> str:
    """The page as HTML; `counts` are those of the whole fleet."""
    row, told = view.answer.row, view.told
    known = None if told is None else told.explanation
    here = path("targets", row.id)
    return render(
        "explain.html",
        viewer,
        view.answer.freshness,
        counts,
        row=row,
        back=here,
        told=told,
        known=known,
        trouble=view.trouble,
        command=commands.explain(row.id),
        state=None if known is None else _state(known.status, bool(known.incidents)),
        regions=[] if known is None else [_line(one, known.at, viewer) for one in known.regions],
        warnings=[] if told is None else list(_warnings(told, viewer.now)),
        as_of=None if told is None else _as_of(told, viewer),
        asked_again=_asked_again(told),
        most_regions=MOST_REGIONS,
        most_others=MOST_OTHERS,
        live_path="",  # each answer costs a process: who wants a newer one loads the page anew
        active="targets",
        json_path="" if told is None else f"{here}/explain.json",
    )


def _state(status: str, is_open: bool) -> str:
    return "down" if is_open and status == "up" else _MARKS.get(status, status)


def _line(one: RegionExplained, at: int, viewer: Viewer) -> RegionLine:
    w, said = ENGLISH, one.said
    return RegionLine(
        region=one.region,
        verdict=said.verdict,
        why="; ".join(_why(one, viewer)),
        newest="" if one.newest_at is None else duration_text(max(0, at - one.newest_at)),
        fresh=_fresh(one, at),
        failures=fill(w.failures_of, n=one.failures, need=one.failures_needed)
        if one.failures
        else "",
        latency=_latency(one),
    )


def _why(one: RegionExplained, viewer: Viewer) -> Iterator[str]:
    w, said = ENGLISH, one.said
    if said.verdict == "stale" and one.last_word is not None:
        yield fill(w.last_word, word=word_of(one.last_word))
    if said.reason is not None:
        reason = REASONS.get(said.reason, said.reason)
        yield f"{reason}: {said.detail}" if said.detail and said.detail != reason else reason
    elif said.detail:
        yield said.detail
    if said.verdict == "up" and one.failures:
        yield w.not_confirmed
    if said.set_aside:
        yield w.set_aside
    if one.silent_since is not None:
        yield fill(w.silent_since, time=viewer.exactly(one.silent_since))


def _fresh(one: RegionExplained, at: int) -> str:
    if one.fresh_until is None:
        return ""
    if one.fresh_until >= at:
        return fill(ENGLISH.fresh_more, time=duration_text(one.fresh_until - at))
    return fill(ENGLISH.fresh_over, time=duration_text(at - one.fresh_until))


def _latency(one: RegionExplained) -> str:
    if one.lately_us is None or one.usual_us is None:
        return ""
    return f"{milliseconds(one.lately_us / 1000)} / {milliseconds(one.usual_us / 1000)}"


def _warnings(told: TargetExplained, now: int) -> Iterator[str]:
    w = ENGLISH
    if now - told.log_at > IDLE_MS:
        yield fill(w.explain_idle, age=duration_text(now - told.log_at, COARSE))
    if told.checkpoint_at is None:
        yield w.explain_no_checkpoint
    elif now - told.checkpoint_at > OLD_CHECKPOINT_MS:
        age = duration_text(now - told.checkpoint_at, COARSE)
        yield fill(w.explain_old_checkpoint, age=age)
    if not told.complete:
        yield w.explain_incomplete


def _as_of(told: TargetExplained, viewer: Viewer) -> str | None:
    known = told.explanation
    if known is None:
        return None
    return fill(
        ENGLISH.explain_as_of,
        time=viewer.both(known.at),
        age=viewer.ago(known.at),
        partition=told.partition,
        offset=known.offset,
    )


def _asked_again(told: TargetExplained | None) -> str:
    known = None if told is None else told.explanation
    if known is None or known.recheck is None or known.recheck.asked_at is None:
        return ""
    age = duration_text(max(0, known.at - known.recheck.asked_at), COARSE)
    return fill(ENGLISH.asked_again, age=age)
