"""Batches on disk; they survive the prober, also a killed one.

Each prober has a directory of its own, locked (flock) for its lifetime; a later prober of the
machine takes over the directory of a dead one. A directory has segments, a segment has frames, a
frame has one batch: a state byte (waiting or done), then the data under the CRC-32. A segment is
deleted when all its frames are done. A killed prober may leave a torn frame at the end: a segment
is read up to it. Nothing is synced: frames survive the process, not a loss of power shortly after.
"""

import errno
import fcntl
import os
import struct
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from foundation.telemetry import logger
from producers.publishing.batch import SealedBatch, SpoolPosition

SEGMENT_BYTES: Final = 8_000_000

# Still waiting or done; CRC of all that follows; length of the body; partition; results.
_HEAD: Final = struct.Struct(">cIIII")
_COVERED: Final = struct.Struct(">III")
_WAITING: Final = b"W"
_DONE: Final = b"D"
_MOST_RESULTS: Final = 1_000_000
_LOCK: Final = "lock"


class DamagedError(Exception):
    """The data read differs from the data written."""


class Filed(Struct, frozen=True, gc=False, kw_only=True):
    """The fields of a batch in the file that stay in memory; see `SealedBatch`."""

    partition: int
    number: int
    count: int
    routine: int
    place: SpoolPosition


class _Directory:
    """A directory locked by this process."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.lock = lock
        self.segments = 0

    def leave(self) -> None:
        """Unlocks the directory; deletes it first if it is empty."""
        if not self.segments:
            # Deleted before the unlock: no other process locks a directory that is about to go.
            (self.path / _LOCK).unlink(missing_ok=True)
            self.path.rmdir()
        os.close(self.lock)


class _Segment:
    def __init__(self, directory: _Directory, path: Path, number: int, size: int) -> None:
        self.directory = directory
        self.path = path
        self.number = number
        self.size = size
        self.waiting = 0


class SpoolFile:
    """The spool's part on disk, below `root`: at most `limit` bytes in whole segments."""

    def __init__(self, root: Path, limit: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._root = root
        self._limit = limit
        self._segment_bytes = segment_bytes
        self._own: _Directory | None = None
        self._taken: list[_Directory] = []
        self._segments: dict[int, _Segment] = {}
        self._descriptors: dict[int, int] = {}
        self._writing: _Segment | None = None
        self._numbers = 0

    @property
    def size(self) -> int:
        """The size on disk in bytes."""
        return sum(segment.size for segment in self._segments.values())

    def write(self, sealed: SealedBatch) -> SpoolPosition:
        """Writes a batch completely before it returns.

        Raises:
            OSError: the write failed (EDQUOT: the limit is reached); nothing of the batch remains.
        """
        packed = sealed.pack()
        bits = sum(1 << index for index, kept in enumerate(packed.kept) if kept)
        body = bits.to_bytes(_bitmap_bytes(packed.count), "big") + packed.payload
        frame = _frame(packed.partition, packed.count, body)
        if self.size + len(frame) > self._limit:
            raise OSError(errno.EDQUOT, f"the spool's file has its limit of {self._limit} bytes")
        segment = self._writable()
        descriptor, offset = self._descriptors[segment.number], segment.size
        try:
            _write_all(descriptor, frame, offset)
        except OSError:
            self._writing = None  # its end may be torn now
            os.ftruncate(descriptor, offset)
            if segment.waiting == 0:
                self._remove(segment)
            raise
        segment.size += len(frame)
        segment.waiting += 1
        if segment.size >= self._segment_bytes:
            self._writing = None
        return SpoolPosition(segment=segment.number, offset=offset, length=len(frame))

    def read(self, filed: Filed) -> SealedBatch:
        """Reads a batch.

        Raises:
            OSError: it can't be read.
            DamagedError: the data differs from the data written.
        """
        place = filed.place
        raw = os.pread(self._descriptors[place.segment], place.length, place.offset)
        found = _parse(raw, 0)
        if found is None:
            path = self._segments[place.segment].path
            raise DamagedError(f"{path}: the frame at {place.offset} is damaged")
        _, partition, kept, payload, _ = found
        return SealedBatch(
            partition=partition,
            number=filed.number,
            payload=payload,
            kept=kept,
            packed=True,
            place=place,
        )

    def done(self, place: SpoolPosition) -> None:
        """Marks a frame as done, also for a later prober."""
        segment = self._segments[place.segment]
        segment.waiting -= 1
        try:
            if segment.waiting == 0:
                self._remove(segment)
            else:
                os.pwrite(self._descriptors[place.segment], _DONE, place.offset)
        except OSError as error:
            # A later prober may then publish the same bytes again; duplicates are removed.
            logger(__name__).warning("can't mark what was published", error=str(error))

    def take_over(self) -> list[Filed]:
        """The batches of dead probers of this machine, the oldest first; to be called once."""
        found: list[Filed] = []
        if not self._root.is_dir():
            return found
        for path in sorted(self._root.iterdir(), key=lambda one: (one.stat().st_mtime, one.name)):
            directory = _locked(path)
            if directory is None:
                continue
            self._taken.append(directory)
            for segment_path in sorted(path.glob("*.spool")):
                found.extend(self._take_over(directory, segment_path))
            self._leave_if_empty(directory)
        first = -len(found)
        return [
            Filed(
                partition=one.partition,
                number=first + index,
                count=one.count,
                routine=one.routine,
                place=one.place,
            )
            for index, one in enumerate(found)
        ]

    def close(self) -> None:
        """Closes the files; waiting batches stay for a later prober."""
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()
        for directory in (*self._taken, *([self._own] if self._own else [])):
            directory.leave()
        self._taken, self._own = [], None

    # Segments

    def _writable(self) -> _Segment:
        if self._writing is None:
            if self._own is None:
                self._own = self._make_directory()
            path = self._own.path / f"{self._numbers:010}.spool"
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
            descriptor = os.open(path, flags, 0o600)
            self._writing = self._add(self._own, path, descriptor, 0)
        return self._writing

    def _make_directory(self) -> _Directory:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            path = self._root / uuid.uuid4().hex
            path.mkdir(mode=0o700)
            # Another prober may take over the unlocked directory first.
            if (directory := _locked(path)) is not None:
                return directory

    def _add(self, directory: _Directory, path: Path, descriptor: int, size: int) -> _Segment:
        segment = _Segment(directory, path, self._numbers, size)
        self._segments[segment.number] = segment
        self._descriptors[segment.number] = descriptor
        self._numbers += 1
        directory.segments += 1
        return segment

    def _remove(self, segment: _Segment) -> None:
        if self._writing is segment:
            self._writing = None
        del self._segments[segment.number]
        os.close(self._descriptors.pop(segment.number))
        segment.path.unlink(missing_ok=True)
        segment.directory.segments -= 1
        self._leave_if_empty(segment.directory)

    def _leave_if_empty(self, directory: _Directory) -> None:
        if directory in self._taken and not directory.segments:
            self._taken.remove(directory)
            directory.leave()

    def _take_over(self, directory: _Directory, path: Path) -> Iterator[Filed]:
        data = path.read_bytes()
        segment = self._add(directory, path, os.open(path, os.O_RDWR), len(data))
        offset, count = 0, 0
        while (found := _parse(data, offset)) is not None:
            state, partition, kept, _, end = found
            if state == _WAITING:
                segment.waiting += 1
                count += len(kept)
                place = SpoolPosition(segment=segment.number, offset=offset, length=end - offset)
                yield Filed(
                    partition=partition,
                    number=0,
                    count=len(kept),
                    routine=len(kept) - sum(kept),
                    place=place,
                )
            offset = end
        if offset < len(data):
            logger(__name__).warning(
                "the spool's file is torn; what was being written is lost",
                file=str(path),
                after=offset,
                bytes=len(data) - offset,
            )
        if segment.waiting == 0:
            self._remove(segment)
        else:
            logger(__name__).info("results of an earlier prober", file=str(path), count=count)


def _locked(path: Path) -> _Directory | None:
    """The locked directory, None if another process has the lock or the directory is gone."""
    try:
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        gone = os.fstat(descriptor).st_nlink == 0
    except OSError:
        gone = True
    if gone:
        os.close(descriptor)
        return None
    return _Directory(path, descriptor)


def _frame(partition: int, count: int, body: bytes) -> bytes:
    covered = _COVERED.pack(len(body), partition, count)
    crc = zlib.crc32(body, zlib.crc32(covered))
    return _HEAD.pack(_WAITING, crc, len(body), partition, count) + body


def _parse(data: bytes, offset: int) -> tuple[bytes, int, tuple[bool, ...], bytes, int] | None:
    """State, partition, kept, payload, and end of a frame; None if the frame is incomplete."""
    start = offset + _HEAD.size
    if len(data) < start:
        return None
    state, crc, length, partition, count = _HEAD.unpack_from(data, offset)
    body = data[start : start + length]
    width = _bitmap_bytes(count)
    if len(body) < length or length < width or not 0 < count <= _MOST_RESULTS:
        return None
    if zlib.crc32(body, zlib.crc32(_COVERED.pack(length, partition, count))) != crc:
        return None
    bits = int.from_bytes(body[:width], "big")
    kept = tuple(bool(bits >> index & 1) for index in range(count))
    return state, partition, kept, body[width:], start + length


def _bitmap_bytes(count: int) -> int:
    return (count + 7) // 8


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(descriptor, left, offset)
        left, offset = left[written:], offset + written
