"""A forger: writes into every topic whatever a broker takes, drawn from a seed."""

import random
import time
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import msgspec
from aiokafka.errors import InvalidTimestampError, MessageSizeTooLargeError, UnknownError

from foundation import kafka
from foundation.settings import Settings
from schemas import topics
from schemas.checkpoint import FORMAT
from schemas.control import HEADER
from schemas.topics import Topic
from tests.forged_batches import Forged, OddName, send
from tests.unit.schemas.edges import TEXTS, ends_of

NUMBERS = (-1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 1e308, -0.5, True)
ODD: tuple[Any, ...] = (*NUMBERS, None, [], {}, "", "x" * 20_000, *TEXTS, [[[[]]]], {"\x00": 1})
LARGE = 900_000


class Forger:
    """Draws messages; the same seed draws the same ones."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self._settings = settings
        self._random = random.Random(seed)  # noqa: S311 - no secret, a draw to be repeated
        self.sent = 0

    async def write(self, rounds: int) -> None:
        """Writes `rounds` batches of a few messages into each partition of each topic."""
        async with kafka.producer(
            self._settings,
            max_request_size=4_000_000,
            max_batch_size=4_000_000,
            # After a batch that the broker takes no part of, the next one would be out of order.
            enable_idempotence=False,
        ) as client:
            for topic in topics.ALL:
                for partition in range(topic.partition_count(self._settings.partitions)):
                    for _ in range(rounds):
                        messages = [self._message(topic) for _ in range(self._random.randint(1, 4))]
                        name = self._settings.topic(topic.name)
                        try:
                            await send(client, name, partition, messages)
                        except (InvalidTimestampError, MessageSizeTooLargeError, UnknownError):
                            # The broker takes none of the batch. It is an unknown error to it that
                            # one with a negative time can't be compressed as the topic says.
                            continue
                        self.sent += len(messages)

    def _message(self, topic: Topic) -> Forged:
        draw = self._random
        value, headers = self._value(topic), self._headers(topic)
        if topic is topics.RESULTS and draw.random() < 0.4:
            value, headers = b"", (*headers, (HEADER, self._json(topic.control)))
        if topic in {topics.STATE, topics.CHECKPOINTS} and draw.random() < 0.7:
            key, value = self._checkpoint()
        else:
            key = self._key(topic, value)
        at = draw.choice((-1, -5, 0, 2**40, time.time_ns() // 1_000_000))
        if key is None and "compact" in topic.cleanup:
            key = b""  # the broker wants one
        return Forged(value, key, headers, at)

    def _value(self, topic: Topic) -> bytes | None:
        draw = self._random
        kind = draw.random()
        if kind < 0.5:
            lines = draw.choice((1, 1, 1, 3, 50)) if topic is topics.RESULTS else 1
            return b"\n".join(self._json(topic.schema) for _ in range(lines))
        if kind < 0.7:
            whole = self._json(topic.schema)
            return whole[: draw.randrange(len(whole))]
        makers: tuple[Callable[[], bytes | None], ...] = (
            lambda: None,
            lambda: b"",
            lambda: b"\n" * draw.randrange(5_000),
            lambda: b"null",
            lambda: b"[" * 50_000,
            lambda: draw.randbytes(draw.randrange(300)),
            lambda: b'{"\xff":"\xed\xa0\x80"}',
            lambda: b'{"id":"\\ud800"}',
        )
        if draw.random() < 0.02:
            return draw.choice((b"\x00", b"{", b"a\n", b" "))[:1] * LARGE
        return draw.choice(makers)()

    def _json(self, structs: tuple[type[msgspec.Struct], ...]) -> bytes:
        """A value at the end of all its ranges, mostly with one field beyond them."""
        draw = self._random
        found = msgspec.json.decode(draw.choice(_ends(draw.choice(structs))))
        place = found
        for _ in range(draw.randrange(4)):
            inner = [one for one in _inner(place) if one]
            if not inner:
                break
            place = draw.choice(inner)
        if draw.random() < 0.6 and place:
            name = draw.choice(list(place) if isinstance(place, dict) else range(len(place)))
            place[name] = draw.choice(ODD)
        return msgspec.json.encode(found)

    def _key(self, topic: Topic, value: bytes | None) -> bytes | None:
        draw = self._random
        if topic is topics.TARGETS and value and draw.random() < 0.5:
            try:
                return str(msgspec.json.decode(value)["id"]).encode()
            except (msgspec.DecodeError, KeyError, TypeError, UnicodeError, RecursionError):
                return b"a"
        keys = (None, b"", b"\xff", b"a/maintenance/b", b"x/route/\x00", b"w/1/head", b"k" * 50_000)
        return draw.choice(keys)

    def _headers(self, topic: Topic) -> tuple[tuple[str, bytes | None], ...]:
        draw = self._random
        names = ("", "x", HEADER, OddName(b"\xff\xfe"), OddName(HEADER.encode() + b"\xff"), "ce_id")
        bodies = (None, b"", b"\xff", b"{}", b"null", self._json(topic.control or topic.schema))
        return tuple(
            (draw.choice(names), draw.choice(bodies)) for _ in range(draw.choice((0, 0, 1, 3)))
        )

    def _checkpoint(self) -> tuple[bytes, bytes | None]:
        """A part of a checkpoint: heads that promise much, chunks that are none."""
        draw = self._random
        writer = draw.choice((b"forged", b"0" * 32, b"a/b"))
        generation = draw.choice((b"1", b"01", b"-1", b"999999999999999999", b"x"))
        chunk = draw.choice((b"", b"\xff" * 100, msgspec.msgpack.encode([0] * 13), b"\x91" * 9_000))
        if draw.random() < 0.5:
            return b"/".join((writer, generation, draw.choice((b"0", b"1", b"00")))), chunk
        head = {
            "format": FORMAT,
            "partition": draw.choice((0, 1)),
            "offset": draw.choice((-1, 0, 1, 50, 2**63 - 1, 2**64)),
            "now": draw.choice((0, 2**41, 9_999_999_999_999)),
            "written_at": 0,
            "crc32": draw.choice(([], [zlib.crc32(chunk)], [zlib.crc32(chunk)] * 2, [2**32])),
        }
        return b"/".join((writer, generation, b"head")), msgspec.json.encode(head)


@lru_cache
def _ends(struct: type[msgspec.Struct]) -> tuple[bytes, ...]:
    return tuple(map(msgspec.json.encode, ends_of(struct)))


def _inner(value: Any) -> Iterator[Any]:
    values = value.values() if isinstance(value, dict) else value
    return (one for one in values if isinstance(one, dict | list))
