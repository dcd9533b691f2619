"""What others ask of the journal."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from msgspec import Struct

from schemas.web import Single, Versioned, Web

V = TypeVar("V", bound=Versioned)
S = TypeVar("S", bound=Single)


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of an edit; `version` is the one that counts now (0: there is no object)."""

    accepted: bool
    version: int


class Place(Struct, frozen=True, kw_only=True, order=True):
    """Where the record that counts lies: its offset, and the broker's time of it (UTC ms)."""

    offset: int
    at: int


class Book(Protocol):
    """All records that count, in memory; answers at once.

    The id of a record is its `schemas.web.identity` without the kind: a user's name, a session's
    digest, `ID.PART` of a claim.
    """

    @property
    def clock(self) -> int:
        """The broker's time of the newest record of the topic, UTC ms; 0: the topic is empty."""

    def get(self, kind: type[V], name: str) -> V | None:
        """An object by its id (name, key), None: there is none, or it was removed."""

    def version(self, kind: type[V], name: str) -> int:
        """The newest version, of a removed object too; 0: there never was one."""

    def all(self, kind: type[V]) -> Mapping[str, V]:
        """All objects of a kind by id, without removed ones."""

    def one(self, kind: type[S], name: str) -> S | None:
        """A single record by its id."""

    def every(self, kind: type[S]) -> Mapping[str, S]:
        """All single records of a kind by id, in the order of their offsets."""

    def place(self, kind: type[Web], name: str) -> Place | None:
        """Where the record that counts is, of a removed object too; None: there is none."""


class Journal(Protocol):
    """One for each process; follows [web] from `run` on."""

    @property
    def book(self) -> Book:
        """Empty until `is_present`."""

    @property
    def is_present(self) -> asyncio.Event:
        """Set once the topic has been read up to its end."""

    def on_change(self, told: Callable[[Web | None, str], None]) -> None:
        """Calls `told(record, identity)` after each record that changed the book.

        The record is None when the object or record is gone. What was there when the topic had
        first been read up is not told: look at the book once `is_present` is set.
        """

    async def run(self) -> None:
        """Follows without end; cancel the task to stop. Waits for a broker that is away."""

    async def caught_up(self) -> None:
        """Returns when the book has all that was confirmed before the call.

        Raises:
            foundation.kafka errors (KafkaError, OSError, TimeoutError): Kafka is away.
        """

    async def edit(self, edits: Sequence[Versioned]) -> tuple[Outcome, ...]:
        """Writes edits and reads them back; on return each one counts or was refused.

        Each is for itself. The order in the topic is that of `edits`, and no record of another
        writer of this process lies between.

        Raises:
            KafkaError, OSError, TimeoutError: some may be written; `caught_up` and look.
        """

    async def put(self, records: Sequence[Single]) -> None:
        """Writes single records and reads them back.

        Raises:
            KafkaError, OSError, TimeoutError: some may be written.
        """

    async def drop(self, records: Iterable[tuple[type[Single], str]]) -> None:
        """Removes single records by kind and id, and reads that back.

        Raises:
            KafkaError, OSError, TimeoutError: some may be removed.
        """
