"""`python -m portquorum.cli.completion [--check]`: writes the tree of the commands.

With `--check` nothing is written; the exit code is 1 if the file differs from the generated one.
"""

import json
import sys

from portquorum.cli.completion.answer import TREE
from portquorum.cli.completion.tree import tree


def text() -> str:
    """The file as it should be: a line for each parameter, so that changes do not meet."""
    return json.dumps(tree(), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Writes the file, or compares it; returns the exit code."""
    if TREE.is_file() and TREE.read_text(encoding="utf-8") == text():
        return 0
    check = "--check" in arguments
    if not check:
        TREE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{'differs' if check else 'written'}: {TREE.name}\n")
    return 1 if check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
