"""Judges a mass outage: what each person's receiver got, against events, rows and kills. Pure."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from tests.soak.notifier_judge import IN_FLIGHT_S, Kill, LogRow

ANSWER_MS: Final = 5_000
"""A row follows its message within this time, unless a kill comes between."""

TOGETHER_MS: Final = 200
ROUGH_MS: Final = 500
"""A message starts so much before its receiver has read it, or less."""

FAILOVER_ROUGH_MS: Final = 1_000
"""The same of one that was under way at a kill: when its request went out was not recorded."""

LEASE_MS: Final = 3_000


class Message(Struct, frozen=True):
    """One request that a person's receiver took; `free`: of the outage as a whole."""

    person: str
    at: float
    at_ms: int
    free: bool


class Happened(Struct, frozen=True):
    """One event of a target; `behind`: it depends on a gateway that was down already."""

    event_id: str
    event: str
    incident: str
    target: str
    person: str
    behind: bool


class MassEvidence(Struct, frozen=True, kw_only=True):
    """All that is known. `channels` are the ids of people's channels, `limits` those of some."""

    happened: Sequence[Happened]
    messages: Sequence[Message]
    rows: Sequence[LogRow]
    kills: Sequence[Kill]
    channels: Mapping[str, str]
    interval_ms: int
    limits: Mapping[str, tuple[int, int]]


class MassJudgement(Struct, kw_only=True):
    """`wrong` in words; `doubles` are messages whose answer a kill kept from being recorded."""

    wrong: list[str]
    doubles: list[str]
    counts: dict[str, int]


def judge_mass(evidence: MassEvidence) -> MassJudgement:
    found = MassJudgement(wrong=[], doubles=[], counts={})
    person_of = {channel: person for person, channel in evidence.channels.items()}
    messages: dict[str, list[Message]] = defaultdict(list)
    for message in sorted(evidence.messages, key=lambda one: one.at):
        messages[message.person].append(message)
    rows: dict[str, list[LogRow]] = defaultdict(list)
    for row in evidence.rows:
        if row.channel and (person := person_of.get(row.channel.split("/")[1])):
            rows[person].append(row)
    for person in evidence.channels:
        _pace(person, messages[person], evidence, found)
        _recorded(person, messages[person], rows[person], evidence.kills, found)
    _events(evidence, rows, found)
    found.counts |= {
        "events": len(evidence.happened),
        "messages": len(evidence.messages),
        "most messages to one person": max(map(len, messages.values()), default=0),
        "kills": len(evidence.kills),
        "doubles": len(found.doubles),
        **Counter(f"rows {row.status}" for row in evidence.rows),
    }
    return found


def _pace(
    person: str, messages: Sequence[Message], evidence: MassEvidence, found: MassJudgement
) -> None:
    """Digests keep their distance, and no window has more than the limit, whoever was active."""
    for before, one in itertools.pairwise(messages):
        apart = one.at_ms - before.at_ms
        at_failover = any(
            before.at_ms - LEASE_MS <= kill.at_ms <= one.at_ms for kill in evidence.kills
        )
        rough_ms = FAILOVER_ROUGH_MS if at_failover else ROUGH_MS
        if not one.free and apart < evidence.interval_ms - rough_ms:
            found.wrong.append(f"{person} got two messages {apart} ms apart")
    most, per_ms = evidence.limits.get(person, (len(messages), 0))
    for first, last in zip(messages, messages[most:], strict=False):
        if last.at_ms - first.at_ms < per_ms - ROUGH_MS:
            found.wrong.append(f"{person} got {most + 1} messages within {per_ms} ms")


def _recorded(
    person: str,
    messages: Sequence[Message],
    rows: Sequence[LogRow],
    kills: Sequence[Kill],
    found: MassJudgement,
) -> None:
    """Each message has its rows, but for one whose answer came at a kill; no row is without one."""
    newest: dict[str, int] = {}
    waiting: list[tuple[int, str]] = []
    for row in sorted(rows, key=lambda one: one.at_ms):
        if row.status == "sent":
            # A repetition has the same id; the rows of one message are written together.
            if row.at_ms > newest.get(row.group, 0) + TOGETHER_MS:
                waiting.append((row.at_ms, row.group))
            newest[row.group] = row.at_ms
    free = list(messages)
    for at, group in waiting:
        # Its own message is the last one before it: an earlier one may have lost its row to a kill.
        own = next(
            (one for one in reversed(free) if one.at_ms - 1 <= at <= _answered(one, kills)), None
        )
        if own is None:
            found.wrong.append(f"{person} has a row of a message that never came: {at}, {group}")
        else:
            free.remove(own)
    for message in free:
        kill = next((one for one in kills if _in_flight(message, one)), None)
        if kill is None:
            found.wrong.append(f"{person} got a message at {message.at:.1f} that no row has")
        else:
            found.doubles.append(f"{person} at {message.at:.1f}, kill {kill.number}")


def _answered(message: Message, kills: Sequence[Kill]) -> int:
    """The latest time of its row (UTC ms); a process that was stopped writes it when woken."""
    ends = [_over(one) for one in kills if _in_flight(message, one)]
    return max([message.at_ms, *ends]) + ANSWER_MS


def _over(kill: Kill) -> int:
    """When a kill or stop was over (UTC ms): a stopped process goes on when it is woken."""
    return kill.at_ms + (round((kill.woken - kill.at) * 1000) if kill.woken else 0)


def _in_flight(message: Message, kill: Kill) -> bool:
    return message.at - IN_FLIGHT_S <= kill.at <= message.at + ANSWER_MS / 1000


def _events(
    evidence: MassEvidence, rows: Mapping[str, Sequence[LogRow]], found: MassJudgement
) -> None:
    """Each event has a row for its person; the end is told to who was told, and to nobody else."""
    by_event: dict[tuple[str, str], list[LogRow]] = defaultdict(list)
    for person, its in rows.items():
        for row in its:
            by_event[person, row.event_id].append(row)
    told: set[str] = set()
    for one in evidence.happened:
        its = by_event[one.person, one.event_id]
        sent = [row for row in its if row.status == "sent"]
        words = []
        if not its:
            words.append(f"no message and no row names {one.event} of {one.target}")
        elif one.event == "opened":
            words += _opening(one, its, bool(sent))
            told |= {one.incident} if sent else set()
        else:
            words += _end(one, sent, one.incident in told, bool(evidence.kills))
        if len(sent) > 1 and not _twice_by_kill(sent, evidence.kills):
            words.append(f"{one.event} of {one.target} was told {len(sent)} times")
        found.wrong += words
    found.counts["told"] = len(told)
    found.counts["spared"] = sum(one.behind for one in evidence.happened if one.event == "opened")


def _opening(one: Happened, rows: Sequence[LogRow], sent: bool) -> list[str]:
    words = []
    if one.behind and sent:
        words.append(f"{one.target} was told behind a gateway that is down")
    if one.behind and not any(row.why.startswith("dependency: ") for row in rows):
        words.append(f"{one.target} is not told, and no row says that of what")
    if not one.behind and not sent:
        words.append(f"nobody was told of {one.target}")
    return words


def _end(one: Happened, sent: Sequence[LogRow], told: bool, kills: bool) -> list[str]:
    if told and not sent:
        return [f"the end of {one.target} was told to nobody"]
    missed = any(row.action == "missed" for row in sent)
    if sent and not told and not missed and not kills:
        return [f"{one.target} is over, and its outage was never told"]
    return []


def _twice_by_kill(sent: Sequence[LogRow], kills: Sequence[Kill]) -> bool:
    """Between each two rows of one event a notifier was killed."""
    times = sorted(row.at_ms for row in sent)
    return all(
        any(first - ANSWER_MS <= _over(kill) and kill.at_ms <= again for kill in kills)
        for first, again in itertools.pairwise(times)
    )
