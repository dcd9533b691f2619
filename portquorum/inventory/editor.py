"""What makes an editor know an inventory file: its JSON Schema, and the line that names it.

The schema lies beside the file, hidden: it is found without a network, and it is that of the
version that wrote it. A URL would need both.
"""

from pathlib import Path
from typing import Final

import msgspec

from portquorum.inventory.reference.editor_schema import editor_schema
from portquorum.inventory.replace_file import replace_file

SCHEMA_FILE: Final = ".portquorum.schema.json"
MODELINE: Final = f"# yaml-language-server: $schema={SCHEMA_FILE}"
"""The first line of an inventory file, for editors with the YAML language server."""


def schema_text() -> str:
    """The JSON Schema of an inventory file, with a line end."""
    return msgspec.json.encode(editor_schema()).decode() + "\n"


def write_beside(inventory: Path) -> None:
    """Writes the schema into the folder of `inventory`, unless it is there as it should be.

    Raises:
        OSError: it can't be written.
    """
    path, text = inventory.parent / SCHEMA_FILE, schema_text()
    if not path.is_file() or path.read_bytes() != text.encode():
        replace_file(path, text)
