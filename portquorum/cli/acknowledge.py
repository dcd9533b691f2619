"""`ack` and `resolve`: a person's decision on an incident, as a control record on [results]."""

import asyncio
import getpass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from portquorum.cli.options import examples
from portquorum.presentation.output import out
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from foundation.settings import Settings
    from schemas.control import Acknowledged, Resolved
    from sinks.clickhouse.queries import Incident

ACK_HELP = examples(
    "portquorum ack 3f2c9a1e", 'portquorum ack 3f2c9a1e --note "the disk is full, I am on it"'
)
RESOLVE_HELP = examples('portquorum resolve 3f2c9a1e --note "host is gone for good"')

Id = Annotated[
    str, typer.Argument(metavar="ID", help="The incident's id, or its first characters.")
]
By = Annotated[
    str | None, typer.Option(metavar="WHO", help="Who says so; default: the user's name.")
]
Note = Annotated[str | None, typer.Option(metavar="TEXT", help="What others should know.")]


def ack(incident: Id, by: By = None, note: Note = None) -> None:
    """Say that you have seen an open incident."""
    from foundation.settings import load
    from schemas.control import Acknowledged

    settings = load()
    one = _find(settings, incident)
    record = Acknowledged(
        target=one.target, incident_id=one.incident_id, by=by or _user(), note=note
    )
    asyncio.run(_send(settings, one, record))
    out().print(_said("acknowledged", one.name, record.by))


def resolve(incident: Id, by: By = None, note: Note = None) -> None:
    """Close an open incident by hand.

    None opens again for the same outage: only after the regions have agreed once that it is over.
    """
    from foundation.settings import load
    from schemas.control import Resolved

    settings = load()
    one = _find(settings, incident)
    record = Resolved(target=one.target, incident_id=one.incident_id, by=by or _user(), note=note)
    asyncio.run(_send(settings, one, record))
    out().print(_said("resolved", one.name, record.by))


def _said(what: str, name: str, by: str) -> Text:
    return Text.assemble((what, "green"), one_line(f" {name} by {by}"))


def _find(settings: "Settings", text: str) -> "Incident":
    from foundation import clickhouse
    from portquorum.cli.errors import TroubleError, WrongUseError
    from sinks.clickhouse import queries

    found = queries.open_incidents(clickhouse.connect(settings))
    matching = [one for one in found if one.incident_id.startswith(text.lower())]
    if not matching:
        raise TroubleError(
            f"no open incident has an id that begins with {text!r}; "
            "`portquorum incidents --open` lists them"
        )
    if len(matching) > 1:
        raise WrongUseError(
            f"{len(matching)} open incidents have ids that begin with {text!r}; type more of it"
        )
    return matching[0]


async def _send(settings: "Settings", one: "Incident", record: "Acknowledged | Resolved") -> None:
    import msgspec

    from foundation import kafka
    from portquorum.cli.errors import WrongUseError
    from schemas import control, topics
    from schemas.partition import host_key, partition_for

    headers = control.headers(record)
    try:
        control.decode(headers[0][1])
    except msgspec.ValidationError as error:
        raise WrongUseError(f"{error}; write a shorter --by or --note") from error
    await kafka.check_topics(settings)
    producer = kafka.producer(settings)
    await producer.start()
    try:
        await producer.send_and_wait(
            settings.topic(topics.RESULTS.name),
            b"",
            partition=partition_for(host_key(one.host or None, one.target), settings.partitions),
            headers=headers,
        )
    finally:
        await producer.stop()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
