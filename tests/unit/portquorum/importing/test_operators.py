"""Of what befalls no single target somebody hears after each import."""

from pathlib import Path
from typing import Any

import pytest

from portquorum.importing import writer
from portquorum.importing.assemble import assemble
from portquorum.importing.model import Found, Import, Options, Place
from portquorum.inventory import check
from portquorum.inventory.reach import reach

ME = ["json://localhost/me"]
BOSS = ["json://localhost/boss"]


def written(folder: Path, routes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The routes of an import; the inventory is checked, and says that all is heard."""
    target = {"name": "a", "kind": "tcp", "host": "a.example.com", "port": 1, "tags": ["x"]}
    entry = Found(name="a", place=Place("f", 1), targets=[target | {"team": "t"}])
    found = Import(source="gatus", entries=[entry], routes=routes, teams={"t": {"routes": ["me"]}})
    document, report = assemble(found, Options())
    path = folder / "inventory.yaml"
    path.write_text(writer.document(document, report))
    assert [one.text for one in reach(check([path]), 0) if "nobody but" in one.text] == []
    return dict(document["routes"])


@pytest.mark.parametrize(
    ("condition", "urls"),
    [
        ({"tags": ["x"], "default": True}, ME),
        ({"teams": ["*"]}, ME),
        ({"default": False}, ME),
        ({"default": True, "severities": ["critical", "warning"]}, ME),
    ],
)
def test_a_route_of_its_own_hears(tmp_path: Path, condition: Any, urls: list[str]) -> None:
    routes = written(tmp_path, {"me": {"urls": ME} | condition})
    assert routes["operators"] == {"urls": urls, "operators": True, "default": False}


def test_its_channels_are_those_of_the_route_that_was_meant_for_it(tmp_path: Path) -> None:
    boss = {"urls": BOSS, "teams": ["*"], "operators": True}
    routes = written(tmp_path, {"me": {"urls": ME, "default": False}, "boss": boss})
    assert routes["operators"]["urls"] == BOSS
    assert "operators" not in routes["boss"]


def test_where_a_route_hears_there_is_no_other(tmp_path: Path) -> None:
    assert list(written(tmp_path, {"me": {"urls": ME, "default": True}})) == ["me"]
    boss = {"urls": BOSS, "operators": True}
    assert list(written(tmp_path, {"me": {"urls": ME, "default": False}, "boss": boss})) == [
        "me",
        "boss",
    ]
