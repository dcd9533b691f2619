"""`portquorum events`: what is on the topic [incidents]."""

import asyncio
import contextlib
import errno
import os
import select
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from portquorum.cli.options import examples
from portquorum.presentation.output import err, out, print_notes

if TYPE_CHECKING:
    from foundation.settings import Settings
    from portquorum.cli.events_shown import EventPrinter
    from portquorum.events.event_log import EventLog, Message
    from portquorum.events.message import EventMessage, KafkaRecord
    from portquorum.events.selection import EventSelection

HELP = examples(
    "portquorum events",
    "portquorum events --follow",
    "portquorum events --since 7d --type opened --team database",
    "portquorum events --open",
    "portquorum events -f --json | jq -c '{type, subject, summary: .data.summary}'",
)

LIMIT: Final = 20
BEGINNING: Final = "beginning"
NOW: Final = "now"
_SPARE: Final = 100
_LOOK_EVERY_S: Final = 1.0
_STALLED_S: Final = 60.0


def events(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Then show each new event, until Ctrl-C.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="All from 2026-11-20T14:00 (UTC), or 30m, 2h, 3d ago, or the beginning; "
            "with --follow also now: nothing of the past.",
        ),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="All before this time.")] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="Only of this type: opened, incident.opened, region.*, "
            "portquorum.incident.opened.v1.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="TARGET",
            help="A target's id, its host:port, or a part of its id, name or host.",
        ),
    ] = None,
    team: Annotated[
        list[str] | None, typer.Option(metavar="TEAM", help="Only of this team.")
    ] = None,
    only_open: Annotated[
        bool,
        typer.Option("--open", help="The newest event of each incident that is open now."),
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2**31 - 1,
            metavar="N",
            help=f"The newest N; 0: all; default: {LIMIT}, or all with --since, --until or --open.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="One CloudEvent in JSON on each line.")
    ] = False,
) -> None:
    """Show what is on the topic of incidents, the oldest first: the newest 20 events, or all.

    Needs Kafka alone, and leaves no consumer group behind. An event that came twice is shown once;
    --json shows all that is there, in the form that a subscriber would get over HTTP (CloudEvents,
    structured mode). What can't be read is named on standard error. With --open exit code 1 if an
    incident is open.
    """
    from foundation.settings import load
    from portquorum.cli import time_argument
    from portquorum.cli.errors import WrongUseError
    from portquorum.cli.events_shown import EventPrinter
    from portquorum.events.selection import KNOWN_TYPES, EventSelection, unknown_types

    if only_open and (follow or since is not None or until is not None):
        raise WrongUseError("expected --open or a time or --follow, found both")
    if since == NOW and not follow:
        raise WrongUseError("expected --follow with --since now, found no --follow")
    if follow and until is not None:
        raise WrongUseError("expected --until or --follow, found both")
    now = time.time_ns() // 1_000_000
    wanted = EventSelection(
        types=tuple(type_ or ()),
        target=(target or "").strip(),
        teams=tuple(team or ()),
        since=0 if since in (None, BEGINNING, NOW) else time_argument.parse_ms(since or "", now),
        until=None if until is None else time_argument.parse_ms(until, now),
    )
    print_notes(
        f"no event of this version has the type {one!r}; it knows {', '.join(KNOWN_TYPES)}"
        for one in unknown_types(wanted.types)
    )
    if limit is None:
        limit = 0 if since is not None or until is not None or only_open else LIMIT
    printer = EventPrinter(json=json)
    settings = load()
    if only_open:
        asyncio.run(_open(settings, wanted, limit, printer))
        if not printer.shown and not json:
            out().print(Text("no such incident is open", style="green"))
        raise typer.Exit(1 if printer.shown else 0)
    newest = _spared_reading(wanted, limit) if since != NOW else 0
    asyncio.run(_events(settings, wanted, limit, printer, newest=newest, follow=follow))
    if not printer.shown and not json:
        out().print(Text("no such event"))


async def _events(
    settings: "Settings",
    wanted: "EventSelection",
    limit: int,
    printer: "EventPrinter",
    *,
    newest: int | None,
    follow: bool,
) -> None:
    from aiokafka.errors import TopicAuthorizationFailedError

    from portquorum.cli.errors import TroubleError
    from portquorum.events.event_log import EventLog, TopicMissingError
    from schemas import topics

    topic = settings.topic(topics.INCIDENTS.name)
    try:
        async with EventLog(settings, topic) as log:
            more = await _past(log, wanted, limit, printer, newest)
            if follow:
                await _follow(log, wanted, printer)
            elif more and printer.shown:
                words = (
                    f"the newest {printer.shown}; --limit 0 shows all, --since 1d those of a day"
                )
                err().print(Text(words, style="dim"))
    except TopicMissingError as error:
        raise TroubleError(_no_topic(topic)) from error
    except TopicAuthorizationFailedError as error:
        raise TroubleError(_no_right(topic)) from error


def _spared_reading(wanted: "EventSelection", limit: int) -> int | None:
    """How many of the newest messages of each partition have to be read; None: all."""
    if not limit or wanted.by_content or wanted.until is not None:
        return None
    return 2 * limit + _SPARE  # of these some may be repeated or unreadable


async def _past(
    log: "EventLog",
    wanted: "EventSelection",
    limit: int,
    printer: "EventPrinter",
    newest: int | None,
) -> bool:
    """Shows what is there now: the newest `limit` events in question, or all of them if it is 0.

    Returns:
        True if there are older ones.
    """
    from portquorum.cli.progress import bar

    ends = await log.ends()
    starts = await log.starts(since=wanted.since, newest=newest)
    kept: deque[EventMessage] = deque(maxlen=limit or None)
    total = sum(ends[part] - start for part, start in starts.items())
    more = newest is not None and any(starts.values())
    with bar() as progress:
        task = progress.add_task("events", total=total)
        async for message in log.past(starts, ends, lambda n: progress.advance(task, n)):
            event = _asked(message, wanted, printer)
            if event is None:
                continue
            if limit:
                more = more or len(kept) == limit
                kept.append(event)
                continue
            if sys.stdout.isatty():
                progress.stop()
            printer.show(event)
    for event in kept:
        printer.show(event)
    printer.sum_up()
    printer.flush()
    return more


async def _follow(log: "EventLog", wanted: "EventSelection", printer: "EventPrinter") -> None:
    if err().is_terminal:
        err().print(Text("waiting for events; Ctrl-C ends", style="dim"))
    work = (
        asyncio.create_task(_show_changes(log, wanted, printer)),
        asyncio.create_task(log.watch(lambda words: print_notes((words,)))),
        asyncio.create_task(_reader_gone()),
    )
    try:  # no task group: an error of one task shall not arrive in a group of errors
        ended, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        for one in ended:
            one.result()
    finally:
        for one in work:
            one.cancel()
        await asyncio.wait(work)


async def _show_changes(log: "EventLog", wanted: "EventSelection", printer: "EventPrinter") -> None:
    async for messages in log.changes():
        for message in messages:
            event = _asked(message, wanted, printer)
            if event is not None:
                printer.show(event)
        printer.sum_up()
        printer.flush()


async def _open(
    settings: "Settings", wanted: "EventSelection", limit: int, printer: "EventPrinter"
) -> None:
    """Shows the newest event of each open incident; they are in the order of their openings."""
    from aiokafka.errors import TopicAuthorizationFailedError

    from foundation import kafka
    from portquorum.cli.errors import TroubleError
    from portquorum.events.message import read
    from schemas import topics

    topic = settings.topic(topics.INCIDENTS_OPEN.name)
    # An incident's records lie in one partition: what another has under its key is somebody else's.
    newest: dict[tuple[int, bytes | None], KafkaRecord] = {}
    try:
        async with kafka.Follower(settings, topic) as follower:
            async for record in follower.present(stalled_s=_STALLED_S):
                place = record.partition, record.key
                if record.value is None:
                    newest.pop(place, None)
                else:
                    newest[place] = record
    except LookupError as error:
        raise TroubleError(_no_topic(topic)) from error
    except TopicAuthorizationFailedError as error:
        raise TroubleError(_no_right(topic)) from error
    except TimeoutError as error:
        raise TroubleError(
            f"topic {topic}: expected messages up to its end, got none for {_STALLED_S:.0f} s; "
            "`portquorum health` says whether Kafka works"
        ) from error
    found = [_asked(read(one), wanted, printer) for one in newest.values()]
    events = sorted(filter(None, found), key=lambda one: one.opened_at)
    for event in events[-limit:]:
        printer.show(event)
    printer.sum_up()
    printer.flush()


def _asked(
    message: "Message", wanted: "EventSelection", printer: "EventPrinter"
) -> "EventMessage | None":
    """The event, if it is asked for and was not shown; None for others and the unreadable."""
    from portquorum.events.message import UnreadableMessage

    if isinstance(message, UnreadableMessage):
        if wanted.covers(message.at):
            printer.leave_out(message)
        return None
    return message if wanted.takes(message) and printer.is_new(message) else None


def _no_topic(topic: str) -> str:
    return (
        f"expected the topic {topic}, found none that this user may see: `portquorum up`, "
        "`portquorum inventory apply` or a role makes it; if it has another prefix, set "
        "PORTQUORUM_TOPIC_PREFIX to it"
    )


def _no_right(topic: str) -> str:
    return (
        f"expected the right READ on topic {topic}, found none: whoever runs Kafka grants it to "
        "the user of PORTQUORUM_KAFKA_USERNAME; no right on a group is needed"
    )


async def _reader_gone() -> None:
    """Raises `BrokenPipeError` when nobody reads standard output any more, as after `| head -1`."""
    look = select.poll()
    # Without a descriptor (a test's buffer) there is no reader to wait for.
    with contextlib.suppress(OSError, ValueError):
        look.register(sys.stdout.fileno(), 0)
    while True:
        if any(event & select.POLLERR for _, event in look.poll(0)):
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        await asyncio.sleep(_LOOK_EVERY_S)
