"""The file format of the golden logs: one JSON object a line, one line a Kafka message, xz.

Any language reads it (`xz -dc results.ndjson.xz | jq`). Bytes that are UTF-8 are a JSON string,
other bytes are `{"base64": "…"}`, none is null.
"""

import base64
import lzma
from collections.abc import Iterable
from pathlib import Path

import msgspec
from aiokafka import ConsumerRecord
from msgspec import Struct


class Message(Struct, frozen=True, gc=False, kw_only=True):
    """A message as it lies on a topic. `at` is its timestamp, UTC ms.

    `because` is the offset on [results] of the record that decided it; None for an input.
    """

    partition: int
    offset: int
    at: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None
    because: int | None = None

    def record(self, topic: str) -> ConsumerRecord:
        """The message as the consumer gives it."""
        return ConsumerRecord(
            topic,
            self.partition,
            self.offset,
            self.at,
            1,
            self.key,
            self.value,
            None,
            len(self.key or b""),
            len(self.value or b""),
            self.headers,
        )


class _Base64(Struct):
    base64: str


_Text = str | _Base64


class _Line(Struct, omit_defaults=True):
    partition: int
    offset: int
    at: int
    key: _Text | None
    headers: list[tuple[str, _Text]]
    value: _Text | None
    because: int | None = None


_line = msgspec.json.Decoder(_Line)


def read(path: Path) -> list[Message]:
    """All messages of a file, in its order."""
    with lzma.open(path) as file:
        return [_message(_line.decode(line)) for line in file]


def write(path: Path, messages: Iterable[Message]) -> None:
    """Writes a file anew. The same messages give the same bytes."""
    text = b"".join(msgspec.json.encode(_written(one)) + b"\n" for one in messages)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))


def by_partition(messages: Iterable[Message]) -> dict[int, list[Message]]:
    """The messages of each partition, in their order."""
    found: dict[int, list[Message]] = {}
    for one in messages:
        found.setdefault(one.partition, []).append(one)
    return found


def _message(line: _Line) -> Message:
    return Message(
        partition=line.partition,
        offset=line.offset,
        at=line.at,
        key=_raw(line.key),
        headers=tuple((name, _raw(value) or b"") for name, value in line.headers),
        value=_raw(line.value),
        because=line.because,
    )


def _written(one: Message) -> _Line:
    headers = [(name, _text(value) or "") for name, value in one.headers]
    return _Line(
        one.partition, one.offset, one.at, _text(one.key), headers, _text(one.value), one.because
    )


def _raw(text: _Text | None) -> bytes | None:
    if isinstance(text, _Base64):
        return base64.b64decode(text.base64)
    return None if text is None else text.encode()


def _text(raw: bytes | None) -> _Text | None:
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return _Base64(base64.b64encode(raw).decode())
