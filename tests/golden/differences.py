"""What the rules of a version say otherwise than those before, and by which rule.

`CHANGES` is the place for it: whoever changes a rule runs `python -m tests.golden.expect`, looks at
each event that differs, and writes it down here with the rule and the reason. What differs and does
not stand here fails the tests, and so does what stands here and does not differ.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from tests.golden.container import Message, by_partition


class Change(Struct, frozen=True, kw_only=True):
    """Messages of one golden log that differ for one reason.

    `log` is the version of the golden log, `rules` the folder of its `expected` in which they first
    differ. `events` are ids (of a recheck `partition/offset`). `fields` are the paths that differ
    (`summary`, `regions.region-0.verdict`, `header ce_type`); `missing` stands for an event that no
    longer comes, `new` for one that did not come, `order` for one that comes at another place.
    `rule` is the section of docs/rules.md that decides it now.
    """

    log: str
    rules: str
    events: frozenset[str]
    fields: frozenset[str]
    rule: str
    reason: str


CHANGES: Final[tuple[Change, ...]] = ()


class Difference(Struct, frozen=True, kw_only=True):
    """One field of one message that is not as recorded."""

    event: str
    place: str
    field: str
    recorded: object
    today: object

    def __str__(self) -> str:
        """The difference in a few lines for people."""
        return (
            f"{self.event} ({self.place}), {self.field}:\n"
            f"    recorded {self.recorded!r}\n    today    {self.today!r}"
        )


def differences(recorded: Iterable[Message], today: Iterable[Message]) -> list[Difference]:
    """Where the messages of a topic differ, the first ones first in each partition.

    Messages with an id (`ce_id`) are matched by it; others (rechecks) by their place.
    """
    before, after = by_partition(recorded), by_partition(today)
    found: list[Difference] = []
    for number in sorted(before.keys() | after.keys()):
        old, new = before.get(number, []), after.get(number, [])
        if list(map(_content, old)) != list(map(_content, new)):
            found += _of_partition(old, new)
    return found


def unexplained(found: Iterable[Difference], changes: Iterable[Change]) -> list[str]:
    """What of `found` none of `changes` names, and what `changes` name and is not in `found`."""
    changes = list(changes)
    texts = []
    used: set[tuple[str, str]] = set()
    for one in found:
        mine = [e for e in changes if one.event in e.events and one.field in e.fields]
        used |= {(e.reason, one.event) for e in mine}
        if not mine:
            texts.append(str(one))
    return texts + [
        f"{event} is said to differ ({entry.rule}) and does not: take it out of CHANGES"
        for entry in changes
        for event in sorted(entry.events)
        if (entry.reason, event) not in used
    ]


def told(texts: list[str]) -> str:
    """The first of these differences as the text of an assertion, empty if there is none."""
    if not texts:
        return ""
    more = f"\n… and {len(texts) - 12} more" if len(texts) > 12 else ""
    return (
        f"{len(texts)} differences to the golden log that nobody gave a reason for (see "
        "tests/golden/differences.py):\n" + "\n".join(texts[:12]) + more
    )


def walk(recorded: object, today: object, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The places where two values of JSON or msgpack differ, and both sides."""
    if isinstance(recorded, dict) and isinstance(today, dict):
        for key in [*recorded, *(key for key in today if key not in recorded)]:
            where = f"{path}.{key}" if path else str(key)
            yield from walk(recorded.get(key, "nothing"), today.get(key, "nothing"), where)
    elif isinstance(recorded, list) and isinstance(today, list) and len(recorded) == len(today):
        for number, (old, new) in enumerate(zip(recorded, today, strict=True)):
            yield from walk(old, new, f"{path}[{number}]")
    elif recorded != today or type(recorded) is not type(today):
        yield path or "all of it", recorded, today


def _content(one: Message) -> tuple[object, ...]:
    return one.key, one.headers, one.value, one.because


def _name(one: Message) -> str:
    for header, value in one.headers:
        if header == "ce_id":
            return value.decode()
    return f"{one.partition}/{one.offset}"


def _words(one: Message) -> str:
    """What a message says, in a line."""
    said = msgspec.json.decode(one.value or b"null", type=_Said)
    what = [said.event, said.incident_type, said.because, said.target or said.region]
    return f"{' '.join(word for word in what if word)}: {said.summary or said.host}"


class _Said(Struct):
    event: str = ""
    incident_type: str = ""
    because: str = ""
    target: str = ""
    region: str = ""
    summary: str = ""
    host: str | None = ""


def _place(one: Message) -> str:
    return f"partition {one.partition}, by record {one.because} of [results]"


def _of_partition(recorded: list[Message], today: list[Message]) -> Iterator[Difference]:
    new = {_name(one): one for one in today}
    old = {_name(one): one for one in recorded}
    for name, one in old.items():
        if name not in new:
            yield Difference(
                event=name, place=_place(one), field="missing", recorded=_words(one), today=None
            )
        else:
            yield from _of_message(name, one, new[name])
    for name, one in new.items():
        if name not in old:
            yield Difference(
                event=name, place=_place(one), field="new", recorded=None, today=_words(one)
            )
    if len(new) != len(today) or len(old) != len(recorded):
        # The stream sends an event once for a record.
        yield Difference(
            event="an event that comes twice",
            place=f"partition {(today or recorded)[0].partition}",
            field="count",
            recorded=len(recorded),
            today=len(today),
        )
    common = [name for name in old if name in new]
    for name, other in zip(common, [name for name in new if name in old], strict=True):
        if name != other:
            yield Difference(
                event=other,
                place=_place(new[other]),
                field="order",
                recorded=f"{name} here",
                today=f"{other} here",
            )
            return


def _of_message(name: str, old: Message, new: Message) -> Iterator[Difference]:
    place = _place(old)
    pairs: list[tuple[str, object, object]] = [
        ("key", old.key, new.key),
        ("because", old.because, new.because),
    ]
    pairs += [
        (f"header {header}", before, after)
        for header, before, after in walk(dict(old.headers), dict(new.headers))
    ]
    if old.headers != new.headers and dict(old.headers) == dict(new.headers):
        pairs.append(("headers", old.headers, new.headers))
    if old.value != new.value:
        fields = list(
            walk(
                msgspec.json.decode(old.value or b"null"), msgspec.json.decode(new.value or b"null")
            )
        )
        pairs += fields or [("bytes", old.value, new.value)]
    for field, before, after in pairs:
        if before != after:
            yield Difference(event=name, place=place, field=field, recorded=before, today=after)
