"""The files of the repository that are made from the Structs of the inventory."""

from pathlib import Path
from typing import Final

import msgspec

from portquorum.inventory.reference.editor_schema import editor_schema
from portquorum.inventory.reference.page import page

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = ROOT / "docs" / "inventory-fields.md"
SCHEMA: Final = ROOT / "docs" / "inventory.schema.json"


def generated() -> dict[Path, bytes]:
    """Path → content of every generated file."""
    schema = msgspec.json.format(msgspec.json.encode(editor_schema()), indent=1)
    return {SCHEMA: schema + b"\n", PAGE: page().encode()}


def differences() -> list[Path]:
    """The files that are missing, or differ from what is generated now."""
    return [
        path
        for path, content in generated().items()
        if not path.is_file() or path.read_bytes() != content
    ]
