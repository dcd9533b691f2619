"""The broker, the stream and `inventory apply` in virtual time, with their own code.

What a recorded log needs of Kafka is told again here: offsets, append times, partitions.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from pathlib import Path

import yaml
from msgspec import Struct

from portquorum.inventory import plan as plans
from portquorum.inventory.load import load
from portquorum.inventory.present import Placed, PolicyKept, Present
from portquorum.inventory.publish import _Writer
from portquorum.inventory.resolve import resolve
from schemas import control, incident, policy, recheck, target, topics
from schemas.control import Control
from schemas.incident import IncidentEvent
from schemas.partition import host_key, partition_for
from schemas.recheck import RecheckRequest
from schemas.target import Target
from streams.rules.process import step
from streams.state.partition_state import new_state
from tests.golden.container import Message
from tests.golden.saving import SETTINGS, saved

PARTITIONS = SETTINGS.partitions

Headers = Iterable[tuple[str, bytes]]


class Stage:
    """All topics. `now` is the broker's clock, UTC ms; the stream applies what is appended."""

    def __init__(self, now: int, inventories: Path) -> None:
        self.now = now
        self._inventories = inventories
        self._applies = 0
        self.topics: dict[str, list[list[Message]]] = {
            topic.name: [[] for _ in range(topic.partition_count(PARTITIONS))]
            for topic in topics.ALL
        }
        self.states = [new_state(number, PARTITIONS) for number in range(PARTITIONS)]
        self.open: dict[str, IncidentEvent] = {}
        self.requests: list[RecheckRequest] = []

    def put(self, topic: str, partition: int, key: bytes | None, value: bytes | None) -> int:
        """A message on a topic that is not [results]; returns its offset."""
        return self._append(topic, partition, key, value, ()).offset

    def append(
        self, partition: int, value: bytes | None, headers: Headers = (), key: bytes | None = None
    ) -> Message:
        """A message on [results], which the stream applies at once."""
        message = self._append("results", partition, key, value, headers)
        state = self.states[partition]
        done = step(state, message.offset, self.now, value, message.headers)
        if done.failed:
            raise RuntimeError(f"the rules failed on {message}")
        for out in done.messages:
            self._append(
                out.topic, partition, out.key, out.value, out.headers, because=message.offset
            )
            if out.topic == "rechecks":
                self.requests.append(recheck.decode(out.value))
            else:
                self._note(incident.decode(out.value))
        return message

    def control(self, partition: int, record: Control) -> Message:
        """A control record on [results]."""
        return self.append(partition, b"", control.headers(record))

    def everywhere(self, record: Control) -> None:
        """A control record on each partition."""
        for partition in range(PARTITIONS):
            self.control(partition, record)

    def last_at(self, partition: int) -> int:
        """The append time of the newest message of a partition of [results], 0 if it is empty."""
        log = self.topics["results"][partition]
        return log[-1].at if log else 0

    def open_id(self, target_id: str, incident_type: str = "unreachable") -> str:
        """The id of the open incident of a target."""
        found = [
            one.incident_id
            for one in self.open.values()
            if (one.target, one.incident_type) == (target_id, incident_type)
        ]
        if not found:
            raise LookupError(f"{target_id} has no open incident {incident_type}")
        return found[0]

    def checkpoint(self) -> list[Message]:
        """What the worker writes to [state] for all partitions now."""
        return saved(self.states, self.now)

    # The inventory

    def apply(self, document: object, name: str, source: str = "golden") -> plans.ApplyPlan:
        """What `portquorum inventory apply` does with the document at this moment."""
        self._applies += 1
        path = self._inventories / f"{self._applies:02}-{name}.yaml"
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
        path.write_text(text, encoding="utf-8")
        entries, problems = load([path])
        present = self.present()
        inventory = resolve(entries, source, problems, present.known(source))
        plan = plans.plan(inventory, present, PARTITIONS, self.now)
        asyncio.run(_Applying(SETTINGS, _Client(self), plan, lambda _done, _of: None).write())
        return plan

    def present(self) -> Present:
        """What [targets] and [policy] hold now (`portquorum.inventory.present`, told again)."""
        placed: dict[tuple[int, bytes], bytes | None] = {}
        for partition in self.topics["targets"]:
            for one in partition:
                placed[one.partition, one.key or b""] = one.value
        kept: dict[bytes, PolicyKept] = {}
        for one in self.topics["policy"][0]:
            key = one.key or b""
            kept.pop(key, None)
            if one.value:
                source = key.decode().split("/", 1)[0]
                kept[key] = PolicyKept(source, policy.decode(one.value), one.offset)
        return Present(
            tuple(Placed(target.decode(value), at) for (at, _), value in placed.items() if value),
            kept,
        )

    def targets(self) -> dict[str, Target]:
        """The definitions that hold now."""
        return {name: placed.target for name, placed in self.present().targets().items()}

    def _append(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        *,
        because: int | None = None,
    ) -> Message:
        log = self.topics[topic][partition]
        message = Message(
            partition=partition,
            offset=len(log),
            at=self.now,
            key=key,
            headers=tuple(headers),
            value=value,
            because=because,
        )
        log.append(message)
        return message

    def _note(self, event: incident.Event) -> None:
        if isinstance(event, IncidentEvent):
            if event.event == "closed":
                del self.open[event.incident_id]
            else:
                self.open[event.incident_id] = event


def home(known: Target) -> int:
    """The partition of a target."""
    return partition_for(host_key(known.host, known.id), PARTITIONS)


class _Metadata(Struct):
    offset: int


class _Client:
    """The producer of an apply: what it sends is appended."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int = 0,
        headers: Headers = (),
    ) -> Awaitable[_Metadata]:
        name = topic.removeprefix(f"{SETTINGS.topic_prefix}.")
        if name == "results":
            offset = self.stage.append(partition, value, headers, key).offset
        else:
            offset = self.stage.put(name, partition, key, value)
        sent: asyncio.Future[_Metadata] = asyncio.get_running_loop().create_future()
        sent.set_result(_Metadata(offset))
        return sent


class _Applying(_Writer):
    """An apply's writer that looks for other writers on the stage, not in Kafka."""

    async def _policy_now(self) -> dict[bytes, PolicyKept]:
        found: dict[bytes, PolicyKept] = self.producer.stage.present().policy
        return found
