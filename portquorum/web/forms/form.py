"""A form as a value: fields, groups, buttons, errors. `form.html` shows it. Pure."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from portquorum.changing.errors import ChangeError, FieldError

FieldKind = Literal[
    "text",
    "password",
    "datetime-local",
    "checkbox",
    "boxes",
    "select",
    "radio",
    "textarea",
]

_PART: Final = re.compile(r"[.\[\]]+")


class Option(NamedTuple):
    """A choice: its value, and its words."""

    value: str
    words: str


class Field(Struct, frozen=True, kw_only=True):
    """A field as it is shown.

    `name` is the parameter, `value` what stands in it (of a checkbox: `1` if it is checked; of
    `boxes`, of which several can be checked, one a line). `hint`
    says what is expected, `error` what is wrong. `most`: characters that fit. `suggestions` are
    offered, and other values are taken, too. `again`: another choice shows other fields.
    """

    name: str
    label: str
    kind: FieldKind = "text"
    value: str = ""
    hint: str = ""
    error: str = ""
    options: Sequence[Option] = ()
    suggestions: Sequence[str] = ()
    is_needed: bool = False
    is_code: bool = False
    autocomplete: str = "off"
    inputmode: str = ""
    placeholder: str = ""
    most: int | None = None
    rows: int = 3
    again: str = ""

    @property
    def described_by(self) -> str:
        """The ids of what is said of it, the worse first."""
        said = ((self.error, "error"), (self.hint, "hint"))
        return " ".join(f"{self.id}-{name}" for text, name in said if text)

    @property
    def id(self) -> str:
        """The id of its element."""
        return f"f-{self.name}"


class Group(Struct, frozen=True, kw_only=True):
    """Fields under a legend (empty: none); `is_folded`: shown when somebody asks for them."""

    fields: Sequence[Field]
    legend: str = ""
    note: str = ""
    name: str = ""
    is_folded: bool = False


class Button(NamedTuple):
    """A button: the value of the parameter `do`, its words, and its looks."""

    do: str
    words: str
    looks: Literal["main", "danger", ""] = ""


class Form(Struct, frozen=True, kw_only=True):
    """A form and its page.

    `path` is its address, `intro` sentences above it, `back` where one goes without it. `trouble`
    is one sentence for all of it, `errors` those that belong to no field. `in_place`: the script
    sends it and puts the answer in its place (its page need not be left). `command`: the same from
    a terminal.
    """

    title: str
    path: str
    back: str
    buttons: Sequence[Button]
    groups: Sequence[Group] = ()
    intro: Sequence[str] = ()
    hidden: Sequence[tuple[str, str]] = ()
    trouble: str = ""
    errors: Sequence[FieldError] = ()
    in_place: bool = False
    command: str = ""

    @property
    def fields(self) -> list[Field]:
        """All fields of all groups."""
        return [field for group in self.groups for field in group.fields]

    @property
    def wrong(self) -> list[Field]:
        """The fields with an error."""
        return [field for field in self.fields if field.error]

    @property
    def has_errors(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.trouble or self.errors or self.wrong)


def with_errors(form: Form, errors: Sequence[FieldError], trouble: str = "") -> Form:
    """The form with each error at its field, or at the nearest one that its path begins with."""
    names = {field.name for field in form.fields}
    at: dict[str, list[str]] = {}
    other: list[FieldError] = []
    for one in errors:
        place = _nearest(one.field, names)
        if place is None:
            other.append(one)
        else:
            at.setdefault(place, []).append(one.message)
    groups = [
        replace(
            group,
            fields=[
                replace(field, error="; ".join(at[field.name])) if field.name in at else field
                for field in group.fields
            ],
            is_folded=group.is_folded and not any(field.name in at for field in group.fields),
        )
        for group in form.groups
    ]
    # A sentence that only repeats the fields' says nothing more.
    said = trouble if other or not at or not errors else ""
    return replace(form, groups=groups, errors=other, trouble=said or ("" if at else trouble))


def refused(form: Form, error: ChangeError) -> tuple[Form, HTTPStatus]:
    """The form with what a change was refused for, and the status of its answer."""
    return with_errors(form, error.errors, error.detail), error.status


def _nearest(path: str, names: set[str]) -> str | None:
    """The field of an error: `probe.conditions[2].matches` is at `probe.conditions`."""
    parts = [one for one in _PART.split(path) if one]
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in names:
            return name
    return None


def options_of(words: Mapping[str, str]) -> list[Option]:
    """Choices of a mapping of values to words."""
    return [Option(value, said) for value, said in words.items()]
