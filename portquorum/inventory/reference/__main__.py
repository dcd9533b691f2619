"""`python -m portquorum.inventory.reference [--check]`: writes what is made from the Structs.

The schema of inventory files, and the page of docs/ with every field of them. With `--check`
nothing is written; the exit code is 1 if a file differs from the generated one.
"""

import argparse
import sys

from portquorum.inventory.reference.generated import ROOT, differences, generated


def main(arguments: list[str]) -> int:
    """Writes the files, or compares them; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m portquorum.inventory.reference")
    parser.add_argument("--check", action="store_true", help="compare only; 1 if one differs")
    check = parser.parse_args(arguments).check
    changed = differences()
    for path in changed:
        if not check:
            path.write_bytes(generated()[path])
        sys.stdout.write(f"{'differs' if check else 'written'}: {path.relative_to(ROOT)}\n")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
