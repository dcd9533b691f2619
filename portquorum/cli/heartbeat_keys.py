"""The keys of heartbeats over Kafka, for commands; the page need not run."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from portquorum.cli.office import sentences
from portquorum.cli.options import user_name
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from foundation.settings import Settings
    from portquorum.access.principal import Principal
    from portquorum.changing.keys import KeyShown, WantedKey
    from portquorum.sharing.share_keys import ShareKeys
    from schemas.target import Target

T = TypeVar("T")


def added(wanted: "WantedKey") -> "KeyShown":
    """Makes a key, in the name of who runs the command.

    Raises:
        WrongUseError, TroubleError: it was not done; the text says why.
        aiokafka.errors.KafkaError, OSError: Kafka can't be reached.
    """

    async def work(share_keys: "ShareKeys", who: "Principal", settings: "Settings") -> "KeyShown":
        target = None if wanted.about is None else await _target(settings, wanted.about)
        return await share_keys.add(who, wanted, target)

    return _with_keys(work)


def listed(about: str | None) -> "Sequence[KeyShown]":
    """The keys of reports, of one heartbeat or (None) all.

    Raises:
        TroubleError, KafkaError, OSError: as of `added`.
    """

    async def work(share_keys: "ShareKeys", _: "Principal", __: "Settings") -> "Sequence[KeyShown]":
        return share_keys.listed("ping", about)

    return _with_keys(work)


def revoked(ids: Sequence[str]) -> None:
    """Revokes keys; none of them if one is not there.

    Raises:
        TroubleError, KafkaError, OSError: as of `added`.
    """

    async def work(share_keys: "ShareKeys", who: "Principal", _: "Settings") -> None:
        from portquorum.cli.errors import TroubleError

        missing = [one for one in ids if share_keys.get(one) is None]
        if missing:
            text = one_line(missing[0])[:20]
            raise TroubleError(f"there is no key {text}; `portquorum heartbeat key list`")
        for one in ids:
            await share_keys.revoke(who, one)

    _with_keys(work)


def address_of(made: "KeyShown", url: str | None) -> str:
    """The whole address of a key that was just made; `url` is where the receivers are.

    Without one that is the page, which takes reports, too.
    """
    from portquorum.sharing.addresses import path_of
    from portquorum.supervisor.running import page_address

    return f"{(url or page_address()).rstrip('/')}{path_of(made)}"


def _with_keys(work: "Callable[[ShareKeys, Principal, Settings], Awaitable[T]]") -> T:
    from foundation.settings import load

    with sentences():
        return asyncio.run(_asked(load(), work))


async def _asked(
    settings: "Settings", work: "Callable[[ShareKeys, Principal, Settings], Awaitable[T]]"
) -> T:
    from foundation import kafka
    from portquorum.access.principal import Principal
    from portquorum.journal.journal import opened
    from portquorum.sharing.share_keys import ShareKeys

    await kafka.create_topics(settings)  # at once an error if Kafka is away
    who = Principal(name=one_line(user_name())[:255], scope="admin", via="local")
    async with opened(settings) as journal:
        return await work(ShareKeys(journal), who, settings)


async def _target(settings: "Settings", target_id: str) -> "Target | None":
    from portquorum.editing.published import ReadTopics

    published = ReadTopics(settings)
    await published.caught_up()
    placed = published.placed(target_id)
    return placed[0].target if placed else None
