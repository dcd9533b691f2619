"""Components as lines: what is written is read again, and errors name their lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.changing.errors import FieldError
from portquorum.changing.status_edits import WantedComponent, WantedGroup
from portquorum.status_editing.page_rules import component_id
from portquorum.web.forms.component_lines import read, with_lines, written

TEXTS = st.text(
    st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" /=[]|"), max_size=9
)
NAMES = TEXTS.map(str.strip).filter(lambda one: bool(one) and not {"=", "|"} <= set(one))
GROUPS = NAMES.filter(lambda one: " / " not in one and not one.startswith("/"))
IDS = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,5}", fullmatch=True)


@st.composite
def pages(draw: st.DrawFn) -> tuple[WantedGroup, ...]:
    names = draw(st.lists(GROUPS, max_size=3, unique=True))
    made = []
    for name in names:
        components = [
            WantedComponent(
                id=draw(st.from_regex(r"[a-z0-9-]{1,5}", fullmatch=True)),
                name=draw(NAMES),
                targets=tuple(draw(st.lists(IDS, min_size=1, max_size=3))),
                description=draw(st.sampled_from(["", "two\nlines", "a | b = c"])),
            )
            for _ in range(draw(st.integers(1, 3)))
        ]
        made.append(WantedGroup(name=name, components=tuple(components)))
    return tuple(made)


@given(pages())
def test_what_is_written_is_read_again(groups: tuple[WantedGroup, ...]) -> None:
    found = read(written(groups)).groups
    assert [one.name for one in found] == [one.name for one in groups]
    for was, now in zip(groups, found, strict=True):
        for one, again in zip(was.components, now.components, strict=True):
            assert (again.name, again.targets, again.description) == (
                *(one.name, one.targets, one.description),
            )
            assert (again.id or component_id(one.name)) == one.id


def test_lines_as_people_type_them() -> None:
    found = read(
        "\n"
        "Shop / Checkout = web-1, web-2\n"
        "  Shop/Search=search-1   search-2 \n"
        "Shop / Orders [old] = db-1 | What you ordered\n"
        "Mail = mail-1\n"
        "/ In / out = io-1\n"
    )
    assert found.errors == ()
    assert [
        (group.name, one.name, one.id, one.targets)
        for group in found.groups
        for one in group.components
    ] == [
        ("Shop", "Checkout", None, ("web-1", "web-2")),
        ("Shop", "Orders", "old", ("db-1",)),
        ("", "Shop/Search", None, ("search-1", "search-2")),
        ("", "Mail", None, ("mail-1",)),
        ("", "In / out", None, ("io-1",)),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Checkout", "line 1: expected NAME = TARGET, found no ="),
        ("# web", "line 1: expected NAME"),
    ],
)
def test_what_is_no_line_is_said(line: str, said: str) -> None:
    [error] = read(line).errors
    assert error.field == "components"
    assert error.message.startswith(said)


def test_errors_name_their_lines() -> None:
    found = read("A = a\n\nG / B = Xy\nA / C = c")
    errors = [
        FieldError(field="groups[1].components[0].targets", message="there is no target 'Xy'"),
        FieldError(field="title", message="none"),
        FieldError(field="groups[2].name", message="too long"),
        FieldError(field="groups", message="too many"),
    ]
    assert [(one.field, one.message) for one in with_lines(errors, found.places)] == [
        ("title", "none"),
        ("components", "too many"),
        ("components", "line 3: there is no target 'Xy'"),
        ("components", "line 4: too long"),
    ]
    many = [FieldError(field=f"groups[0].components[{n}].name", message="x") for n in range(30)]
    assert with_lines(many, {})[-1].message == "and 10 more"
