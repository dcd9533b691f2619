"""What the last contact with a cluster knew by name, kept for completion. Never in anybody's way.

It lies in the user's cache, a file for each cluster. What can't be read is not there, and what
can't be written is forgotten.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

MOST: Final = 100_000
"""Names of one kind that are kept."""

_KEPT_S: Final = 30 * 86_400

_WHERE: Final = (
    *("PORTQUORUM_KAFKA", "PORTQUORUM_CLICKHOUSE", "PORTQUORUM_DATA_DIR"),
    "PORTQUORUM_TOPIC_PREFIX",
)
"""Settings by which clusters differ."""

Names = dict[str, list[str]]


def remember(known: Mapping[str, Iterable[str]], *, all_of: bool = False) -> None:
    """Keeps names by their kind (`target`, `incident`, `team`, …), the new ones first.

    With `all_of` there are no others of these kinds.
    """
    with suppress(Exception):
        path = _path("cluster", *(os.environ.get(name, "") for name in _WHERE))
        before = _load(path)
        for kind, names in known.items():
            old = () if all_of else before.get(kind, ())
            before[kind] = list(dict.fromkeys((*names, *old)))[:MOST]
        _store(path, before)


def remembered() -> Names:
    """What was kept of the cluster that the environment names."""
    return _load(_path("cluster", *(os.environ.get(name, "") for name in _WHERE)))


def kept(mark: str) -> Names | None:
    """The names of a file in a state; None if there are none."""
    return _load(_path("file", mark)) or None


def keep(mark: str, known: Names) -> None:
    """Keeps the names of a file."""
    with suppress(Exception):
        _store(_path("file", mark), known)


def _path(what: str, *parts: str) -> Path:
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return _folder() / "completion" / f"{what}-{digest}.json"


def _folder() -> Path:
    """`$PORTQUORUM_CACHE`, else `$XDG_CACHE_HOME/portquorum`, else `~/.cache/portquorum`."""
    own = os.environ.get("PORTQUORUM_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(home) / "portquorum"


def _load(path: Path) -> Names:
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        return {kind: [str(name) for name in names] for kind, names in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _store(path: Path, known: Names) -> None:
    """Writes a file; others that nobody has written for a month go."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(known, file)
    Path(name).replace(path)
    old = path.stat().st_mtime - _KEPT_S
    for other in path.parent.glob("*.json"):
        if other.stat().st_mtime < old:
            other.unlink(missing_ok=True)
