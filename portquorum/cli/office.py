"""What `portquorum user` and `token` have in common: the office over Kafka, and its errors."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final, TypeVar, get_args

import typer

from portquorum.cli.options import user_name
from schemas.plain_text import one_line
from schemas.web import Scope

if TYPE_CHECKING:
    from foundation.settings import Settings
    from portquorum.access.principal import Principal
    from portquorum.changing.office import Office

T = TypeVar("T")

Names = list[str] | None
ScopeOption = Annotated[
    str | None,
    typer.Option(
        "--scope",
        metavar="SCOPE",
        help="viewer (reads), operator (acknowledges, silences, pauses) or admin (all).",
    ),
]
Team = Annotated[
    Names,
    typer.Option("--team", metavar="TEAM", help="Changes targets of this team alone; repeatable."),
]
Tag = Annotated[
    Names,
    typer.Option("--tag", metavar="TAG", help="Changes targets with this tag alone; repeatable."),
]

_WRONG: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.PRECONDITION_FAILED)


def asked(work: "Callable[[Office, Principal], Awaitable[T]]") -> T:
    """Runs `work` with an office over Kafka, in the name of who runs the command, as an admin.

    Whoever can write the topic [web] can do all of it anyway.

    Raises:
        WrongUseError, TroubleError: it was not done; the text says why.
        aiokafka.errors.KafkaError, OSError: Kafka can't be reached.
    """
    from foundation.settings import load

    with sentences():
        return asyncio.run(_asked(load(), work))


async def _asked(settings: "Settings", work: "Callable[[Office, Principal], Awaitable[T]]") -> T:
    from foundation import kafka
    from portquorum.access.principal import Principal
    from portquorum.journal.journal import opened
    from portquorum.web.office.office import RecordsOffice

    await kafka.create_topics(settings)  # at once an error if Kafka is away
    who = Principal(name=one_line(user_name())[:255], scope="admin", via="local")
    async with opened(settings) as journal:
        return await work(RecordsOffice(journal), who)


@contextmanager
def sentences() -> Iterator[None]:
    """Turns a refusal of a change into the sentence and exit code of a command."""
    from portquorum.changing.errors import ChangeError
    from portquorum.cli.errors import TroubleError, WrongUseError

    try:
        yield
    except ChangeError as error:
        kind = WrongUseError if error.status in _WRONG else TroubleError
        raise kind(error.detail) from error


def scope_of(text: str | None) -> Scope | None:
    """A scope that was asked for; None: none was.

    Raises:
        typer.BadParameter: there is no such scope.
    """
    known: Sequence[Scope] = get_args(Scope)
    if text is None:
        return None
    found = next((one for one in known if one == text), None)
    if found is None:
        raise typer.BadParameter(
            f"expected {', '.join(known)}, found {text!r}", param_hint="--scope"
        )
    return found


def limits_of(teams: Sequence[str], tags: Sequence[str]) -> str:
    """The limits in a table."""
    return ", ".join([*teams, *(f"tag {tag}" for tag in tags)]) or "none"


def day(at: int | None, otherwise: str) -> str:
    """The date of UTC ms."""
    return otherwise if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}"
