"""The message of a region as a whole."""

from typing import Final

from schemas.incident import RegionEvent
from schemas.result import RECEIVER
from sinks.notifier.model import Delivery
from sinks.notifier.texts import words
from sinks.notifier.texts.layout import TIMES, Draft, Heading, Line, Passage, listing
from sinks.notifier.texts.outside import SUMMARY_LENGTH, said
from sinks.notifier.texts.telling import about_itself

_WORDS: Final[dict[str, str]] = {
    "region.silent": "Region Silent",
    "region.returned": "Region Returned",
    "region.suspect": "Region Set Aside",
    "region.cleared": "Region Counts Again",
    "region.clock_skewed": "Region With A Clock That Is Off",
    "region.secrets_missing": "Region Lacks Secrets",
    "region.secrets_found": "Region Has Its Secrets",
}
_WAS: Final[dict[str, str]] = {
    "region.returned": "Region Was Silent",
    "region.cleared": "Region Was Set Aside",
    "region.secrets_found": "Region Lacked Secrets",
}
_OF_RECEIVERS: Final[dict[str, str]] = {
    "region.silent": "No Receiver Of Heartbeats Heard",
    "region.returned": "Receivers Of Heartbeats Heard Again",
}
_WERE: Final[dict[str, str]] = {"region.returned": "No Receiver Of Heartbeats Was Heard"}
_WHY_OF_RECEIVERS: Final[dict[str, str]] = {
    "region.silent": "nobody knows whether jobs run: none is called missed meanwhile",
    "region.returned": "jobs are judged again",
}
_OVER: Final = frozenset(_WAS)
_SINCE: Final[dict[str, str]] = {
    "region.returned": "Back since",
    "region.cleared": "Counts again since",
    "region.secrets_found": "Complete since",
}
_WHY: Final[dict[str, str]] = {
    "region.silent": "no word from its probers: its targets are not watched from there",
    "region.returned": "its probers report again",
    "region.suspect": "too much of it failed at once: it looks like its own network",
    "region.cleared": "its results count again",
    "region.clock_skewed": "the clock of a prober is off",
    "region.secrets_missing": "its probers lack secrets: what needs them is not checked from there",
    "region.secrets_found": "no check there lacks a secret any more",
}


def draft(events: list[RegionEvent], delivery: Delivery) -> Draft:
    """The message of the events of one region, without limits."""
    # Of a region that was never heard each partition speaks, with one id.
    events = list({event.event_id: event for event in events}.values())
    newest = max(events, key=lambda event: event.at)
    missed = delivery.action == "missed"
    kinds = dict.fromkeys(_what(event, missed=missed) for event in events)
    over = all(event.event in _OVER for event in events)
    head: list[Line] = [*about_itself(delivery, newest.at, newest.at if over else None, newest.at)]
    if missed:
        head.append("It began and ended before anybody could be told.")
    head += [said(event.summary, SUMMARY_LENGTH) for event in events]
    times = [f"{_SINCE.get(newest.event, 'Since')}: {words.time_text(newest.at)}"]
    if newest.last_beat_at is not None and not newest.event.startswith("region.secrets_"):
        last = "Silent since" if newest.event == "region.returned" else "Last sign of life"
        times.append(f"{last}: {words.time_text(newest.last_beat_at)}")
    at = words.clock_text(newest.at, delivery.at)
    return Draft(
        heading=Heading(
            " / ".join(kinds), "", "" if _of_receivers(newest) else said(newest.region)
        ),
        passages=(Passage(0, tuple(head)), Passage(TIMES, tuple(times)), *_steps(newest)),
        why=_why(newest),
        since=f"{_SINCE.get(newest.event, 'since').lower()} {at}",
    )


def _of_receivers(event: RegionEvent) -> bool:
    """Whether it is about those who take the reports of jobs: they are no place."""
    return event.region == RECEIVER


def _what(event: RegionEvent, *, missed: bool) -> str:
    ours = _of_receivers(event)
    told, was = (_WORDS | _OF_RECEIVERS, _WAS | _WERE) if ours else (_WORDS, _WAS)
    named = told.get(event.event, said(event.event))
    return was.get(event.event, named) if missed else named


def _why(event: RegionEvent) -> str:
    whys = _WHY | _WHY_OF_RECEIVERS if _of_receivers(event) else _WHY
    return whys.get(event.event, said(event.summary, 100))


def _steps(event: RegionEvent) -> list[Passage]:
    """What to do first about a region that is silent, or lacks secrets."""
    if event.event == "region.secrets_missing":
        name = said(event.region)
        lines = [
            f"  1. Set these variables for the probers of {name}, and restart them.",
            "  2. If one is set: is its _HOSTS to name these hosts (docs/security.md)?",
            "  3. If nobody knows it: who wrote it into the inventory, and why?",
        ]
        return [listing(2, "First steps:", lines, len(lines))]
    if event.event != "region.silent":
        return []
    if _of_receivers(event):
        lines = [
            "  1. portquorum health (are other parts in trouble, too?)",
            "  2. Does portquorum web or portquorum receiver run?",
            "  3. If it runs: what does its log say, and does it reach Kafka?",
        ]
        return [listing(2, "First steps:", lines, len(lines))]
    name = said(event.region)
    lines = [
        "  1. portquorum health (are other parts in trouble, too?)",
        f"  2. On the machines of {name}: does its prober run (portquorum probe --region {name})?",
        "  3. If it runs: what does its log say, and does it reach Kafka?",
    ]
    return [listing(2, "First steps:", lines, len(lines))]
