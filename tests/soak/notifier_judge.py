"""Judges the soak of the notifiers: what receivers know against what happened. Pure."""

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from tests.soak.notifier_story import PolicyVersion, Step, by_incident

IN_FLIGHT_S: Final = 1.0
"""A request that was on its way at a kill is read by its receiver within this time."""

LONGEST_SEND_S: Final = 40.0
"""Connecting and waiting for the answer."""

RECORDED_MS: Final = 500
"""A row is in the send log before the state that it follows from; this long after it both are."""

WOKEN_S: Final = 2.0
"""A request that was begun at a stop is read within this time after the process was woken."""

STEADY_MS: Final = 60_000
"""An incident's channels are certain if its team's were the same for so long around its opening."""


class Telling(Struct, frozen=True, kw_only=True):
    """One thing that one receiver learnt of one incident by one request.

    `at` is monotonic, s; `at_ms` UTC. `seq` is the event that a text for people was made of;
    `action` and `key` are what an on-call system was given. `sure`: the sender was answered "yes"
    as far as the receiver can say. `late`: seconds that the answer was held back. `missed`: the
    text says that it was and is over. `told`: false if the receiver refused it.
    """

    channel: str
    at: float
    at_ms: int
    incident: str
    seq: int = 0
    missed: bool = False
    action: Literal["", "trigger", "acknowledge", "resolve"] = ""
    key: str = ""
    sure: bool = True
    told: bool = True
    text: str = ""


class Kill(Struct, kw_only=True):
    """One kill or stop of the active notifier, which is `woken` at a time after a stop.

    `failover_s` is None if another kill came before.
    """

    number: int
    kind: Literal["kill", "stop"]
    at: float
    at_ms: int
    active_again: float = 0.0
    woken: float = 0.0
    failover_s: float | None = None
    in_flight: int = 0


class SentRow(Struct, frozen=True):
    """A row of the send log that says `sent`: by which action which event was told."""

    incident: str
    channel_id: str
    at_ms: int
    event_id: str
    action: str


class LogRow(Struct, frozen=True):
    """Any row of the send log, for whoever looks for the cause of a fault."""

    at_ms: int
    status: str
    event: str
    incident: str
    event_id: str
    channel: str
    action: str
    attempt: int
    why: str
    error: str
    group: str = ""


class Double(Struct, frozen=True):
    """Something that was told twice.

    `because`: `kill N` (its send was in flight at a kill or stop), `woken N` (a stopped process had
    begun its request, and ended it when it was woken), or `no answer`.
    """

    channel: str
    what: str
    first_s: float
    again_s: float
    because: str


class Evidence(Struct, frozen=True, kw_only=True):
    """All that is known. `open_keys`: of each on-call channel, at the end."""

    steps: Sequence[Step]
    versions: Sequence[PolicyVersion]
    tellings: Sequence[Telling]
    kills: Sequence[Kill]
    sent: Sequence[SentRow]
    open_keys: Mapping[str, Collection[str]]
    channel_ids: Mapping[str, str]
    rows: Sequence[LogRow] = ()


class Judgement(Struct, kw_only=True):
    """`wrong` in words; `doubles` are those that may be.

    `perhaps`: ends that were told to who had refused, or never got, an opening that was under way
    at a kill: nobody could know.
    """

    wrong: list[str]
    doubles: list[Double]
    perhaps: list[str]
    counts: dict[str, int]


def judge(evidence: Evidence) -> Judgement:
    found = Judgement(wrong=[], doubles=[], perhaps=[], counts={})
    told = [one for one in evidence.tellings if one.told]
    truth = by_incident(evidence.steps)
    in_flight(evidence)
    _doubles(evidence, told, truth, found)
    by_channel: dict[tuple[str, str], list[Telling]] = {}
    for telling in sorted(told, key=lambda one: one.at):
        by_channel.setdefault((telling.channel, telling.incident), []).append(telling)
    for (channel, name), tellings in by_channel.items():
        steps = truth.get(name)
        if steps is None:
            found.wrong.append(f"{channel} was told of {name}, which never was")
        elif tellings[0].action:
            _on_call_order(channel, tellings, found)
        else:
            _people(channel, steps, tellings, evidence.kills, found)
    _untold(evidence, truth, by_channel, found)
    _keys(evidence, truth, by_channel, found)
    found.counts |= {
        "incidents": len(truth),
        "open at the end": sum(steps[-1].phase != "closed" for steps in truth.values()),
        "events": len(evidence.steps),
        "edits": max(0, len(evidence.versions) - 1),
        "tellings": len(told),
        "refused": len(evidence.tellings) - len(told),
        "ends told to who may not have been told": len(found.perhaps),
        "sends in flight at kills": sum(kill.in_flight for kill in evidence.kills),
        "kills with a send in flight": sum(kill.in_flight > 0 for kill in evidence.kills),
        **Counter(f"doubles: {one.because.split(' ')[0]}" for one in found.doubles),
    }
    return found


def in_flight(evidence: Evidence) -> None:
    """Counts, for each kill, the requests whose outcome it kept from being recorded."""
    truth = by_incident(evidence.steps)
    rows = _rows(evidence)
    told = (one for one in evidence.tellings if one.told)
    by_statement = _by_statement(told, truth)
    for kill in evidence.kills:
        for same in by_statement.values():
            before = [one for one in same if one.at <= kill.at + IN_FLIGHT_S]
            if before and before[-1].at >= kill.at - LONGEST_SEND_S:
                recorded = _recorded(same[0], evidence, rows, truth)
                last = before[-1].at_ms - 1
                known = any(last <= at <= kill.at_ms - RECORDED_MS for at in recorded)
                kill.in_flight += not known


_Rows = Mapping[tuple[str, str], Sequence[SentRow]]


def _rows(evidence: Evidence) -> _Rows:
    rows: dict[tuple[str, str], list[SentRow]] = {}
    for row in evidence.sent:
        rows.setdefault((row.incident, row.channel_id), []).append(row)
    return rows


def _recorded(
    one: Telling, evidence: Evidence, rows: _Rows, truth: Mapping[str, Sequence[Step]]
) -> list[int]:
    """The times (UTC ms) of the rows of what this says: of its event and action, no other's."""
    steps = truth.get(one.incident, ())
    key = one.incident, evidence.channel_ids.get(one.channel, "")
    return [row.at_ms for row in rows.get(key, ()) if _says(row, one, steps)]


def _says(row: SentRow, one: Telling, steps: Sequence[Step]) -> bool:
    """Whether a row is of a message that says the same.

    A row names the newest event that people can be told of; the text may be made of a later one
    (an acknowledgement) in which the incident's state is the same. An old key is resolved by the
    event of a later episode.
    """
    event = next((step for step in steps if step.event_id == row.event_id), None)
    if event is None:
        return False
    if one.action:
        episode = int(one.key.rpartition("/")[2])
        later = one.action == "resolve" and event.episode > episode
        return row.action == one.action and (event.episode == episode or later)
    if one.missed or row.action == "missed":
        return one.missed and row.action == "missed"
    step = _step(steps, one.seq)
    return step is not None and (step.episode, step.phase) == (event.episode, event.phase)


def _by_statement(
    tellings: Iterable[Telling], truth: Mapping[str, Sequence[Step]]
) -> dict[tuple[str, str, str], list[Telling]]:
    """What said the same of the same to the same, in the order of time."""
    found: dict[tuple[str, str, str], list[Telling]] = {}
    for one in sorted(tellings, key=lambda one: one.at):
        found.setdefault((one.channel, one.incident, _statement(one, truth)), []).append(one)
    return found


def _in_flight(same: Sequence[Telling], kill: Kill, rows: Sequence[int]) -> bool:
    """Whether one of these reached its receiver before the kill, and no row said so before it.

    `rows` are of what these say; a row belongs to one of them, so they are counted.
    """
    before = [one for one in same if one.at <= kill.at + IN_FLIGHT_S]
    if not before or before[-1].at < kill.at - LONGEST_SEND_S:
        return False
    recorded = sum(same[0].at_ms - 1 <= at <= kill.at_ms - RECORDED_MS for at in rows)
    return recorded < len(before)


def _doubles(
    evidence: Evidence,
    told: Sequence[Telling],
    truth: Mapping[str, Sequence[Step]],
    found: Judgement,
) -> None:
    rows = _rows(evidence)
    for (channel, name, what), same in _by_statement(told, truth).items():
        for number, (before, one) in enumerate(itertools.pairwise(same), 1):
            recorded = _recorded(one, evidence, rows, truth)
            because = _because(same[:number], one, evidence.kills, recorded)
            words = f"{name} {what}"
            if because is None:
                found.wrong.append(
                    f"{channel} was told twice of {words} ({one.at - before.at:.1f} s apart), "
                    "without a kill of a send in flight, and had answered"
                )
            else:
                found.doubles.append(Double(channel, words, before.at, one.at, because))


def _because(
    before: Sequence[Telling], one: Telling, kills: Sequence[Kill], rows: Sequence[int]
) -> str | None:
    """What makes a repetition one that may be; None: nothing."""
    last = before[-1]
    for kill in reversed(kills):
        if last.at - IN_FLIGHT_S <= kill.at <= one.at and _in_flight(before, kill, rows):
            return f"kill {kill.number}"
    if not last.sure:
        return "no answer"
    for kill in kills:
        if kill.woken and last.at <= kill.woken <= one.at <= kill.woken + WOKEN_S:
            return f"woken {kill.number}"
    return None


def _statement(one: Telling, truth: Mapping[str, Sequence[Step]]) -> str:
    """What the message says, so that two that say the same are one twice."""
    if one.action:
        return f"{one.action} {one.key}"
    if one.missed:
        return "missed"
    step = _step(truth.get(one.incident, ()), one.seq)
    return "?" if step is None else f"episode {step.episode} {step.phase}"


def _step(steps: Sequence[Step], seq: int) -> Step | None:
    return next((step for step in steps if step.seq == seq), None)


def _people(
    channel: str,
    steps: Sequence[Step],
    tellings: Sequence[Telling],
    kills: Sequence[Kill],
    found: Judgement,
) -> None:
    name = steps[0].incident
    states = [_step(steps, one.seq) for one in tellings]
    if None in states:
        found.wrong.append(f"{channel} was told of an event of {name} that never was")
        return
    first = states[0]
    assert first is not None
    if first.phase == "closed" and not tellings[0].missed:
        words = f"{channel} was told that {name} is over, and never that it was open"
        if any(steps[0].at_ms <= kill.at_ms <= tellings[0].at_ms for kill in kills):
            found.perhaps.append(words)
        else:
            found.wrong.append(words)
    seqs = [one.seq for one in tellings]
    if any(later < earlier for earlier, later in itertools.pairwise(seqs)):
        found.wrong.append(f"{channel} was told of {name} in the order {seqs}")
    last, now = states[-1], steps[-1]
    assert last is not None
    if (last.phase, last.episode) != (now.phase, now.episode) and not tellings[-1].missed:
        found.wrong.append(
            f"{channel} knows of {name}: {last.phase}, episode {last.episode}; "
            f"true is {now.phase}, episode {now.episode}"
        )


def _on_call_order(channel: str, tellings: Sequence[Telling], found: Judgement) -> None:
    resolved: set[str] = set()
    triggered: set[str] = set()
    for one in tellings:
        if one.action == "resolve":
            resolved.add(one.key)
            if one.key not in triggered:
                found.counts["resolves of keys that were not open"] = (
                    found.counts.get("resolves of keys that were not open", 0) + 1
                )
        elif one.key in resolved:
            found.wrong.append(f"{channel} got {one.action} of {one.key} after its resolve")
        else:
            triggered.add(one.key)


def _untold(
    evidence: Evidence,
    truth: Mapping[str, Sequence[Step]],
    by_channel: Mapping[tuple[str, str], Sequence[Telling]],
    found: Judgement,
) -> None:
    for name, steps in truth.items():
        if steps[-1].phase == "closed":
            continue
        begun, team = steps[0].at_ms, steps[0].team
        versions = [
            version.channels.get(team, frozenset())
            for number, version in enumerate(evidence.versions)
            # In force at some time from a little before the opening on.
            if number + 1 == len(evidence.versions)
            or evidence.versions[number + 1].at_ms > begun - STEADY_MS
        ]
        for channel in frozenset.intersection(*versions):
            if (channel, name) not in by_channel:
                found.wrong.append(f"{channel} was never told of {name}, which is open")
        if versions[-1] and not any(told == name for _, told in by_channel):
            found.wrong.append(f"nobody was told of {name}, which is open")


def _keys(
    evidence: Evidence,
    truth: Mapping[str, Sequence[Step]],
    by_channel: Mapping[tuple[str, str], Sequence[Telling]],
    found: Judgement,
) -> None:
    for channel, keys in evidence.open_keys.items():
        should = {
            f"{name}/{steps[-1].episode}"
            for name, steps in truth.items()
            if steps[-1].phase != "closed" and (channel, name) in by_channel
        }
        found.wrong += [
            f"{channel} has the key {key} open, and the incident or its episode is over"
            for key in sorted(set(keys) - should)
        ]
        found.wrong += [
            f"{channel} has no open key {key}, and was told of the incident, which is open"
            for key in sorted(should - set(keys))
        ]
