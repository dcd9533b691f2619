"""Who has an id: a file or the page. Never both.

An apply claims, in [web], the ids that are new to its source, reads [web] up to its end, and stops
if the page has one of them. The page writes an edit, reads [web] up to it, and stops if an apply
has claimed the id before. Both logs are one, so at least one of two sees the other.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from foundation.kafka import Follower
from foundation.settings import Settings
from portquorum.inventory import present as presents
from portquorum.inventory.errors import ApplyError
from portquorum.journal.book import PageBook, single_key
from schemas import topics, web
from schemas.policy import WEB
from schemas.web import CLAIM_MS, Claim, WrittenTarget

IDS: Final = 1_000
"""Ids of one record."""

_SHOWN: Final = 5


@asynccontextmanager
async def claimed(
    settings: Settings, producer: AIOKafkaProducer, source: str, targets: Sequence[str]
) -> AsyncIterator[None]:
    """Holds ids that a source is about to add; asks and writes nothing if there are none.

    Raises:
        ApplyError: the page has one of them, or is about to write it; nothing was changed.
        aiokafka.errors.KafkaError: the cluster can't be reached.
    """
    if not targets:
        yield
        return
    try:
        follower = await Follower(settings, settings.topic(topics.WEB.name)).__aenter__()
    except LookupError:  # a cluster without a page
        yield
        return
    nonce = secrets.token_hex(8)
    claims = [
        Claim(id=nonce, source=source, targets=tuple(targets[at : at + IDS]), part=part)
        for part, at in enumerate(range(0, len(targets), IDS))
    ]
    dropped = {single_key(Claim, f"{nonce}.{one.part}"): None for one in claims}
    try:
        await _written(settings, producer, {web.key(one): web.encode(one) for one in claims})
        book = await _book(follower)
    finally:
        await follower.__aexit__(None, None, None)
    try:
        _must_be_free(book, targets)
        await _must_be_gone(settings, book, targets)
        yield
    except KafkaError:  # they end by themselves
        raise
    except BaseException:
        await _written(settings, producer, dropped)
        raise
    await _written(settings, producer, dropped)


async def _written(
    settings: Settings, producer: AIOKafkaProducer, records: Mapping[bytes, bytes | None]
) -> None:
    topic = settings.topic(topics.WEB.name)
    waiting = [
        await producer.send(topic, value, key=key, partition=0) for key, value in records.items()
    ]
    await asyncio.gather(*waiting)


async def _book(follower: Follower) -> PageBook:
    """What [web] has, up to its end."""
    book = PageBook()
    async for record in follower.present():
        if record.key is not None:
            book.apply(record.key, record.value, record.offset, max(record.timestamp, 0))
    return book


def _must_be_free(book: PageBook, targets: Sequence[str]) -> None:
    owned = [name for name in targets if book.get(WrittenTarget, name) is not None]
    if owned:
        raise ApplyError(owned_text(owned) + "; nothing was changed")
    wanted = frozenset(targets)
    for name, claim in book.every(Claim).items():
        place = book.place(Claim, name)
        young = place is not None and book.clock < place.at + CLAIM_MS
        if claim.source == WEB and young and not wanted.isdisjoint(claim.targets):
            which = next(one for one in claim.targets if one in wanted)
            raise ApplyError(
                f"the page is changing the target {which!r} right now; nothing was changed: "
                "apply again",
                again=True,
            )


async def _must_be_gone(settings: Settings, book: PageBook, targets: Sequence[str]) -> None:
    """What the page has removed may still stand in [targets], later than it was read there."""
    removed = {name for name in targets if book.version(WrittenTarget, name)}
    if not removed:
        return
    for placed in await presents.read_targets(settings):
        if placed.target.source == WEB and placed.target.id in removed:
            raise ApplyError(
                f"the page is removing the target {placed.target.id!r} right now; nothing was "
                "changed: apply again",
                again=True,
            )


def owned_text(owned: Sequence[str]) -> str:
    """Whose ids they are, and what to do."""
    shown = ", ".join(owned[:_SHOWN]) + (", …" if len(owned) > _SHOWN else "")
    what = f"the target {shown} belongs" if len(owned) == 1 else f"the targets {shown} belong"
    return (
        f"{what} to the page's own inventory: to have them in a file, export them (portquorum "
        "inventory export), remove them there (portquorum target remove), and apply again; or "
        "give those of the file another `id:`"
    )
