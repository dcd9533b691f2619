"""`target add`: the target is in the file, everything else is as it was."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.inventory import InventoryError, TargetEntry, add, parse_place
from portquorum.inventory.append import item
from portquorum.inventory.tree import read

Write = Callable[..., Path]
HEAD = "regions: {a: {}}\n"
ENTRY = TargetEntry(host="db1.example.com", port=5432)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "targets:\n  - host: x # its comment\n    port: 1\n\n# the end\n",
            (
                "targets:\n  - host: x # its comment\n    port: 1\n"
                "  - host: db1.example.com\n    port: 5432\n\n# the end\n"
            ),
        ),
        (
            "targets:\n- {host: x, port: 1}\nteams: {}\n",
            "targets:\n- {host: x, port: 1}\n- host: db1.example.com\n  port: 5432\nteams: {}\n",
        ),
        (
            "targets:\n  - host: x\n    port: 1\n    purpose: |\n      two\n      lines\n",
            (
                "targets:\n  - host: x\n    port: 1\n    purpose: |\n      two\n      lines\n"
                "  - host: db1.example.com\n    port: 5432\n"
            ),
        ),
        (
            (
                "templates: {t: {port: 1}}\ntargets:\n  - {host: x, extends: t}\n"
                "  - {host: y, ports: 1-3}\n"
            ),
            (
                "templates: {t: {port: 1}}\ntargets:\n  - {host: x, extends: t}\n"
                "  - {host: y, ports: 1-3}\n  - host: db1.example.com\n    port: 5432\n"
            ),
        ),
        ("targets:\n", "targets:\n  - host: db1.example.com\n    port: 5432\n"),
        (
            "# no targets yet",
            "# no targets yet\ntargets:\n  - host: db1.example.com\n    port: 5432\n",
        ),
        (
            "targets:\n  - {host: x, port: 1}",
            "targets:\n  - {host: x, port: 1}\n  - host: db1.example.com\n    port: 5432\n",
        ),
    ],
)
def test_it_is_appended_and_the_rest_stays(file: Write, before: str, after: str) -> None:
    path = file(HEAD + before)
    added = add(path, ENTRY)
    assert path.read_text() == HEAD + after
    assert not added.created
    assert added.target.id == "db1.example.com-5432"


def test_windows_line_ends_stay(file: Write) -> None:
    path = file("")
    path.write_bytes(b"regions: {a: {}}\r\ntargets:\r\n  - {host: x, port: 1}\r\n")
    add(path, ENTRY)
    assert path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n") == 5


@pytest.mark.parametrize("targets", ["[{host: x, port: 1}]", "[]", "&t [{host: x, port: 1}]"])
def test_what_cannot_be_extended_safely_is_said_and_left(file: Write, targets: str) -> None:
    path = file(f"{HEAD}targets: {targets}\n")
    with pytest.raises(InventoryError, match="add the target by hand"):
        add(path, ENTRY)
    assert path.read_text() == f"{HEAD}targets: {targets}\n"


def test_a_target_that_would_be_wrong_is_not_written(file: Write) -> None:
    text = f"{HEAD}targets:\n  - {{host: db1.example.com, port: 5432}}\n"
    path = file(text)
    with pytest.raises(InventoryError, match="is taken by"):
        add(path, ENTRY)
    assert path.read_text() == text
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "inventory.yaml"
    added = add(path, TargetEntry(host="::1", port=22, name="My: #1", tags=("no", "a b")))
    assert added.created
    assert added.target.regions == ("local",)
    assert added.target.tags == ("no", "a b")
    assert add(path, ENTRY, new_regions=("x",)).target.regions == ("local",)


def test_a_link_stays_a_link_and_the_mode_stays(file: Write, tmp_path: Path) -> None:
    path = file(HEAD)
    path.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    add(link, ENTRY)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert "db1" in path.read_text()
    assert os.access(path, os.R_OK)


@given(st.text(min_size=1, max_size=50).filter(lambda text: text.isprintable()))
def test_any_text_is_written_so_that_it_is_read_again(text: str) -> None:
    roots, problems = read(item(TargetEntry(name=text, host="x", tags=(text,)), 0), "f")
    assert problems == []
    assert roots[0].value == [{"name": text, "host": "x", "tags": [text]}]


@pytest.mark.parametrize(
    ("place", "parts"),
    [("db1:5432", ("db1", 5432)), ("[::1]:22", ("::1", 22)), ("10.0.0.1:1", ("10.0.0.1", 1))],
)
def test_a_place(place: str, parts: tuple[str, int]) -> None:
    assert parse_place(place) == parts


@pytest.mark.parametrize("place", ["db1", "db1:", ":1", "db1:0", "db1:65536", "::1:22", "a:٣"])
def test_no_place(place: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_place(place)
