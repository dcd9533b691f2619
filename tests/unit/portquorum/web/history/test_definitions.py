"""What each definition of a target changed."""

from typing import Any

import msgspec

from portquorum.web.history.definitions import changes

Row = tuple[int, int, int, str, int, str]


def row(at: int, source: str = "web.yaml", *, removed: int = 0, **fields: Any) -> Row:
    return (
        at,
        0,
        at,
        source,
        removed,
        msgspec.json.encode({"id": "a", "version": at} | fields).decode(),
    )


def test_the_newest_first_each_with_what_it_changed() -> None:
    found = changes([row(1, port=80), row(3, port=443, team="db"), row(5, port=443)], 50)
    assert [(one.at, one.what) for one in found] == [(5, "changed"), (3, "changed"), (1, "applied")]
    assert [(f.field, f.before, f.after) for f in found[0].fields] == [("team", '"db"', None)]
    assert [(f.field, f.before, f.after) for f in found[1].fields] == [
        ("port", "80", "443"),
        ("team", None, '"db"'),
    ]
    assert found[2].fields == ()


def test_a_removal_and_the_way_back() -> None:
    found = changes([row(1, port=80), row(2, removed=1), row(3, port=81)], 50)
    assert [one.what for one in found] == ["applied", "removed", "applied"]


def test_a_definition_that_was_published_again_is_no_change() -> None:
    assert len(changes([row(1, port=80), row(2, port=80), row(3, "other.yaml", port=80)], 50)) == 1


def test_of_many_the_newest_are_told_and_the_one_before_says_what_the_oldest_changed() -> None:
    found = changes([row(at, port=at) for at in range(1, 5)], 3)
    assert [(one.at, one.what) for one in found] == [(4, "changed"), (3, "changed"), (2, "changed")]


def test_what_is_no_json_and_what_is_endless_harm_nothing() -> None:
    broken = (1, 0, 1, "x", 0, "{")
    (newest, oldest) = changes([broken, row(2, purpose="x" * 10_000)], 50)
    assert oldest.what == "applied"
    assert len(newest.fields[0].after or "") <= 2_001


def test_no_rows_are_no_changes() -> None:
    assert changes([], 50) == ()
