"""Sentences on what would open an incident, and what an open incident waits for."""

from collections.abc import Iterable, Mapping, Sequence

from schemas.duration import COARSE, duration_text
from schemas.target import LatencyLimit
from streams.diagnosis.words import names, verb
from streams.explain.format import in_a_row, time_of_day
from streams.explain.model import RegionExplained, VotesExplained
from streams.rules.consensus import majority
from streams.rules.episode import Sort
from streams.rules.expiring import looks_of
from streams.rules.expiring_words import thing


def unheard(regions: Sequence[RegionExplained], votes: VotesExplained, *, is_open: bool) -> str:
    """A sentence when too few regions count for any change.

    With `is_open` an incident may still close: regions that nobody hears any more are not waited
    for (`closing` says until when they are).
    """
    short = votes.majority - votes.fresh
    quiet = names(one.region for one in regions if not one.counts)
    who = _of(short, len(regions) - votes.fresh, quiet)
    return (
        f"Nothing {'else opens' if is_open else 'opens or closes'} before {who} "
        f"{'has' if short == 1 else 'have'} a fresh result that counts."
    )


def opening(
    regions: Sequence[RegionExplained],
    votes: VotesExplained,
    *,
    need_heard: int,
    closed: bool = False,
) -> tuple[str, ...]:
    """A sentence on the failures that would open an incident; regions must not agree yet.

    `need_heard` of the regions that are not silent are enough, if there are so many. `closed`: to
    be open is to fail.
    """
    candidates = [one for one in regions if one.counts and one.said.verdict != "down"]
    missing = votes.need - votes.down
    heard = [one for one in candidates if one.silent_since is None]
    if len(heard) >= max(1, need_heard - votes.down):
        candidates, missing = heard, max(1, need_heard - votes.down)
    who = _of(missing, len(candidates), names(one.region for one in candidates), more=votes.down)
    told = [
        (
            f"An incident opens when {who} {_fails(missing, closed=closed)} "
            f"{in_a_row(candidates[0].failures_needed)}."
        )
    ]
    begun = [one for one in candidates if one.failures]
    if begun:
        rows = names(f"{one.region} {one.failures} of {one.failures_needed}" for one in begun)
        told.append(f"{'Found open' if closed else 'Failed'} so far: {rows}.")
    return tuple(told)


def _fails(regions: int, *, closed: bool) -> str:
    if closed:
        return "finds it open" if regions == 1 else "find it open"
    return "fails" if regions == 1 else "fail"


def slow_opening(
    regions: Sequence[RegionExplained], votes: VotesExplained, limit: LatencyLimit
) -> tuple[str, ...]:
    """A sentence on the slow answers that would open an incident of type `slow`."""
    candidates = [one for one in regions if one.counts and one.said.verdict == "up"]
    more = votes.slow + votes.down
    missing = votes.need - more
    if not 0 < missing <= len(candidates):
        return ()
    who = _of(missing, len(candidates), names(one.region for one in candidates), more=more)
    return (
        (
            f"One for slowness opens when {who} {'gets' if missing == 1 else 'get'} answers above "
            f"{_too_long(limit)} {in_a_row(candidates[0].slow_needed or 1)}"
            f"{_or_rising(limit)}."
        ),
    )


def _too_long(limit: LatencyLimit) -> str:
    ways = [] if limit.max_ms is None else [f"{limit.max_ms:g} ms"]
    if limit.times_usual is not None:
        ways.append(f"{limit.times_usual:g} times the usual time")
    return " or ".join(ways) + (" in total" if limit.of == "total" else "")


def _or_rising(limit: LatencyLimit) -> str:
    if limit.max_ms is None or limit.warn_ahead_ms is None:
        return ""
    return (
        f", or when they rise so that {limit.max_ms:g} ms would be reached within "
        f"{duration_text(limit.warn_ahead_ms, COARSE)}"
    )


def held_back(opens_at: int, now: int) -> str:
    """A sentence when consensus says down, and `open_after` is not over."""
    return (
        f"It opens at {time_of_day(opens_at)} (in {duration_text(opens_at - now, COARSE)}) if the "
        "regions still agree then: open_after holds it back until the outage has lasted so long."
    )


def worsening(episode: int, *, closed: bool = False) -> str:
    """A sentence on an incident that has improved: what would begin outage number `episode`."""
    return (
        f"The regions no longer agree that it is {'open' if closed else 'down'}; when they agree "
        f"again, the incident worsens (its outage {episode}), and people are told."
    )


def resolved(sort: Sort, *, closed: bool = False) -> str:
    """A sentence when the last incident was resolved by hand."""
    state = "open" if closed else sort
    return (
        "The last incident was resolved by hand: none opens before the regions agree once that "
        f"the target is not {state}."
    )


def expiring_resolved(kind: str) -> str:
    """A sentence when the last incident for an end was resolved by hand."""
    looks = "last ten looks" if looks_of(kind) > 1 else "newest look"
    return (
        f"The last incident for its {thing(kind)} was resolved by hand: none opens before the "
        f"{looks} of every region saw none that ends soon."
    )


def expiring_closing(kind: str, lacking: Mapping[str, int], warn_days: int) -> str:
    """A sentence on what the incident waits for; `lacking` are looks by region."""
    what = thing(kind)
    if not lacking:
        return f"The one for its {what} closes when a majority of the regions has reported."
    each = names(f"{region} ({looks} more)" for region, looks in lacking.items())
    return (
        f"The one for its {what} closes when {each} {verb(list(lacking), 'sees', 'see')} none "
        f"that ends within {warn_days} days."
    )


def closing(
    regions: Sequence[RegionExplained],
    votes: VotesExplained,
    sort: Sort,
    now: int,
    *,
    closed: bool = False,
) -> str:
    """Sentences on what an open incident waits for; `closed`: to be closed is to succeed."""
    against = {"down"} if sort == "down" else {"down", "slow"}
    stale = list(_is_waited_for(regions, against, now, closed=closed))
    waiting = [*_must_succeed(regions, against, sort, closed=closed), *stale]
    abandoned = [one for one in regions if _abandoned(one, now)]
    # Whichever way the waiting for a stale region ends, it is missing no more.
    short = majority(votes.configured - len(abandoned)) - votes.fresh - len(stale)
    if short > 0:
        waiting.append(f"{short} more {'region has' if short == 1 else 'regions have'} reported")
    what = "The incident" if sort == "down" else "The one for slowness"
    if not waiting or len(abandoned) == len(regions):
        return f"{what} closes with one of the next control records (within seconds)."
    ends = [one.waited_until for one in regions if one.waited_until is not None]
    if len(ends) < len(regions):
        return f"{what} closes when {', and '.join(waiting)}."
    return (
        f"{what} closes when {', and '.join(waiting)}; if nobody looks any more it ends at "
        f"{time_of_day(max(ends))}, without a recovery."
    )


def _must_succeed(
    regions: Sequence[RegionExplained], against: set[str], sort: Sort, *, closed: bool
) -> Iterable[str]:
    """Sentences on fresh regions, grouped by the number of successes they lack."""
    groups: dict[tuple[int, bool], list[str]] = {}
    for one in regions:
        if one.fresh_until is None or one.said.verdict == "stale":
            continue
        if sort == "slow":
            lacking = (one.slow_needed or 1) - one.slow_row if one.last_word in against else 0
        else:
            lacking = one.successes_needed - one.successes
            if not one.counts and one.last_word not in against:
                lacking = 0
        if lacking > 0:
            groups.setdefault((lacking, one.rising and sort == "slow"), []).append(one.region)
    for (lacking, rising), group in sorted(groups.items()):
        if closed:
            does = verb(group, "finds it closed", "find it closed")
        elif sort == "down":
            does = verb(group, "succeeds", "succeed")
        elif rising:
            does = verb(group, "rises no more", "rise no more")
        else:
            does = verb(group, "answers quickly", "answer quickly")
        yield f"{names(group)} {does} {in_a_row(lacking)}"


def _is_waited_for(
    regions: Sequence[RegionExplained], against: set[str], now: int, *, closed: bool
) -> Iterable[str]:
    """Sentences on stale regions whose last word blocks the closing."""
    for one in regions:
        if one.waited_until is None or one.last_word not in against or one.waited_until <= now:
            continue
        yield (
            f"{one.region} {'finds it closed' if closed else 'succeeds'} (its last word is "
            f"{'open' if closed else one.last_word}; if it stays without a "
            f"result it is waited for until {time_of_day(one.waited_until)}, "
            f"{duration_text(one.waited_until - now, COARSE)} from now)"
        )


def _abandoned(one: RegionExplained, now: int) -> bool:
    return one.waited_until is not None and one.waited_until <= now


def _of(missing: int, candidates: int, listed: str, *, more: int = 0) -> str:
    """Names all candidates (`all of …`), or the number of them that is needed."""
    if missing >= candidates:
        return listed
    count = "one" if missing == 1 else str(missing)
    return f"{count}{' more' if more else ''} of {listed}"
