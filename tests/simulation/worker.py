"""The stream's worker: feeds the real rules, and is killed and restored from checkpoints."""

from collections.abc import Callable, Sequence
from random import Random

import msgspec
from msgspec import Struct

from schemas import incident, recheck
from schemas.control import HEADER
from schemas.incident import Event
from schemas.recheck import RecheckRequest
from streams.checkpoint import decoder
from streams.rules.apply import Output, apply
from streams.rules.messages import OutMessage, encode
from streams.rules.process import step
from streams.rules.record import decode_record
from streams.state.partition_state import PartitionState, new_state
from tests.simulation.faults import Crash
from tests.simulation.loop import Loop
from tests.simulation.stillness import Headers


class Divergence(Struct, frozen=True, kw_only=True):
    """Something that is not as the ground truth has it."""

    what: str
    target: str
    at: float
    detail: str = ""


class Message(Struct, frozen=True):
    """A message as it lies in the log."""

    offset: int
    append_time: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


class Lane:
    """One partition in one worker after the other."""

    def __init__(self, partition: int, partitions: int) -> None:
        self.state = new_state(partition, partitions)
        self.offset = -1
        self.away_until = 0.0
        self.checkpoint: list[bytes] | None = None
        self.log: list[Message] = []
        self.sent: list[OutMessage] = []


class Worker:
    """Applies what is appended at once; what the rules decide is told a little later.

    `told` is called with the partition, the time at which it may be known, and the output. With
    `whole_step` records go through `streams.rules.process`, with all encoding; otherwise through
    `apply`.
    """

    def __init__(
        self,
        partitions: int,
        loop: Loop,
        rng: Random,
        told: Callable[[int, float, Output], None],
        *,
        whole_step: bool,
    ) -> None:
        self._partitions = partitions
        self._loop = loop
        self._rng = rng
        self._told = told
        self._whole_step = whole_step
        self.lanes = [Lane(number, partitions) for number in range(partitions)]
        self.results = 0
        self.crashes = 0
        self.replayed = 0
        self.divergences: list[Divergence] = []
        self.watched: frozenset[bytes] = frozenset()
        self.log: list[tuple[int, Message]] = []
        self.events: list[tuple[int, Event]] = []

    def taken(self, partition: int, append_time: int, value: bytes, headers: Headers) -> None:
        """A message was appended."""
        lane = self.lanes[partition]
        lane.offset += 1
        message = Message(lane.offset, append_time, value, tuple(headers))
        if self.watched:
            self._watch(partition, message)
        outputs = self._apply(lane.state, message)
        if lane.checkpoint is not None:
            lane.log.append(message)
            lane.sent += [encode(output, lane.state.partitions) for output in outputs]
        if outputs:
            known = max(self._loop.now + self._rng.uniform(2, 30), lane.away_until)
            for output in outputs:
                if not isinstance(output, RecheckRequest):
                    self.events.append((partition, output))
                self._told(partition, known, output)

    def plan(self, crash: Crash) -> None:
        """A crash to come."""
        self._loop.at(crash.at - crash.behind, self._save, crash.partition)
        self._loop.at(crash.at, self._crash, crash)

    def _save(self, partition: int) -> None:
        lane = self.lanes[partition]
        lane.checkpoint = decoder.encode(lane.state)
        lane.log, lane.sent = [], []

    def _crash(self, crash: Crash) -> None:
        lane = self.lanes[crash.partition]
        if lane.checkpoint is None:
            return  # another crash came between, and used it up
        restored = decoder.decode(lane.checkpoint, crash.partition, self._partitions)
        again: list[Output] = []
        for message in lane.log:
            again += self._apply(restored, message)
        self.results -= sum(message.value.count(b"\n") for message in lane.log)
        self.replayed += len(lane.log)
        if [encode(output, restored.partitions) for output in again] != lane.sent:
            self._diverged(crash, "a restored worker decides something else")
        if decoder.encode(restored) != decoder.encode(lane.state):
            self._diverged(crash, "a restored worker's state is another one")
        self.crashes += 1
        lane.state = restored
        lane.away_until = self._loop.now + crash.away
        lane.checkpoint, lane.log, lane.sent = None, [], []
        for output in again:
            if isinstance(output, RecheckRequest):
                self._told(crash.partition, lane.away_until, output)  # at least once

    def _diverged(self, crash: Crash, what: str) -> None:
        self.divergences.append(
            Divergence(what=what, target=f"partition {crash.partition}", at=crash.at)
        )

    def _apply(self, state: PartitionState, message: Message) -> Sequence[Output]:
        offset, at, value, headers = (
            message.offset,
            message.append_time,
            message.value,
            message.headers,
        )
        if self._whole_step:
            done = step(state, offset, at, value, headers)
            self.results += done.results
            failed = done.failed or done.unreadable
            outputs: Sequence[Output] = [_read(one) for one in done.messages]
        else:
            record, failed = decode_record(offset, at, value, headers)
            self.results += len(record.results)
            outputs = apply(state, record)
        if failed:
            self.divergences.append(
                Divergence(what="a record was not taken", target=repr(value[:200]), at=at)
            )
        return outputs

    def _watch(self, partition: int, message: Message) -> None:
        lines = [line for line in message.value.split(b"\n") if _about(line, self.watched)]
        if lines:
            kept = msgspec.structs.replace(message, value=b"\n".join(lines))
            self.log.append((partition, kept))
        elif any(name == HEADER and _about(body, self.watched) for name, body in message.headers):
            self.log.append((partition, message))


def _about(line: bytes, watched: frozenset[bytes]) -> bool:
    return any(b'"' + name + b'"' in line for name in watched)


def _read(message: OutMessage) -> Output:
    if message.topic == "rechecks":
        return recheck.decode(message.value)
    return incident.decode(message.value)
