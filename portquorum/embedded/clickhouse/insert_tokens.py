"""Removes tokens of inserts that a crash has lost, before the engine starts.

ClickHouse (26.9: `MergeTreeDeduplicationLog::addPart`) writes the token of a block into its table's
log before the part has its name. Killed between the two, it would drop the same insert, sent again,
as a duplicate, and those rows would be nowhere: seen once in 33 kills of a busy machine, in one of
the roll-ups. Later versions write the token after the part (`MergeTreeSink::commitPart`): before
one of them is allowed (pyproject.toml), parts without a token must be found here, too.
"""

import re
from pathlib import Path
from typing import Final

_PART: Final = re.compile(r"([^_]+)_(\d+)_(\d+)_\d+(?:_\d+)?")
_ADDED: Final = "1"
_LATEST: Final = 1_000
"""Last records of a log that may have been in progress: far more than concurrent inserts."""


def forget_lost(data: Path) -> int:
    """Removes the tokens without a part from the tables' logs; returns their number.

    Only while no engine has the folder open. `data` is the engine's folder.

    Raises:
        OSError: a log can't be read or written.
    """
    return sum(_forget(logs) for logs in data.glob("store/*/*/deduplication_logs"))


def _forget(logs: Path) -> int:
    blocks = _blocks(logs.parent)
    forgotten = 0
    for log in sorted(logs.glob("deduplication_log_*.txt"), key=_number)[-2:]:
        lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = lines[:-_LATEST]
        kept += [line for line in lines[-_LATEST:] if not _is_lost(line, blocks)]
        if len(kept) < len(lines):
            new = log.with_suffix(".new")
            new.write_text("".join(kept), encoding="utf-8")
            new.replace(log)
            forgotten += len(lines) - len(kept)
    return forgotten


def _blocks(table: Path) -> dict[str, list[tuple[int, int]]]:
    """The block numbers of a table's parts, by partition."""
    found: dict[str, list[tuple[int, int]]] = {}
    for entry in table.iterdir():
        if match := _PART.fullmatch(entry.name):
            found.setdefault(match[1], []).append((int(match[2]), int(match[3])))
    return found


def _is_lost(line: str, blocks: dict[str, list[tuple[int, int]]]) -> bool:
    operation, _, rest = line.partition("\t")
    match = _PART.fullmatch(rest.partition("\t")[0])
    if operation != _ADDED or match is None:
        return False
    number = int(match[2])
    return not any(first <= number <= last for first, last in blocks.get(match[1], ()))


def _number(log: Path) -> int:
    return int(re.sub(r"\D", "", log.stem) or 0)
