"""docs/recipes.md: each entry is right, and is held against a server."""

import json
from pathlib import Path

from portquorum.inventory import check
from tests.integration.recipes import servers
from tests.integration.recipes.page import PAGE, entries, recipes
from tests.wide import recipes as heavy


def test_the_entries_are_an_inventory(tmp_path: Path) -> None:
    file = tmp_path / "inventory.yaml"
    file.write_text(json.dumps({"regions": {"here": {}}, "targets": entries()}))
    inventory = check([file])
    assert [target.name for target in inventory.targets] == list(recipes())


def test_each_entry_has_one_server() -> None:
    held = [*servers.HELD, *heavy.HELD]
    assert sorted(held) == sorted(recipes())


def test_each_section_says_which_server_it_was_held_against() -> None:
    _, *sections = PAGE.read_text().split("\n### ")
    for section in sections:
        assert "\nHeld against " in section, section.partition("\n")[0]
