"""The message of targets that nobody watches."""

from collections.abc import Iterable
from typing import Final, get_args

from schemas.incident import TargetsEvent
from schemas.target import Criticality
from sinks.notifier.model import Delivery
from sinks.notifier.texts import words
from sinks.notifier.texts.layout import TIMES, Draft, Heading, Line, Passage, listing
from sinks.notifier.texts.outside import SUMMARY_LENGTH, said
from sinks.notifier.texts.telling import about_itself

_CRITICALITY: Final = get_args(Criticality)
_MOST_CRITICAL: Final = 3
_HEARD: Final = (
    "All their regions are heard, but their results do not come, or do not count: look at the logs "
    "and the clocks of their probers, and whether these regions may reach the addresses (allow)."
)
_NOT_TOLD: Final = "An outage would not be told."


def draft(events: list[TargetsEvent], delivery: Delivery) -> Draft:
    """The message of the events of one cause, without limits: its partitions are added up."""
    newest = list({event.partition: event for event in events}.values())
    blind = [event for event in newest if event.event != "targets.watched"]
    return _unwatched(blind, delivery) if blind else _watched(newest, delivery)


def _watched(newest: list[TargetsEvent], delivery: Delivery) -> Draft:
    missed = delivery.action == "missed"
    since, ended = min(one.since for one in newest), max(one.at for one in newest)
    head: list[Line] = [*about_itself(delivery, since, ended, ended)]
    if missed:
        head.append(
            f"From {words.time_text(since)} to {words.time_text(ended)} some targets were not "
            "watched. It began and ended before anybody could be told."
        )
    told = [said(event.summary, SUMMARY_LENGTH) for event in newest]
    what = "Targets Were Not Watched" if missed else "Targets Watched Again"
    return Draft(
        heading=Heading(what),
        passages=(
            *([Passage(0, tuple(head))] if head else []),
            listing(1, "", told, len(told), "and {} more"),
            Passage(TIMES, (f"Ended: {words.time_text(ended)}",)),
            Passage(2, (f"Cause: {said(newest[0].cause_id)}",)),
        ),
        why=f"after {words.length_text(ended - since)}",
        since=f"ended {words.clock_text(ended, delivery.at)}",
    )


def _unwatched(newest: list[TargetsEvent], delivery: Delivery) -> Draft:
    count = sum(event.count for event in newest)
    are = "1 target is" if count == 1 else f"{count} targets are"
    silent = {name: at for event in newest for name, at in sorted(event.silent_regions.items())}
    since = min(event.since for event in newest)
    its = "its" if count == 1 else "their"
    about = (
        f"no word from {words.listed(list(silent), 10)}"
        if silent
        else f"all of {its} regions are heard"
    )
    what = "More Targets Not Watched" if delivery.action == "updated" else "Targets Not Watched"
    targets = [target for event in newest for target in event.most_critical]
    targets.sort(key=lambda target: (_rank(target.criticality), target.target))
    shown = [f"  {said(one.name)} ({one.criticality})" for one in targets[:_MOST_CRITICAL]]
    regions: list[Line] = [
        f"Region {said(name)}: "
        + ("never heard" if at is None else f"last heard {words.time_text(at)}")
        for name, at in silent.items()
    ]
    return Draft(
        heading=Heading(f"{what}: {count}, {about}", brief=f"{what}: {count}"),
        passages=(
            Passage(
                0,
                (
                    *about_itself(delivery, since, None, max(event.at for event in newest)),
                    f"{are} not watched: too few of {its} regions have results. {_NOT_TOLD}",
                ),
            ),
            Passage(TIMES, (f"Since: {words.time_text(since)}",)),
            *([] if silent else [Passage(1, (_HEARD,))]),
            *([listing(3, "", regions, len(regions), "and {} regions more")] if regions else []),
            *([listing(2, "The most critical:", shown, len(shown))] if shown else []),
            Passage(
                4,
                (
                    f"Severity: {'critical' if _any_critical(newest) else 'warning'}",
                    f"Cause: {said(newest[0].cause_id)}",
                ),
            ),
        ),
        why="" if silent else "their results do not come or do not count",
        since=f"since {words.clock_text(since, delivery.at)}",
    )


def _rank(criticality: str) -> int:
    known = criticality in _CRITICALITY
    return _CRITICALITY.index(criticality) if known else len(_CRITICALITY)


def _any_critical(events: Iterable[TargetsEvent]) -> bool:
    return any(event.severity == "critical" for event in events)
