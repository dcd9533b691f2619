"""Snapshots in files below `data_dir`, so that pages are there before Kafka is, and without it.

A file is not believed: it may be of another version, cut, or somebody else's. What can't be read as
a snapshot of the page that its name says is left where it is, and not shown.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from foundation.telemetry import logger
from portquorum.status_pages.model import Snapshot
from schemas._types import Millis

FOLDER: Final = "status-pages"
SEEN: Final = "seen.json"
MOST_BYTES: Final = 32 << 20
MOST_FILES: Final = 1_000
_SUFFIX: Final = ".snapshot"

_UNREADABLE: Final = (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_log: Final = logger(__name__)
_decoder: Final = msgspec.msgpack.Decoder(Snapshot)
_encoder: Final = msgspec.msgpack.Encoder()


class _SeenAt(Struct, frozen=True):
    at: Millis


class SnapshotFiles:
    """The folder of one role `web`; several may share it, since each file is replaced whole."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    def read(self, now: int) -> dict[str, Snapshot]:
        """All snapshots that can be believed, by slug. None is newer than `now` (UTC ms)."""
        confirmed = self._confirmed(now)
        found = {}
        for path in self._paths():
            one = _read(path)
            if one is None:
                continue
            if one.slug != path.name.removesuffix(_SUFFIX) or (one.seen_at or 0) > now:
                _log.warning("a status page's file is not believed", file=path.name)
                continue
            if one.seen_at is not None and confirmed is not None:
                one = replace(one, seen_at=max(one.seen_at, confirmed))
            found[one.slug] = one
        return found

    def write(self, one: Snapshot) -> None:
        """Replaces a page's file.

        Raises:
            OSError: it can't be written.
        """
        self._replace(f"{one.slug}{_SUFFIX}", _encoder.encode(one))

    def confirm(self, at: int) -> None:
        """What all files say was still true at `at` (UTC ms).

        Raises:
            OSError: it can't be written.
        """
        self._replace(SEEN, msgspec.json.encode(_SeenAt(at)))

    def remove(self, slug: str) -> None:
        """A page is gone.

        Raises:
            OSError: its file can't be removed.
        """
        (self._folder / f"{slug}{_SUFFIX}").unlink(missing_ok=True)

    def _paths(self) -> Iterator[Path]:
        try:
            paths = sorted(one for one in self._folder.iterdir() if one.suffix == _SUFFIX)
        except OSError:
            return
        yield from paths[:MOST_FILES]

    def _confirmed(self, now: int) -> int | None:
        try:
            found = msgspec.json.decode(_bounded(self._folder / SEEN), type=_SeenAt)
        except _UNREADABLE:
            return None
        return found.at if found.at <= now else None

    def _replace(self, name: str, value: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Not the number of the process: in two containers that share the folder it is the same.
        new = self._folder / f".{name}.{secrets.token_hex(4)}"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(value)
            new.replace(self._folder / name)
        except OSError:
            new.unlink(missing_ok=True)
            raise


def _read(path: Path) -> Snapshot | None:
    try:
        return _decoder.decode(_bounded(path))
    except _UNREADABLE as error:
        _log.warning("a status page's file can't be read", file=path.name, error=str(error)[:200])
        return None


def _bounded(path: Path) -> bytes:
    """The bytes of a regular file.

    Raises:
        OSError: there is none, it is no regular file, or larger than `MOST_BYTES`.
    """
    # A pipe that somebody put there would be waited for without end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
            raise OSError(f"expected a file of at most {MOST_BYTES} bytes, found another thing")
        return file.read(MOST_BYTES)
