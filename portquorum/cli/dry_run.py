"""`portquorum notify dry-run`: who would have been told of the last month's incidents."""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from portquorum.cli.options import Json, examples
from portquorum.presentation.output import print_json, print_notes

if TYPE_CHECKING:
    from foundation.settings import Settings
    from portquorum.dry_run.figures import DryRunFigures
    from portquorum.inventory.present import Present
    from schemas.incident import Event
    from schemas.notification import Notification

HELP = examples(
    "portquorum notify dry-run --since 30d",
    "portquorum notify dry-run inventory.yaml --since 30d --timezone Europe/Berlin",
    "portquorum notify dry-run --since 2026-11-01 --until 2026-11-08 --json",
)


def dry_run(
    file: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE…]",
            help="An inventory: as if it was applied. Default: the policy in force.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The name that the inventory is applied under: the files take the place of what "
            "has it; default: the first file's name.",
        ),
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="From this time (UTC) on, or an age: 30d, 12h.")
    ] = "30d",
    until: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Up to this time; default: now.")
    ] = None,
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="Of the hours that are shown.")
    ] = "UTC",
    from_topic: Annotated[
        bool, typer.Option("--from-topic", help="Read the topic (90 days), not ClickHouse.")
    ] = False,
    json: Json = False,
) -> None:
    """Say who would have got how many messages of past incidents. Nothing is sent.

    The events that there were go through the notifier's own decisions, on a simulated clock, by
    channels that confirm at once: openings, recoveries, digests, reminders and escalations by
    receiver, at which hours, who would have been spared and why, and what nobody would have got.
    What was really sent in that time stands beside it, as far as the send log (30 days) has it.
    """
    from foundation.settings import load
    from portquorum.cli import time_argument
    from portquorum.cli.dry_run_shown import show
    from portquorum.cli.errors import WrongUseError
    from schemas.wall_clock import zone_named

    now = time.time_ns() // 1_000_000
    begin = time_argument.parse_ms(since, now)
    end = now if until is None else min(now, time_argument.parse_ms(until, now))
    if begin >= end:
        raise WrongUseError("expected a --since before the --until, found none of that time")
    if zone_named(timezone) is None:
        raise WrongUseError(f"expected a time zone such as Europe/Berlin, found {timezone!r}")
    for path in file or []:
        if not path.exists():
            raise typer.BadParameter(f"{path} does not exist", param_hint="FILE")
    if source is not None and not file:
        raise WrongUseError("expected the FILE of an inventory beside --source, found none")
    asked = file or [], source
    found = _figures(load(), asked, (begin, end), timezone, topic=from_topic)
    if json:
        print_json(found)
    else:
        show(found)


def _figures(
    settings: "Settings",
    inventory: tuple[list[Path], str | None],
    span: tuple[int, int],
    zone: str,
    *,
    topic: bool,
) -> "DryRunFigures":
    from portquorum.dry_run import history
    from portquorum.dry_run.figures import DryRunAbout, figures
    from portquorum.dry_run.simulation import SimulatedNotifier, simulate
    from sinks.notifier.channels.classes import class_of
    from sinks.notifier.routing import Routes

    begin, end = span
    present, sent = asyncio.run(_read(settings))
    wanted = history.wanted(present, *inventory)
    past = history.in_order(_events(settings, begin, end, topic=topic), begin)
    events = history.as_defined(past.events, wanted.changed)
    notifier = SimulatedNotifier(
        routes=Routes.of(wanted.policy),
        facts=history.facts_by_id(wanted.targets.values()),
        class_of=class_of,
        group_wait_ms=round(settings.group_wait_s * 1000),
        group_interval_ms=round(settings.group_interval_s * 1000),
        mass_share=settings.mass_share,
    )
    told = simulate(notifier, events, end)
    channels = {one.channel for one in told.deliveries}
    about = DryRunAbout(
        since=begin,
        until=end,
        zone=zone,
        incidents=past.incidents,
        events=len(events),
        left_out=past.left_out,
    )
    classes = {channel.id: class_of(channel) for channel in channels}
    return figures(about, told, classes, None if sent is None else _within(sent, begin, end))


async def _read(settings: "Settings") -> tuple["Present", list["Notification"] | None]:
    from foundation import kafka
    from portquorum.delivery.reading import read_sent
    from portquorum.inventory import present

    await kafka.check_topics(settings)
    there, sent = await asyncio.gather(present.read(settings), read_sent(settings))
    return there, sent


def _within(sent: Iterable["Notification"], begin: int, end: int) -> list["Notification"] | None:
    """The entries of that time; None if the log has nothing as old."""
    rows = list(sent)
    if not rows:
        return None
    return [row for row in rows if begin <= row.at < end]


def _events(settings: "Settings", begin: int, end: int, *, topic: bool) -> list["Event"]:
    """The events of ClickHouse; those of the topic if it can't be asked, and a note says so."""
    from clickhouse_connect.driver.exceptions import Error

    from portquorum.cli import asking
    from portquorum.cli.errors import explain
    from portquorum.dry_run import history

    if not topic:
        try:
            return history.from_tables(asking.connect(settings), begin, end)
        except Error as error:
            why, _ = explain(error)
            print_notes([f"the events are those of the topic, of 90 days: {why}"])
    return asyncio.run(history.from_topic(settings, begin, end))
