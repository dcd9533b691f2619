"""Why a target is as it is: the votes of its regions, as far as its newest results tell. Pure.

The whole of it, with retries, rechecks and what would change it, says `portquorum explain`, which
reads the state of the stream; this takes what the page has anyway.
"""

from collections.abc import Iterable, Sequence

from portquorum.web.answers import TargetAnswer
from portquorum.web.pages.number_words import fill, many
from portquorum.web.pages.region_words import RegionWord
from portquorum.web.words import ENGLISH, REASONS
from streams.rules.consensus import majority, need


def because(answer: TargetAnswer, words: Sequence[RegionWord]) -> tuple[str, ...]:
    """Sentences; no votes of a target that no region has ever judged, or of which not all is known.

    None contradicts the state: the events know more than the newest results.
    """
    said: dict[str, list[RegionWord]] = {}
    for one in words:
        said.setdefault(one.status, []).append(one)
    if not words or "unknown" in said or set(said) == {"pending"}:
        return ()
    return (*_votes(answer, said, len(words)), *_missing(said), *_behind(answer))


def _votes(
    answer: TargetAnswer, said: dict[str, list[RegionWord]], configured: int
) -> Iterable[str]:
    w, policy, state = ENGLISH, answer.definition, answer.row.state
    if state == "paused":
        return  # what its regions said last says nothing of it
    down = said.get("down", [])
    fresh = len(down) + len(said.get("up", []))
    most = majority(configured)
    if fresh < most:
        # With no fresh result at all it is the history that may be behind, and not the regions.
        if fresh or state not in ("down", "flapping", "slow", "up"):
            yield fill(w.because_unknown, fresh=fresh, configured=configured, majority=most)
        return
    needed = max(need(policy.consensus, fresh), most)
    fails = len(down) >= needed
    yield fill(
        w.because_newest if _contradicts(answer, fails) else w.because_votes,
        down=len(down),
        fresh=fresh,
        failing=f" ({', '.join(map(_failing, down))})" if down else "",
        need=needed,
        consensus=policy.consensus,
    )
    if down and policy.retries and (not fails or state == "up"):
        yield many(w.because_retries, policy.retries)


def _contradicts(answer: TargetAnswer, fails: bool) -> bool:
    """Whether the newest results say another thing than the state, which will follow or has led."""
    row = answer.row
    if row.state == "down":
        return not fails and not row.is_improved and not row.is_resolved
    return fails and row.state in ("up", "slow", "pending")


def _failing(one: RegionWord) -> str:
    """A region that fails, and why in words."""
    reason = one.newest.reason if one.newest is not None else None
    return f"{one.region} {REASONS.get(reason, reason).lower()}" if reason else one.region


def _missing(said: dict[str, list[RegionWord]]) -> Iterable[str]:
    quiet = [*said.get("stale", []), *said.get("pending", [])]
    if quiet:
        yield fill(ENGLISH.because_quiet, names=_names(quiet))
    if blocked := said.get("blocked"):
        yield fill(ENGLISH.because_blocked, names=_names(blocked))


def _names(words: Sequence[RegionWord]) -> str:
    return ", ".join(one.region for one in words)


def _behind(answer: TargetAnswer) -> Iterable[str]:
    down = [one.name[:80] for one in answer.depends_on if one.state == "down"]
    if down:
        yield fill(ENGLISH.because_depends, names=", ".join(down[:5]))
