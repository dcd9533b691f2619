"""The page's own inventory over Kafka, for commands; the page need not run."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from portquorum.cli.office import sentences
from portquorum.cli.options import user_name
from schemas.plain_text import one_line

if TYPE_CHECKING:
    from foundation.settings import Settings
    from portquorum.access.principal import Principal
    from portquorum.editing.page_inventory import PageInventory

T = TypeVar("T")


def edited(work: "Callable[[PageInventory, Principal], Awaitable[T]]") -> T:
    """Runs `work` with the page's own inventory, in the name of who runs the command.

    Raises:
        WrongUseError, TroubleError: it was not done; the text says why.
        aiokafka.errors.KafkaError, OSError: Kafka can't be reached.
    """
    from foundation.settings import load

    with sentences():
        return asyncio.run(_edited(load(), work))


async def _edited(
    settings: "Settings", work: "Callable[[PageInventory, Principal], Awaitable[T]]"
) -> T:
    from foundation import kafka
    from portquorum.access.principal import Principal
    from portquorum.editing.page_inventory import page_inventory
    from portquorum.editing.published import ReadTopics
    from portquorum.journal.journal import opened

    await kafka.create_topics(settings)  # at once an error if Kafka is away
    who = Principal(name=one_line(user_name())[:255], scope="admin", via="local")
    published = ReadTopics(settings)
    await published.caught_up()
    async with opened(settings) as journal:
        inventory = page_inventory(settings, journal, published)
        try:
            return await work(inventory, who)
        finally:
            await inventory.close()
