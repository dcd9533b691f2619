"""The first step of each role: waits for the cluster, its topics, and the rights to use them."""

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Final

from aiokafka.errors import KafkaError

from foundation.backoff import Backoff
from foundation.kafka.authorized import Allowed, RightsError, allowed
from foundation.kafka.rights import Right
from foundation.kafka.topics import create_topics, lone_copies
from foundation.kafka.trouble import explained
from foundation.kafka.trouble_watch import watch
from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from foundation.telemetry import logger

_BACKOFF: Final = Backoff(first_s=0.25, longest_s=5.0)

AGAIN_S: Final = 60.0
"""How often the reason of a wait is looked for and said again, in s."""

_RIGHTS_SAID: Final = LogThrottle[str](600.0)
_REASONS_SAID: Final = LogThrottle[str](AGAIN_S / 2)
"""Several parts of a process may wait for the same rights, and for the same cluster."""


async def topics_ready(settings: Settings, rights: Iterable[Right] = ()) -> Allowed:
    """Returns when all topics exist and fit, and no right is missing without which nothing works.

    Waits for an absent broker, and for rights. Logs why it waits, for a broker again once a minute,
    and that the wait is over. Returns what the broker allows, for those of `rights` that the role
    can do without. Later troubles of the process with Kafka are said in the same way
    (trouble_watch.py). Cancel it to give up.

    Raises:
        TopicMismatchError: the cluster's topics are not those of the settings.
        SettingsError: a file of the settings can't be used.
    """
    watch(settings)
    library = logging.getLogger("aiokafka")
    level = library.level
    library.setLevel(logging.CRITICAL)  # it reports each refused connection; we log it once
    try:
        return await _wait(settings, tuple(rights))
    finally:
        library.setLevel(level)


async def _wait(settings: Settings, rights: tuple[Right, ...]) -> Allowed:
    wait_s: float | None = None
    wait = _Wait(settings)
    while True:
        try:
            found = await _begin(settings, rights)
            remark = await lone_copies(settings)
        except (KafkaError, OSError) as error:
            await wait.say(error)
        else:
            wait.over()
            if remark is not None:
                logger(__name__).warning("topics have one copy", remark=remark)
            return found
        wait_s = _BACKOFF.next(wait_s)
        await asyncio.sleep(wait_s)


class _Wait:
    """What is said of a wait: of the cluster once a minute, of rights when they change."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._log = logger(__name__)
        self._said_at: float | None = None
        self._reason = ""
        self._rights = ""

    async def say(self, error: KafkaError | OSError) -> None:
        """The reason of the wait."""
        if isinstance(error, RightsError):
            if self._rights != str(error) and _RIGHTS_SAID.times(str(error)):
                self._log.warning("waiting for rights", problem=str(error))
            self._rights = str(error)
        elif self._said_at is None or time.monotonic() - self._said_at >= AGAIN_S:
            why = await explained(self._settings, error)
            if _REASONS_SAID.times(why):
                self._log.warning("waiting for Kafka", servers=self._settings.kafka, error=why)
            self._said_at, self._reason = time.monotonic(), why

    def over(self) -> None:
        """Says so, if a wait was said."""
        if self._said_at is not None and _REASONS_SAID.forget(self._reason):
            self._log.info("Kafka is there", servers=self._settings.kafka)
        if self._rights:
            self._log.info("the rights are there")
            _RIGHTS_SAID.forget(self._rights)


async def _begin(settings: Settings, rights: tuple[Right, ...]) -> Allowed:
    """What is allowed, when the topics are there, and what nothing works without.

    Raises:
        RightsError: names all rights that are missing and needed.
    """
    unseen: tuple[Right, ...] = ()
    try:
        await create_topics(settings)
    except RightsError as error:
        unseen = error.missing
    found = await allowed(settings, rights) if rights else Allowed()
    missing = [one for one in found.missing(rights) if one.without is None and one not in unseen]
    if unseen or missing:
        raise RightsError(settings, [*unseen, *missing])
    return found
