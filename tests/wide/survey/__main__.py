"""Reads files of other monitors and tells how many of their entries an inventory says.

    python -m tests.wide.survey FOLDER…

The folders have files named `FORMAT~OWNER+REPOSITORY~PATH`, as the list of public files names them;
none of them is part of this repository.
"""

import collections
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from portquorum.inventory import check
from portquorum.inventory.errors import InventoryError
from tests.wide.survey import gatus, kuma, others
from tests.wide.survey.entry import Entry
from tests.wide.survey.features import FEATURES
from tests.wide.verification import PAGE, replaced

FORMATS: Final[dict[str, Callable[[str, str], Iterator[Entry]]]] = {
    "gatus": gatus.entries,
    "kuma": kuma.entries,
    "upptime": others.upptime,
    "blackbox": others.blackbox,
    "nagios": others.nagios,
    "icinga2": others.icinga2,
    "monit": others.monit,
}


def read(folders: list[Path]) -> list[Entry]:
    """The entries of all files whose format is known."""
    found = []
    for file in sorted(path for folder in folders for path in folder.iterdir()):
        reader = FORMATS.get(file.name.partition("~")[0])
        if reader is not None:
            found += list(reader(file.read_text(), file.name))
    return found


def judge(entries: list[Entry], folder: Path) -> None:
    """Has each entry's targets checked as an inventory; what is refused is missing."""
    file = folder / "inventory.yaml"
    for entry in entries:
        if not entry.targets:
            continue
        regions = {"here": {"internal": True}}
        written = {"regions": regions, "targets": entry.targets}
        file.write_text(json.dumps(written, ensure_ascii=False))
        try:
            check([file])
        except InventoryError as error:
            if '"status": [999]' in json.dumps(entry.targets):
                entry.features.append("status beyond 599")
            entry.missing = "; ".join(str(problem) for problem in error.problems)[:200]


def page(entries: list[Entry]) -> str:
    """The section of docs/verification.md: the counts, and a table by feature."""
    networked = [entry for entry in entries if entry.networked]
    said = [entry for entry in networked if entry.missing is None]
    formats = collections.Counter(entry.where.partition("~")[0] for entry in entries)
    files = len({entry.where for entry in entries})
    asked: collections.Counter[str] = collections.Counter()
    for entry in networked:
        asked.update(set(entry.features))
    told = ", ".join(f"{name} {count}" for name, count in formats.most_common())
    share = 100 * len(said) / len(networked)
    head = (
        f"{files} files, {len(entries):,} entries ({told}). {len(entries) - len(networked)} of "
        "them ask a host's own agent (disks, processes, counters): no check over a network. Of the "
        f"{len(networked):,} others an inventory says {len(said):,}, {share:.1f} %."
    )
    lines = [
        head,
        "",
        "| asks for | entries | said by |",
        "|---|---|---|",
    ]
    for feature, count in asked.most_common():
        lines.append(f"| {feature} | {count:,} | {FEATURES[feature].how} |")
    return "\n".join(lines) + "\n"


def main(folders: list[Path]) -> None:
    """Writes the section, and prints what is not said."""
    entries = read(folders)
    with tempfile.TemporaryDirectory() as folder:
        judge(entries, Path(folder))
    text = replaced(PAGE.read_text(), "the survey", page(entries))
    PAGE.write_text(text)
    missing = collections.Counter(entry.missing for entry in entries if entry.missing)
    for reason, count in missing.most_common():
        sys.stdout.write(f"{count:5} {reason}\n")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
