"""A message of [incidents] as a CloudEvent, whatever version of portquorum wrote it."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec
from msgspec import Raw, Struct

from schemas.json_decoder import JsonDecoder
from schemas.plain_text import escaped_json, one_line

_PREFIX: Final = "ce_"
_ATTRIBUTE: Final = re.compile(r"[a-z0-9]{1,64}\Z", re.ASCII)
_REQUIRED: Final = ("id", "source", "specversion", "type")
_MEMBERS: Final = frozenset({"data", "datacontenttype"})
_LATEST_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, in UTC ms."""

_BLANKS: Final = bytes.maketrans(b"\n\r\t", b"   ")

_body: Final[JsonDecoder[Any]] = JsonDecoder(Any)


class KafkaRecord(Protocol):
    """What is used of a record of aiokafka."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Any


class EventMessage(Struct, frozen=True, kw_only=True):
    """A message that is a CloudEvent with JSON data.

    `attributes` are the context attributes, `traceparent` among them. `value` is the data as it was
    sent, `fields` the same decoded, empty if it is no object. `at` (UTC ms) is the event's time, of
    the record if the event has none. Nothing else is known of it: a newer version may have written
    it, so each word and type in `fields` has to be expected.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    attributes: Mapping[str, str]
    value: bytes
    fields: Mapping[str, Any]
    at: int

    @property
    def type(self) -> str:
        """The type without its frame: `incident.opened` of `portquorum.incident.opened.v1`."""
        return short_type(self.attributes["type"])

    @property
    def opened_at(self) -> int:
        """When its incident was opened, UTC ms; the event's time if it does not say so."""
        opened = self.fields.get("opened_at")
        return opened if isinstance(opened, int) else self.at

    def text(self, name: str) -> str:
        """A field as text on one line; empty if it is absent, null, or no text or number."""
        value = self.fields.get(name)
        known = isinstance(value, str | int | float) and not isinstance(value, bool)
        return one_line(str(value)) if known else ""


class UnreadableMessage(Struct, frozen=True, kw_only=True):
    """A message that is no CloudEvent with JSON data; `why` says what was expected and found."""

    topic: str
    partition: int
    offset: int
    at: int
    why: str

    @property
    def sentence(self) -> str:
        """Where it is, and what is wrong with it."""
        place = f"topic {self.topic} partition {self.partition} offset {self.offset}"
        return f"{place} is left out: {self.why}"


def short_type(full: str) -> str:
    """`incident.opened` of `portquorum.incident.opened.v1`; any other text as it is."""
    return re.sub(r"\.v[0-9]+\Z", "", full.removeprefix("portquorum."))


def read(record: KafkaRecord) -> EventMessage | UnreadableMessage:
    """The message in a record (CloudEvents Kafka protocol binding 1.0.2, binary content mode)."""
    attributes = _attributes(record.headers or ())
    why, body = "", None
    missing = [f"{_PREFIX}{name}" for name in _REQUIRED if not attributes.get(name)]
    if missing:
        why = f"expected a CloudEvent, found no header {', '.join(missing)}"
    else:
        try:
            body = _body.decode(record.value or b"")
        except msgspec.DecodeError as error:
            found = "no value" if not record.value else one_line(str(error))
            why = f"expected JSON, found {found}"
    at = _time_ms(attributes.get("time", ""), record.timestamp)
    if why:
        return UnreadableMessage(
            topic=record.topic, partition=record.partition, offset=record.offset, at=at, why=why
        )
    return EventMessage(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        attributes=attributes,
        value=record.value or b"",
        fields=body if isinstance(body, dict) else {},
        at=at,
    )


def structured(message: EventMessage) -> str:
    """The event in structured content mode, on one line (CloudEvents JSON event format 1.0.2).

    `data` has the value's own members and numbers. The message's key is `partitionkey`
    (CloudEvents Partitioning extension), its place `kafkatopic`, `kafkapartition` and `kafkaoffset`
    (a string: CloudEvents integers have 32 bits). Characters that a terminal would interpret are
    escaped, which does not change the value.
    """
    event: dict[str, Any] = dict(message.attributes)
    event["kafkatopic"] = message.topic
    event["kafkapartition"] = message.partition
    event["kafkaoffset"] = str(message.offset)
    if message.key is not None:
        event["partitionkey"] = message.key.decode(errors="replace")
    # In JSON that was decoded line ends and tabs are between the members only.
    event["data"] = Raw(message.value.translate(_BLANKS))
    return escaped_json(msgspec.json.encode(event).decode())


def _attributes(headers: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        text = value.decode(errors="replace") if isinstance(value, bytes) else ""
        attribute = name.removeprefix(_PREFIX)
        if name == "content-type":
            found.setdefault("datacontenttype", text)
        elif name == "traceparent":
            found.setdefault(name, text)
        elif name != attribute and _ATTRIBUTE.match(attribute) and attribute not in _MEMBERS:
            found[attribute] = text
    return found


def _time_ms(written: str, otherwise: int) -> int:
    try:
        moment = datetime.fromisoformat(written)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        at = round(aware.timestamp() * 1000)
    except (ValueError, OverflowError):
        at = otherwise
    return min(max(at, 0), _LATEST_MS)
