"""Why a target is as it is: the votes of its regions, as far as its newest results tell. Pure.

The whole of it, with retries, rechecks and what would change it, says `portquorum explain`, which
reads the state of the stream; this takes what the page has anyway.
"""

from collections.abc import Iterable, Sequence

from portquorum.web.answers import TargetAnswer
from portquorum.web.history.answers import RegionChecks
from portquorum.web.pages.number_words import fill, many
from portquorum.web.words import ENGLISH, REASONS
from streams.rules.consensus import majority, need


def because(answer: TargetAnswer, checks: Sequence[RegionChecks]) -> tuple[str, ...]:
    """Sentences; none about a target that no region has ever judged. `checks`: the newest first."""
    said: dict[str, list[str]] = {}
    for one in answer.regions:
        said.setdefault(one.status, []).append(one.region)
    if not answer.regions or set(said) == {"pending"}:
        return ()
    return (*_votes(answer, said, _reasons(checks)), *_missing(said), *_behind(answer))


def _votes(
    answer: TargetAnswer, said: dict[str, list[str]], reasons: dict[str, str]
) -> Iterable[str]:
    w, policy = ENGLISH, answer.definition
    down = said.get("down", [])
    fresh, configured = len(down) + len(said.get("up", [])), len(answer.regions)
    most = majority(configured)
    if fresh < most:
        yield fill(w.because_unknown, fresh=fresh, configured=configured, majority=most)
        return
    needed = max(need(policy.consensus, fresh), most)
    failing = ", ".join(f"{one} {reasons[one]}" if one in reasons else one for one in down)
    yield fill(
        w.because_votes,
        down=len(down),
        fresh=fresh,
        failing=f" ({failing})" if failing else "",
        need=needed,
        consensus=policy.consensus,
    )
    if down and len(down) < needed and policy.retries:
        yield many(w.because_retries, policy.retries)


def _missing(said: dict[str, list[str]]) -> Iterable[str]:
    quiet = [*said.get("stale", []), *said.get("pending", [])]
    if quiet:
        yield fill(ENGLISH.because_quiet, names=", ".join(quiet))
    if blocked := said.get("blocked"):
        yield fill(ENGLISH.because_blocked, names=", ".join(blocked))


def _behind(answer: TargetAnswer) -> Iterable[str]:
    down = [one.name[:80] for one in answer.depends_on if one.state == "down"]
    if down:
        yield fill(ENGLISH.because_depends, names=", ".join(down[:5]))


def _reasons(checks: Sequence[RegionChecks]) -> dict[str, str]:
    """The reason of each region's newest check, in words, of those that failed."""
    newest = {one.region: one.checks[0] for one in checks if one.checks}
    return {
        region: REASONS.get(one.reason, one.reason).lower()
        for region, one in newest.items()
        if one.reason
    }
