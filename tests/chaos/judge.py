"""What is wrong with what a run has left, in words; nothing, if all of it is accounted for."""

from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from schemas.incident import IncidentEvent
from tests.chaos.evidence import Evidence, Message
from tests.chaos.plan import REGIONS, calm, joined
from tests.chaos.world import Done, Down

Spans = list[tuple[float, float]]

DETECT_MS: Final = 15_000
"""interval + retry + timeout (7 s), and what a machine with two cores needs under this load."""

CLOSE_MS: Final = 15_000
TELL_MS: Final = 15_000
TELL_ANOTHER_MS: Final = 250
"""An on-call system has an alert of its own for each incident; those of a minute wait in turn."""

RECOVERY_MS: Final = 10_000
"""Until a role that was killed or stopped works again: the group's 6 s, and what a move takes."""

LATE_MS: Final = 17_000
"""A result counts so late after its start, at most (docs/rules.md, rule 1)."""

_PAGE: Final = frozenset({0, HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE})


class Verdict(Struct, frozen=True):
    """`wrong` in words; times in ms, sorted; all but the first without what the faults took."""

    wrong: list[str]
    whole_ms: list[float]
    """From the beginning of an outage to its incident, with whatever happened meanwhile."""
    detected_ms: list[float]
    closed_ms: list[float]
    told_ms: list[float]
    incidents: int
    unseen: int
    """Outages that no incident is about: the faults left too little of them to be seen."""


def judge(found: Evidence) -> Verdict:
    """Holds everything against the truth."""
    verdict = Verdict([], [], [], [], [], 0, 0)
    incidents: dict[str, list[IncidentEvent]] = defaultdict(list)
    for event in found.events:
        incidents[event.incident_id].append(event)
    for events in incidents.values():
        verdict.wrong.extend(_shape(events))
    unseen = _against_the_truth(found, list(incidents.values()), verdict)
    _told(found, list(incidents.values()), verdict)
    verdict.wrong.extend(_ledgers(found))
    for times in (verdict.whole_ms, verdict.detected_ms, verdict.closed_ms, verdict.told_ms):
        times.sort()
    return replace(verdict, incidents=len(incidents), unseen=unseen)


def _shape(events: list[IncidentEvent]) -> Iterator[str]:
    kinds = [event.event for event in events]
    name = f"incident {events[0].incident_id} of {events[0].target}"
    if kinds.count("opened") != 1 or kinds[0] != "opened":
        yield f"{name} has not opened once: {kinds}"
    if kinds.count("closed") != 1 or kinds[-1] != "closed":
        yield f"{name} has not closed once: {kinds}"
    elif events[-1].closed_because != "recovered":
        yield f"{name} closed because of {events[-1].closed_because}"
    if events[0].incident_type != "unreachable":
        yield f"{name} is of the type {events[0].incident_type}"


def _against_the_truth(
    found: Evidence, incidents: list[list[IncidentEvent]], verdict: Verdict
) -> int:
    opening, closing = _standstill(found.faults, "opening"), _standstill(found.faults, "closing")
    of_target: dict[str, list[list[IncidentEvent]]] = defaultdict(list)
    for events in incidents:
        of_target[events[0].target].append(events)
    unseen = 0
    for down in found.downs:
        ours = [one for one in of_target[down.target] if _is_about(one[0], down)]
        for one in ours:
            of_target[down.target].remove(one)
        if len(ours) > 1:
            verdict.wrong.append(f"{down.target}: {len(ours)} incidents of one outage")
        if not ours:
            left_ms = calm(opening, down.began_ms, down.ended_ms)
            unseen += 1
            if left_ms > DETECT_MS:
                verdict.wrong.append(f"{down.target}: an outage was missed ({left_ms:.0f} ms calm)")
            continue
        opened, last = ours[0][0], ours[0][-1]
        verdict.whole_ms.append(opened.at - down.began_ms)
        for took_ms, times, most_ms, event in (
            (calm(opening, down.began_ms, opened.at), verdict.detected_ms, DETECT_MS, opened),
            (calm(closing, down.ended_ms, last.at), verdict.closed_ms, CLOSE_MS, last),
        ):
            times.append(took_ms)
            if took_ms > most_ms:
                words = f"{event.event} after {took_ms:.0f} ms of calm"
                verdict.wrong.append(f"{down.target}: {words}")
    verdict.wrong.extend(
        f"{target}: an incident without an outage, opened at {one[0].at}"
        for target, left in of_target.items()
        for one in left
    )
    return unseen


def _is_about(opened: IncidentEvent, down: Down) -> bool:
    return down.began_ms <= opened.at <= down.ended_ms + LATE_MS


def _standstill(faults: list[Done], what: str) -> Spans:
    """When the fleet can't open (or close) incidents by reason of the faults, and its recovery.

    One region of three may be away: two are a quorum, but all must succeed again.
    """
    common: Spans = []
    regions: dict[str, Spans] = {name: [] for name in REGIONS}
    for fault in faults:
        span = (float(fault.began_ms), float(fault.ended_ms + RECOVERY_MS))
        words = fault.what.partition(": ")[2].partition(" for ")[0]
        if words.startswith("Kafka") or "stream" in words or "another worker" in words:
            common.append(span)
        for name in REGIONS:
            if words in {f"kill probe-{name}", f"stop probe-{name}", f"region cut {name}"}:
                regions[name].append(span)
        if words.startswith("clock"):
            regions[REGIONS[-1]].append(span)
    if what == "closing":
        return joined([*common, *(span for spans in regions.values() for span in spans)])
    return joined([*common, *_two_of(list(regions.values()))])


def _two_of(regions: list[Spans]) -> Iterator[tuple[float, float]]:
    for number, ours in enumerate(regions):
        for others in regions[number + 1 :]:
            for begin, end in ours:
                for early, late in others:
                    if max(begin, early) < min(end, late):
                        yield max(begin, early), min(end, late)


def _told(found: Evidence, incidents: list[list[IncidentEvent]], verdict: Verdict) -> None:
    """Each incident by a message of its own, or by one of an outage of many; its end as well."""
    spans = joined(
        [
            (float(one.began_ms), float(one.ended_ms + RECOVERY_MS))
            for one in found.faults
            if "Kafka" in one.what or "notify" in one.what
        ]
    )
    by_key: dict[str, list[Message]] = defaultdict(list)
    for message in found.messages:
        by_key[message.key].append(message)
    mass = [one.at_ms for one in found.messages if one.mass and one.action == "trigger"]
    known: set[str] = set()
    for events in incidents:
        opened, closed = events[0], events[-1]
        keys = [key for key in by_key if key.partition("/")[0] == opened.incident_id]
        known.update(keys)
        messages = [one for key in keys for one in by_key[key]]
        triggers = [one for one in messages if one.action == "trigger"]
        resolves = [one for one in messages if one.action == "resolve"]
        episodes = 1 + sum(event.event == "worsened" for event in events)
        name = f"incident {opened.incident_id} of {opened.target}"
        others = sum(abs(one[0].at - opened.at) <= 60_000 for one in incidents) - 1
        most_ms = TELL_MS + others * TELL_ANOTHER_MS
        if not triggers:
            # What is over before anybody could be told is no alert.
            if calm(spans, opened.at, closed.at) > most_ms and not any(
                opened.at - 60_000 <= at <= closed.at + TELL_MS for at in mass
            ):
                verdict.wrong.append(f"{name} was told to nobody")
            continue
        if len(triggers) > episodes:
            verdict.wrong.append(f"{name} was told {len(triggers)} times, of {episodes} outages")
        if len(resolves) != 1:
            verdict.wrong.append(f"{name} was resolved {len(resolves)} times")
        took_ms = calm(spans, opened.at, triggers[0].at_ms)
        verdict.told_ms.append(took_ms)
        if took_ms > most_ms:
            verdict.wrong.append(f"{name} was told after {took_ms:.0f} ms of calm")
    about_incidents = {key for key, of in by_key.items() if not of[0].mass}
    strange = {key for key in about_incidents - known if not key.startswith(("region", "targets"))}
    verdict.wrong.extend(f"a message about {key}, which is no incident" for key in sorted(strange))


def _ledgers(found: Evidence) -> Iterator[str]:
    if found.rewritten:
        yield f"{found.rewritten} events came again with other bytes"
    if found.identities != found.lines:
        yield f"{found.lines - found.identities} lines are there twice"
    if found.result_rows != (found.lines, found.lines):
        yield f"{found.result_rows} rows (different ones) of {found.lines} lines"
    events = len(found.events)
    if found.event_rows[0] != found.event_rows[1] or found.event_rows[1] < events:
        yield f"{found.event_rows} rows (different ones) of {events} events of incidents"
    if sorted(found.letter_rows) != sorted(found.letters):
        yield f"{len(found.letter_rows)} dead letters, {len(found.letters)} lines that are none"
    compared = found.comparison
    if not compared.agrees:
        words = (compared.missing, compared.different, compared.unexpected)
        yield f"a replay differs: missing, different, unexpected: {[len(one) for one in words]}"
    if compared.unsound:
        yield f"the log or a checkpoint of partitions {compared.unsound} is cut"
    odd = sorted({one.status for one in found.looks} - _PAGE)
    if odd:
        yield f"the page answered {odd}"
