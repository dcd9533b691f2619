"""`python -m schemas.generate [--check]`: generates files from the Structs and the topics.

The files are `schemas/json/` (JSON Schemas), `schemas/messages/` (whole messages),
`schemas/asyncapi.yaml` and `docs/topics.md` of this package's repository. With `--check` nothing is
written; the exit code is 1 if a file differs from the generated one.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

import msgspec

from schemas import asyncapi, messages
from schemas.json_schema import all_schemas
from schemas.topics_page import page

PACKAGE: Final = Path(__file__).parent
SUFFIX: Final = ".schema.json"


def generated() -> dict[Path, bytes]:
    """Path → content of every generated file."""
    files = {
        PACKAGE.parent / "docs" / "topics.md": page().encode(),
        PACKAGE / "asyncapi.yaml": asyncapi.text().encode(),
    }
    for name, schema in all_schemas().items():
        files[PACKAGE / "json" / f"{name}{SUFFIX}"] = _formatted(schema)
    for topic, listed in messages.all_messages().items():
        for name, message in listed.items():
            files[PACKAGE / "messages" / topic / f"{name}.json"] = _formatted(message)
    return files


def _formatted(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def differences() -> list[Path]:
    """The files that are missing, differ from what is generated now, or should not be there."""
    files = generated()
    written = [*(PACKAGE / "json").rglob("*.json"), *(PACKAGE / "messages").rglob("*.json")]
    stale = [path for path in written if path not in files]
    return stale + [
        path
        for path, content in files.items()
        if not path.is_file() or path.read_bytes() != content
    ]


def main(arguments: list[str]) -> int:
    """Writes the files, or compares them; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; 1 if one differs")
    check = parser.parse_args(arguments).check
    changed = differences()
    for path in changed:
        word = "differs" if check else "written"
        sys.stdout.write(f"{word}: {path.relative_to(PACKAGE.parent)}\n")
    if check:
        return 1 if changed else 0
    files = generated()
    for path in changed:
        if path not in files:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[path])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
