"""The message of incidents of several hosts or with several actions."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Final, get_args

from msgspec import Struct

from schemas.incident import IncidentEvent
from schemas.target import Criticality
from sinks.notifier.model import Action, Delivery
from sinks.notifier.texts import incident, words
from sinks.notifier.texts.digest_states import ENDED, STILL, State, is_no_host, state_of
from sinks.notifier.texts.layout import TIMES, Draft, Heading, Line, Passage, listing
from sinks.notifier.texts.outside import link, said
from sinks.notifier.texts.telling import about_itself, action_of

_CRITICALITY: Final = get_args(Criticality)
_NAMED: Final = 3
"""Targets of a host that are named in its line; of more only their number is."""

_NAME_LENGTH: Final = 60
_HOST_LENGTH: Final = 253
_REASONS: Final = 3
_STEPS: Final = 5
_BOOKS: Final = 5
_STATES: Final = 3
_OVER: Final = frozenset({"closed", "missed"})
_REPEATED: Final = frozenset({"reminder", "missed"})


class _One(Struct, frozen=True):
    """One incident of the digest."""

    event: IncidentEvent
    action: Action
    state: State

    @property
    def host(self) -> str:
        return self.event.host or self.event.target

    @property
    def rank(self) -> int:
        known = self.event.criticality in _CRITICALITY
        return _CRITICALITY.index(self.event.criticality) if known else len(_CRITICALITY)


_Host = list[_One]


class _Common(Struct, frozen=True):
    """What is known of all: by host the targets that are fine and that are not."""

    now: int
    failing: dict[str, set[str]]
    fine: dict[str, set[str]]
    one_cause: bool
    """All fail for the same reasons, as seen from the same regions: that is said once."""


def draft(delivery: Delivery) -> Draft:
    """The message of all incidents of `delivery`, without limits; the worst host first."""
    ones = [
        _One(news.event, action, state_of(news.event, action))
        for news in delivery.news
        if isinstance(news.event, IncidentEvent)
        for action in (action_of(news, delivery),)
    ]
    ones.sort(key=lambda one: (one.state.rank, one.host, one.rank, one.event.port or 0))
    by_state = [
        (state, _worst_first(several))
        for state, several in groupby(ones, key=lambda one: one.state)
    ]
    events = [one.event for one in ones]
    over = all(one.action in _OVER or one.event.event == "closed" for one in ones)
    since = min(map(incident.since, events))
    at = max(map(incident.ended_at, events)) if over else since
    common = _common(ones, delivery.at)
    head: list[Line] = [*_about_itself(ones, delivery), *_in_common(ones, common)]
    reminded = [one.event for one in ones if one.action == "reminder"]
    open_events = [one.event for one in ones if one.event.event != "closed"]
    return Draft(
        heading=_heading(ones),
        passages=(
            Passage(0, tuple(head)),
            Passage(
                TIMES,
                (
                    f"Since: {words.time_text(since)}",
                    *((f"Ended: {words.time_text(at)}",) if over else ()),
                ),
            ),
            *_hosts(by_state, common),
            *([Passage(3, (incident.reminder_line(delivery, reminded),))] if reminded else []),
            *_steps(open_events),
            *_targets(by_state),
        ),
        why=_why(by_state),
        since=f"{'ended' if over else 'since'} {words.clock_text(at, delivery.at)}",
    )


def _about_itself(ones: Sequence[_One], delivery: Delivery) -> list[str]:
    """What the message says about itself; what is repeated on purpose is not late."""
    fresh = [one.event for one in ones if one.action not in _REPEATED]
    over = all(event.event == "closed" for event in fresh)
    since = min(map(incident.since, fresh), default=delivery.at)
    ended = max(map(incident.ended_at, fresh), default=delivery.at)
    known = min(map(incident.known_at, fresh), default=delivery.at)
    return about_itself(delivery, since, ended if over else None, known)


def _common(ones: Sequence[_One], now: int) -> _Common:
    failing: dict[str, set[str]] = {}
    fine: dict[str, set[str]] = {}
    for one in ones:
        if is_no_host(one.event) or words.must_be_closed(one.event):
            continue  # it says nothing of how much of the host is down
        place = failing if one.state.rank < ENDED.rank else fine
        place.setdefault(one.host, set()).add(one.event.target)
    causes = {
        (words.reasons(one.event), _from(one.event)) for one in ones if one.state.rank < ENDED.rank
    }
    return _Common(now, failing, fine, one_cause=len(causes) == 1 and len(ones) > 1)


def _worst_first(ones: Iterable[_One]) -> list[_Host]:
    """The incidents by host: hosts with the most critical ones first, then those with the most."""
    hosts = [list(several) for _, several in groupby(ones, key=lambda one: one.host)]
    return sorted(hosts, key=lambda host: (host[0].rank, -len(host), host[0].host))


def _heading(ones: Sequence[_One]) -> Heading:
    where = _where(ones)
    found = Counter(one.state for one in ones)
    if len(found) == 1:
        what = _same(words.what(one.event, one.action) for one in ones)
        what = what or _same(words.happened(one.event, one.action) for one in ones)
        return Heading(what or ones[0].state.counted, "", where)
    counted = [f"{number:,} {state.counted}" for state, number in found.items()]
    more = sum(number for number in list(found.values())[_STATES:])
    what = ", ".join(counted[:_STATES]) + (f", {more:,} More" if more else "")
    brief = f"{counted[0]}, {len(ones) - next(iter(found.values())):,} More"
    return Heading(what, "", where, brief=brief)


def _where(ones: Sequence[_One]) -> str:
    """`12 targets on 3 hosts and 2 jobs`."""
    hosts = list(dict.fromkeys(one.host for one in ones if not words.of_job(one.event)))
    targets = {one.event.target for one in ones if not words.of_job(one.event)}
    jobs = len({one.event.target for one in ones if words.of_job(one.event)})
    parts = []
    if targets:
        on = said(hosts[0], _HOST_LENGTH) if len(hosts) == 1 else f"{len(hosts):,} hosts"
        parts.append(f"{_numbered(len(targets), 'target')} on {on}")
    if jobs:
        parts.append(_numbered(jobs, "job"))
    return " and ".join(parts)


def _numbered(count: int, thing: str) -> str:
    return f"1 {thing}" if count == 1 else f"{count:,} {thing}s"


def _same(texts: Iterable[str]) -> str:
    found = set(texts)
    return found.pop() if len(found) == 1 else ""


def _in_common(ones: Sequence[_One], common: _Common) -> list[str]:
    """Why, from where, and what they share."""
    lines = []
    failing = [one.event for one in ones if one.state.rank < ENDED.rank]
    if failing:
        why = Counter(words.reasons(event) or "no reason known" for event in failing)
        checked = [event for event in failing if not words.of_job(event)]
        where = Counter(map(_from, checked))
        told = _counted(why, len(failing))
        open_ones = sum(map(words.must_be_closed, checked))
        seen = "open" if open_ones == len(checked) else "down or open" if open_ones else "down"
        if common.one_cause:
            lines.append(f"{told} {_from(failing[0])}".rstrip() + ".")
        elif not checked:
            lines.append(f"{told}.")
        else:
            lines.append(f"{told}. Seen {seen} {_counted(where, len(checked), all_='')}.")
    tags = set(ones[0].event.tags).intersection(*(one.event.tags for one in ones))
    teams = {one.event.team for one in ones}
    shared = [f"tag {tag}" for tag in ones[0].event.tags if tag in tags][:_REASONS]
    team = teams.pop() if len(teams) == 1 else None
    if team:
        shared.append(f"team {team}")
    if shared:
        lines.append(f"In common: {words.listed(shared)}.")
    return lines


def _counted(found: "Counter[str]", total: int, all_: str = "All {}: ") -> str:
    """`All 12: Connection timed out`, or the most frequent ones with their numbers."""
    if len(found) == 1:
        (text,) = found
        return f"{all_.format(f'{total:,}')}{said(text)}" if total > 1 else said(text)
    times = "\N{MULTIPLICATION SIGN}"
    shown = [f"{count:,} {times} {said(text)}" for text, count in found.most_common(_REASONS)]
    more = total - sum(count for _, count in found.most_common(_REASONS))
    return ", ".join(shown) + (f", {more:,} more" if more else "")


def _from(event: IncidentEvent) -> str:
    """From which regions it is seen; empty of a job, which speaks for itself."""
    if words.of_job(event):
        return ""
    failing, regions = words.failing(event), len(event.regions)
    if not failing:
        return "from no region now"
    if len(failing) == regions:
        return "from every region" if regions > 1 else f"from {said(failing[0], _NAME_LENGTH)}"
    if len(failing) == 1:
        return f"from {said(failing[0], _NAME_LENGTH)} alone"
    return f"from {len(failing)} of {regions} regions"


def _hosts(by_state: Sequence[tuple[State, list[_Host]]], common: _Common) -> list[Passage]:
    """A list for each state, with a line for each host."""
    passages = []
    for number, (state, hosts) in enumerate(by_state):
        lines = [f"  {_host_line(host, common)}" for host in hosts]
        jobs = all(words.of_job(host[0].event) for host in hosts)
        on = _numbered(len(hosts), "job" if jobs else "host")
        alone = "Jobs:" if jobs else "Hosts:"
        title = alone if len(by_state) == 1 else f"{state.title} ({on}):"
        rank = 1 if number == 0 else 3
        more = "  and {} more jobs" if jobs else "  and {} more hosts"
        passages.append(listing(rank, title, lines, len(lines), more))
    return passages


def _host_line(host: _Host, common: _Common) -> str:
    """`db1.example.com: 58 targets (3 critical), the whole host. Connection timed out from …`."""
    events = [one.event for one in host]
    if len(host) <= _NAMED:
        what = ", ".join(map(_named, events))
    else:
        critical = sum(one.rank == 0 for one in host)
        marked = f" ({critical:,} critical)" if critical else ""
        what = f"{len(host):,} targets{marked}"
    line = f"{said(host[0].host, _HOST_LENGTH)}: {what}"
    if words.of_job(host[0].event):
        line = what
    since = words.clock_text(min(map(incident.since, events)), common.now)
    if host[0].state.rank >= ENDED.rank:
        return f"{line}. {_ended(host, common.now)}"
    if host[0].event.incident_type == "expiring":
        return f"{line}. {' / '.join(dict.fromkeys(map(incident.why, events)))}"
    if common.one_cause:
        return f"{line}, since {since}{_reach(host, common)}"
    why = dict.fromkeys(words.reasons(event) for event in events)
    places = dict.fromkeys(map(_from, events))
    reasons = said(" / ".join(filter(None, why)), 200)
    place = next(iter(places)) if len(places) == 1 else "from different regions"
    told = f"{reasons} {place}".rstrip() if reasons else place[:1].upper() + place[1:]
    return f"{line}. {told}, since {since}{_reach(host, common)}"


def _named(event: IncidentEvent) -> str:
    port = "" if event.port is None else f" ({event.port})"
    return f"{said(event.name, _NAME_LENGTH)}{port}"


def _ended(host: _Host, now: int) -> str:
    events = [one.event for one in host]
    ended = words.clock_text(max(map(incident.ended_at, events)), now)
    longest = max(incident.ended_at(event) - event.first_failed_at for event in events)
    length = words.length_text(longest)
    if host[0].state is ENDED:
        whys = dict.fromkeys(words.happened(one.event, one.action) for one in host)
        return f"{' / '.join(whys)}, {ended}"
    return f"After {'at most ' if len(host) > 1 else ''}{length}, {ended}"


def _reach(host: _Host, common: _Common) -> str:
    """Whether it is one port or the whole host, as far as the newest event knows."""
    if host[0].state.rank > STILL.rank:
        return ""
    newest = max((one.event for one in host), key=lambda event: event.at)
    failing = common.failing.get(host[0].host, set())
    told = common.fine.get(host[0].host, set()) - failing
    others = [
        one
        for one in newest.host_targets
        if one.target not in failing | told and one.expect != "closed"
    ]
    fine = len(told) + sum(one.status in {"up", "slow"} for one in others)
    if fine:
        return f"; {fine} other {'port' if fine == 1 else 'ports'} of it fine"
    known = len(failing) + len(others)
    down = len(failing) + sum(one.status == "down" for one in others)
    return f"; the whole host (all {known} ports)" if known > 1 and down == known else ""


def _steps(events: Sequence[IncidentEvent]) -> list[Passage]:
    """What to do first for most of them, and where it is written."""
    steps = Counter(step for event in events for step in dict.fromkeys(event.first_steps[:100]))
    chosen = set(_most(steps, _STEPS))
    # In the order of each incident: `If it runs: …` is nothing to begin with.
    ordered = (step for event in events for step in event.first_steps if step in chosen)
    first = list(dict.fromkeys(ordered))
    lines = [f"  {number}. {said(step)}" for number, step in enumerate(first, 1)]
    passages = [listing(2, "First steps:", lines, len(steps))] if lines else []
    books = Counter(event.runbook for event in events if event.runbook)
    found: list[Line] = [
        incident.book_line(book) for book in _most(books, _BOOKS) if link(book) or said(book)
    ]
    if found:
        passages.append(listing(4, "", found, len(books), "and {} runbooks more"))
    return passages


def _most(found: "Counter[str]", count: int) -> list[str]:
    """The most frequent ones; of equals those that came first."""
    return [text for text, _ in found.most_common(count)]


def _targets(by_state: Sequence[tuple[State, list[_Host]]]) -> list[Passage]:
    """Each target of the hosts whose lines name none: at the end, as far as there is room."""
    several = len(by_state) > 1
    passages = []
    for state, hosts in by_state:
        lines = [
            f"  {said(one.event.name, 100)} ({said(words.place(one.event))}){_marked(one)}"
            for host in hosts
            if len(host) > _NAMED
            for one in host
        ]
        title = f"Targets, {state.title[:1].lower()}{state.title[1:]}:" if several else "Targets:"
        if lines:
            passages.append(listing(7, title, lines, len(lines)))
    return passages


def _marked(one: _One) -> str:
    people: Callable[[IncidentEvent], list[str]] = incident.people
    marks = ["critical"] if one.rank == 0 and one.state.rank < ENDED.rank else []
    marks += people(one.event)
    return f": {'. '.join(marks)}" if marks else ""


def _why(by_state: Sequence[tuple[State, list[_Host]]]) -> str:
    """The worst host and the reason, for the one-line forms."""
    _, hosts = by_state[0]
    name = said(hosts[0][0].host, 100)
    others = len({one.host for _, several in by_state for host in several for one in host}) - 1
    where = f"{name} and {others} more" if others else ""
    reasons = dict.fromkeys(
        words.reasons(one.event) for host in hosts for one in host if one.event.event != "closed"
    )
    why = " / ".join(filter(None, list(reasons)[:_REASONS]))
    return f"{where}: {why}" if where and why else where or why
