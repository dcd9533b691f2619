from msgspec import structs

from portquorum.web.forms.audit_page import FieldDiff, row_of
from portquorum.web.pages.viewer import Viewer
from schemas.web import Audit, Bulk

VIEWER = Viewer(now=1_800_000_000_000)
CHANGE = Audit(id="0" * 16, at=1, by="ada", action="patch", about="3 targets")
BULK = Bulk(id=CHANGE.id, at=1, by="ada", action="patch", targets=("a", "b", "c"))


def test_times_are_shown_as_times_and_other_numbers_as_they_are() -> None:
    text = (
        '{"created_at":1796055204457,"expires_at":null,"port":5432,'
        '"until":"1796055204457 (2), resumed (1)"}'
    )
    row = row_of(structs.replace(CHANGE, after=text), VIEWER)
    when = VIEWER.moment_with_utc(1_796_055_204_457)
    assert row.changes == (
        FieldDiff("Created at", when),
        FieldDiff("Port", "5432"),
        FieldDiff("Until", f"{when} (2), resumed (1)"),
    )


def test_a_pause_says_until_when_also_if_that_is_open() -> None:
    row = row_of(structs.replace(CHANGE, after='{"until":"resumed"}'), VIEWER)
    assert row.changes == (FieldDiff("Until", "until somebody resumes it"),)


def test_a_bulk_change_says_from_what_to_what_and_the_tags() -> None:
    change = structs.replace(
        CHANGE,
        before='{"interval":"60s (2), 5m (1)","tags_removed":"old"}',
        after='{"interval":"30s","tags_added":"new"}',
    )
    assert [f"{one.field}: {one.said}" for one in row_of(change, VIEWER, BULK).changes] == [
        "Interval: 60s (2), 5m (1) → 30s",
        "Tags removed: old",
        "Tags added: new",
    ]


def test_what_is_new_is_a_short_line_and_what_was_changed_is_not() -> None:
    fields = '{"host":"h","port":1,"name":"n","team":"t"}'
    assert row_of(structs.replace(CHANGE, after=fields), VIEWER).is_new
    changed = structs.replace(CHANGE, before='{"host":"g"}', after=fields)
    assert not row_of(changed, VIEWER).is_new


def test_undo_stands_beside_the_change_and_then_who_undid_it_and_when() -> None:
    assert row_of(CHANGE, VIEWER, BULK).undo
    row = row_of(CHANGE, VIEWER, structs.replace(BULK, undone_by="bob", undone_at=5))
    assert (row.undo, row.undone_by, row.undone_at) == (False, "bob", 5)
    undo = structs.replace(CHANGE, action="undo patch")
    assert not row_of(undo, VIEWER, structs.replace(BULK, action="undo patch")).undo
