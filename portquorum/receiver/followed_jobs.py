"""The heartbeats of [targets], followed by this process."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from msgspec import Struct

from foundation.kafka import Follower
from foundation.log_throttle import LogThrottle
from foundation.settings import Settings
from foundation.telemetry import logger
from portquorum.receiver.jobs import JobBook
from portquorum.receiver.report import Job
from schemas import target, topics
from schemas.json_decoder import DECODE_ERRORS

AGAIN_S: Final = 1.0
STALLED_S: Final = 60.0
HEARTBEAT: Final = "heartbeat"

_log = logger(__name__)


class _Kind(Struct, gc=False):
    """The one field by which most records are left out, without decoding the others."""

    kind: str


_kind = msgspec.json.Decoder(_Kind)


class FollowedJobs:
    """See `portquorum.receiver.jobs.Jobs`; `run` must run."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._book = JobBook()
        self.present = asyncio.Event()
        """Set once [targets] was read up to its end."""
        self._throttle: LogThrottle[str] = LogThrottle()

    @property
    def is_present(self) -> bool:
        return self.present.is_set()

    @property
    def enabled(self) -> int:
        return self._book.enabled

    def get(self, job_id: str) -> Job | None:
        return self._book.get(job_id)

    def named(self, slug: str) -> Sequence[Job]:
        return self._book.named(slug)

    def keyed(self, key: str) -> Sequence[Job]:
        return self._book.keyed(key)

    async def run(self) -> None:
        """Follows until cancelled; an absent broker is waited for."""
        topic = self._settings.topic(topics.TARGETS.name)
        while True:
            try:
                async with Follower(self._settings, topic) as follower:
                    book = PlacedJobs()
                    async for record in follower.present(stalled_s=STALLED_S):
                        book.apply(record)
                    self._book = book
                    self.present.set()
                    async for record in follower.changes():
                        book.apply(record)
            except (KafkaError, OSError, LookupError) as error:
                if isinstance(error, (KeyError, IndexError)):
                    raise  # not a missing topic, but a fault of ours
                if self._throttle.times("follow"):
                    _log.warning("can't follow the targets", error=str(error))
            await asyncio.sleep(AGAIN_S)


class PlacedJobs(JobBook):
    """The jobs of all partitions of [targets].

    A target that becomes another kind moves to another partition, and the removal from the old one
    may come later: it removes only what is there.
    """

    def __init__(self) -> None:
        super().__init__()
        self._partitions: dict[str, int] = {}

    def apply(self, record: ConsumerRecord) -> None:
        """Applies a record of [targets]; what can't be read changes nothing."""
        if record.key is None:
            return
        job_id = bytes(record.key).decode(errors="replace")
        try:
            found = None if record.value is None else _heartbeat(record.value)
        except DECODE_ERRORS:
            return
        if found is None:
            if self._partitions.get(job_id) == record.partition:
                del self._partitions[job_id]
                self.remove(job_id)
        elif found.id == job_id:
            self._partitions[job_id] = record.partition
            self.put(found)


def _heartbeat(value: bytes) -> Job | None:
    """The job of a record; None: it is another kind of target.

    Raises:
        one of DECODE_ERRORS: it is no target.
    """
    if _kind.decode(value).kind != HEARTBEAT:
        return None
    found = target.decode(value)
    return Job(
        id=found.id,
        name=found.name,
        team=found.team,
        tags=found.tags,
        version=found.version,
        enabled=found.enabled,
    )
