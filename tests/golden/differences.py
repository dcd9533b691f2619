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
    differ. `events` are ids (of a recheck `partition/host/deciding record`). `fields` are the paths
    that differ (`summary`, `regions.region-0.verdict`, `header ce_type`); `missing` stands for an
    event that no longer comes, `new` for one that did not come, `order` for one that comes at
    another place.
    `rule` is the section of docs/rules.md that decides it now.
    """

    log: str
    rules: str
    events: frozenset[str]
    fields: frozenset[str]
    rule: str
    reason: str


def _each(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


CHANGES: Final[tuple[Change, ...]] = (
    Change(
        log="0.1",
        rules="0.2",
        rule="2",
        reason=(
            "A failure after a pause in which its region was stale is the first of a new row: "
            "the region says down after its retries only, so its update comes with a later "
            "record, its row began later, and a recheck is asked for."
        ),
        fields=_each(
            """
            missing new regions.region-0.since regions.region-1.since
            regions.region-2.since regions.region-3.since
            """
        ),
        events=_each(
            """
            0/change-name.example.com/6188 0/hand-resolved.example.com/4565
            0/hand-resolved.example.com/5404 0/hand-resolved.example.com/6247
            0173fec7-7b51-56fd-b638-6a5eb8c2e7e1
            01a6df6b-0641-58d8-a364-650825dc66dc
            047543dd-dc79-5abd-a57a-9951255aaabc 1/change-port.example.com/9029
            1/change-region-added.example.com/9130
            1/change-strict.example.com/9086 1/flap-down.example.com/6958
            1/flap-down.example.com/7610 1/flap-down.example.com/7630
            1/flap-down.example.com/7645 1/flap-down.example.com/7656
            1/flap-down.example.com/7971 1/flap-down.example.com/9057
            1/stays-down.example.com/15899 1/stays-down.example.com/15926
            1/stays-down.example.com/16012 1/stays-down.example.com/16053
            1/stays-down.example.com/6929 1/stays-down.example.com/8071
            1/stays-down.example.com/9054 14c60f13-0379-5959-b4d3-39b130a62dd1
            16b4b490-1560-5e22-8f7a-70af444b49b0
            19257031-92eb-5fd9-87ce-3933c23d9b4c 2/change-eager.example.com/4831
            2/change-eager.example.com/5525 2/change-kind.example.com/5516
            2/moved0.example.com/5545 212251a6-91be-5370-9f9f-35bb0a3d73cd
            32e35f48-7e85-550a-9b78-3472f6d5c59d
            35a61ff0-98ad-5741-9b62-55507332935e
            378c005f-77d0-5d80-93bb-84c70d1e01ef
            379c11e7-6b95-50a8-92e9-6657bb767177
            3f9a9684-1585-5597-a6b7-5c345ecb87ee
            40dc6285-b976-54e1-a626-b0109f7fa712
            4a709719-0acf-5efd-8d71-095a1a5d90ab
            57f7a5bf-30a7-544f-8bf8-4c1406fe4c3a
            5f7e0ac1-7d96-5822-9c49-428ca2b50bfe
            6be4e788-65c7-5ebb-9d82-c7ea29c9f3ba
            6d3a1888-9be3-52f2-860e-db7088811ab0
            75022724-3b9f-59f2-b71f-f850e22aceff
            7a67f87a-44cb-5b65-bded-69a026c51e6f
            7d974491-aca4-55a3-afa2-bc10992613e2
            9727696a-8915-5780-bd43-e1d555dba04a
            97fce042-71af-54ac-854f-70bbf13bfc81
            98ee2471-06dd-5afa-b56e-4298630dc4aa
            9d5cd376-7b34-5fcb-ae05-471ca7022ad8
            a57450c5-32d0-5e52-8ec2-03ffa567d825
            b0291fd6-198d-5f07-bcaa-65a214b340ed
            b9f7e2d2-a687-5070-a904-a217e15982a3
            bcccbfb6-4c9f-5546-9536-c32d075c14d0
            bd9f5f10-8182-563e-b0db-449133d76699
            c6a9dd29-bf7f-5146-ac14-53edd3c38571
            c7f620fd-f9ff-53f0-8307-878e5e1059b2
            cd51c241-942f-595c-ae8f-6ccdcc7da130
            d06570af-b6cc-504d-b7ce-65ff1b2089c4
            db336149-6f52-5572-b313-4d80aa52302d
            dc46fc37-ba5d-5016-a2d9-f2bcf651915b
            deb27ba6-7e82-5be3-9c0b-ff464a6f974f
            e0652ca9-e13e-5431-b276-e8cb30fcb7b9
            e366655c-15f7-5a57-ba22-3b576eba8d7a
            e3be9e81-7413-51c2-a2a7-fe9dfacb54ea
            e5858a96-4f7a-5010-9351-3c2bad083a00
            e63d5748-9178-5dad-9b01-ad910f06b726
            e65450fd-cc05-5790-ad0c-e400682180b2
            e7962cfa-71b3-58c0-94cf-9d4531a9d91a
            f27f19d0-aaa8-5ad3-a29f-fa318d28df1b
            f65bcda3-1096-5457-b12d-03e3681e5476
            f67fea3b-9db5-509b-a98a-abb67a14bdbd
            f6957efd-81d1-541f-931f-49841fdf5733
            fabed45a-29c3-54a7-8910-37f24e54d4e0
            """
        ),
    ),
    Change(
        log="0.1",
        rules="0.2",
        rule="6",
        reason=(
            "Regions that nobody hears any more are not waited for, whatever their last word, "
            "and when none is left the incident closes as abandoned: what still fails later "
            "is another incident, and no recheck is asked for the recovery of one that has "
            "ended."
        ),
        fields=_each(
            """
            missing new
            """
        ),
        events=_each(
            """
            0/hand-resolved.example.com/12392
            1/change-region-added.example.com/15900
            1/flap-down.example.com/15876 26d9cfc2-5676-5a5e-aa6a-25517105fd8f
            316398af-18cb-5100-b872-fa2b5a84cc21
            3940acbe-be02-5583-a3fb-4e6fc88c8bd7
            3c65fa82-8846-5e31-b93f-fa3cb6df3e34
            437370c2-745f-5ae5-a013-4de70e6c4ada
            441e8dae-b5f6-5b98-ba31-38d4af692965
            52dc5c7a-5a8d-5342-8856-b80b6c6a2bab
            601bc82e-db8c-577e-b250-83b077a95ce9
            8657a8bf-632f-5a2d-b80c-bef49eaba423
            9521ff92-e138-510c-9abf-8d48121ff0a6
            95db3f0d-a6cd-5f72-943f-aee8c44879e6
            a7e57d69-8eb8-5ab3-9492-5017da100727
            b0354c97-63bb-58ca-9b47-24873d4533a9
            b2906560-13d3-562d-864f-85f24dd70dba
            c5a3124b-e635-5eec-b637-9c2778acaf7e
            f5114bb8-ba41-5ffe-997b-7d4c2cf4cb85
            f92e0da9-5097-50cd-999c-8a55a03ab7f9
            """
        ),
    ),
)


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

    Messages with an id (`ce_id`) are matched by it; others (rechecks) by partition, key and
    deciding record, so that one more does not make all later ones differ.
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
    return f"{one.partition}/{(one.key or b'').decode()}/{one.because}"


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
