"""`python -m schemas.generate [--check]`: generates files from the Structs and the topics.

The files are `schemas/json/*.schema.json` and `docs/topics.md` of this package's repository. With
`--check` nothing is written; the exit code is 1 if a file differs from the generated one.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

import msgspec

from schemas.json_schema import all_schemas
from schemas.topics_page import page

PACKAGE: Final = Path(__file__).parent
SUFFIX: Final = ".schema.json"


def generated() -> dict[Path, bytes]:
    """Path → content of every generated file."""
    files = {PACKAGE.parent / "docs" / "topics.md": page().encode()}
    for name, schema in all_schemas().items():
        text = msgspec.json.format(msgspec.json.encode(schema), indent=2)
        files[PACKAGE / "json" / f"{name}{SUFFIX}"] = text + b"\n"
    return files


def differences() -> list[Path]:
    """The files that are missing, differ from what is generated now, or should not be there."""
    files = generated()
    stale = [path for path in (PACKAGE / "json").glob(f"*{SUFFIX}") if path not in files]
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
