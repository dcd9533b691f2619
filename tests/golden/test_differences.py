"""How a difference to a golden log is found, shown, and given a reason."""

from pathlib import Path

import msgspec
from msgspec.structs import replace

from tests.golden.container import Message, read, write
from tests.golden.differences import ANY, Change, differences, told, unexplained


def event(name: str, offset: int = 0, **fields: object) -> Message:
    value = {"event": "opened", "target": "db", "summary": "It is down.", **fields}
    return Message(
        partition=1,
        offset=offset,
        at=5,
        key=b"db.example.com",
        headers=(("ce_id", name.encode()), ("ce_type", b"t")),
        value=msgspec.json.encode(value),
        because=7,
    )


def change(*fields: str, events: tuple[str, ...] = ("one",)) -> Change:
    return Change(
        log="0.1",
        rules="0.2",
        events=frozenset(events),
        fields=frozenset(fields),
        rule="6. Open and close",
        reason="a test",
    )


def test_the_same_messages_do_not_differ() -> None:
    assert differences([event("one")], [event("one")]) == []


def test_a_field_that_differs_is_named_with_both_sides() -> None:
    [found] = differences([event("one", votes={"down": 2})], [event("one", votes={"down": 3})])
    assert (found.event, found.field, found.recorded, found.today) == ("one", "votes.down", 2, 3)
    assert "by record 7 of [results]" in str(found)


def test_keys_headers_and_the_deciding_record_count_too() -> None:
    other = replace(event("one"), key=b"x", headers=(("ce_id", b"one"),), because=8)
    fields = {one.field for one in differences([event("one")], [other])}
    assert fields == {"key", "header ce_type", "because"}


def test_other_bytes_of_the_same_json_differ() -> None:
    old = event("one")
    spaced = replace(old, value=(old.value or b"").replace(b":", b": "))
    assert [one.field for one in differences([old], [spaced])] == ["bytes"]


def test_headers_in_another_order_differ() -> None:
    old = event("one")
    turned = replace(old, headers=old.headers[::-1])
    assert [one.field for one in differences([old], [turned])] == ["headers"]


def test_events_that_are_missing_new_or_elsewhere_are_named() -> None:
    one, two, three = event("one"), event("two", 1), event("three", 2)
    assert [(d.event, d.field) for d in differences([one, two], [two, three])] == [
        ("one", "missing"),
        ("three", "new"),
    ]
    assert [d.field for d in differences([one, two], [two, one])] == ["order"]
    assert [d.field for d in differences([one], [one, replace(one, offset=1)])] == ["count"]


def test_what_has_a_reason_is_explained_and_nothing_else() -> None:
    found = differences([event("one")], [event("one", summary="It is dead.", port=1)])
    assert unexplained(found, [change("summary", "port")]) == []
    [text] = unexplained(found, [change("summary")])
    assert "port" in text
    assert len(unexplained(found, [change("summary", "port", events=("two",))])) == 3


def test_a_reason_without_a_difference_is_told() -> None:
    [text] = unexplained([], [change("summary")])
    assert "take it out" in text
    assert told([]) == ""
    assert "1 differences" in told([text])


def test_the_container_gives_back_what_was_put_in(tmp_path: Path) -> None:
    one = event("one")
    messages = [
        one,
        replace(one, key=None, value=None, headers=(), because=None),
        replace(one, key=b"", value=b"\xff\x00", headers=(("a", b""), ("a", b"\xfe"))),
        replace(one, value="{\u2028\u0000🚪\n".encode()),
    ]
    path = tmp_path / "x.ndjson.xz"
    write(path, messages)
    assert read(path) == messages


def test_a_field_of_any_event_needs_no_ids_and_must_differ_somewhere() -> None:
    found = differences([event("one"), event("two")], [event("one", new=1), event("two", new=2)])
    named = replace(change("new"), events=ANY)
    assert unexplained(found, [named]) == []
    assert unexplained(found, [replace(named, fields=frozenset({"other"}))]) != []
    assert unexplained([], [named]) != []
