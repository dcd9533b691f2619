"""The entries of docs/recipes.md, as they stand there."""

import re
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

PAGE: Final = Path(__file__).parents[3] / "docs" / "recipes.md"
_BLOCK: Final = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Recipe(Struct, frozen=True):
    """An entry of the page: its name, the kind of check and its options as they are written."""

    name: str
    kind: str
    host: str
    port: int | None
    probe: dict[str, Any]


def entries() -> list[dict[str, Any]]:
    """Every entry of an inventory on the page, in order."""
    found = [yaml.safe_load(block) for block in _BLOCK.findall(PAGE.read_text())]
    return [entry for block in found for entry in block]


def recipes() -> dict[str, Recipe]:
    """The recipes of the page by name."""
    return {
        entry["name"]: Recipe(
            name=entry["name"],
            kind=entry.get("kind", "tcp"),
            host=entry["host"],
            port=entry.get("port"),
            probe=entry["probe"],
        )
        for entry in entries()
    }
