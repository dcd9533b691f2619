"""Applies an inventory again whenever its files change."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from aiokafka.errors import KafkaError
from msgspec import Struct
from watchfiles import awatch

from foundation.backoff import Backoff
from foundation.kafka import TopicMismatchError
from foundation.kafka.trouble import explained
from foundation.lifecycle import cancelled, set_within
from foundation.settings import Settings
from portquorum.inventory.errors import ApplyError, InventoryError
from portquorum.inventory.load import files
from portquorum.inventory.publish import ApplyReport, apply, source_name

_BACKOFF: Final = Backoff(first_s=1.0, longest_s=30.0)
LOOK_ANYWAY_S: Final = 10.0
"""Time after which files are read without a notification, in s: some file systems (network,
containers) send none."""

_SETTLE_S: Final = 0.3
"""Time without a change after which a save counts as finished, in s."""
_SETTLE_LOOKS: Final = 30


class WatchEvent(Struct, frozen=True):
    """The outcome of an apply at start or after a change of the inventory.

    `applied` has the report. `refused`: the files are wrong, empty or would remove too much;
    `message` says what, and the published inventory stays. `failed`: the cluster did not accept it;
    another attempt follows.
    """

    what: Literal["applied", "refused", "failed"]
    message: str
    report: ApplyReport | None = None


async def watch_and_apply(
    settings: Settings,
    paths: Sequence[Path],
    on_event: Callable[[WatchEvent], None],
    *,
    source: str | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Applies now and after each change of content, until `stop` is set or it is cancelled.

    Watches the folders of the files. Thus it notices an editor that replaces a file, a symbolic
    link that changes (a Kubernetes ConfigMap) and a file that does not exist yet.
    """
    name = source_name(paths, source)
    stop = stop or asyncio.Event()
    folders = _folders(paths)
    changed = asyncio.Event()
    watcher = asyncio.create_task(_watch(folders, changed, stop))
    seen: bytes | None = None
    try:
        while not stop.is_set():
            changed.clear()
            content = await _settled(paths, seen, stop)
            if content != seen:
                event = await _apply(settings, paths, name)
                on_event(event)
                wait_s = _BACKOFF.next(None)
                while event.what == "failed" and not await set_within(wait_s, changed, stop):
                    wait_s = _BACKOFF.next(wait_s)
                    event = await _apply(settings, paths, name)
                    if event.what != "failed":
                        on_event(event)
                seen = None if event.what == "failed" else content
            await set_within(LOOK_ANYWAY_S, changed, stop)
    finally:
        await cancelled(watcher)


async def _apply(settings: Settings, paths: Sequence[Path], source: str) -> WatchEvent:
    try:
        report = await apply(settings, paths, source=source)
    except InventoryError as error:
        return WatchEvent("refused", str(error))
    except TopicMismatchError as error:
        return WatchEvent("refused", str(error))
    except (KafkaError, OSError) as error:
        return WatchEvent("failed", await explained(settings, error))
    except ApplyError as error:
        return WatchEvent("failed" if error.again else "refused", str(error))
    return WatchEvent("applied", summary(report), report)


def summary(report: ApplyReport) -> str:
    """A report in one line for people."""
    counts = {
        "added": len(report.added),
        "changed": len(report.changed),
        "removed": len(report.removed),
        "unchanged": report.unchanged,
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"inventory {report.source}: {said or 'no targets'}"


def _folders(paths: Sequence[Path]) -> set[Path]:
    """The folders of all files; one that comes later within another is seen at the next look."""
    found = {path.resolve() if path.is_dir() else path.absolute().parent for path in paths}
    with suppress(InventoryError, OSError):
        found |= {file.absolute().parent for file in files(paths)}
    return found


async def _watch(folders: set[Path], changed: asyncio.Event, stop: asyncio.Event) -> None:
    async for _ in awatch(*folders, recursive=False, stop_event=stop):
        changed.set()


async def _settled(paths: Sequence[Path], seen: bytes | None, stop: asyncio.Event) -> bytes:
    """The fingerprint of the files, read again until a save is over: an editor may truncate first.

    `seen` is that of the last apply, None before the first.
    """
    content = await asyncio.to_thread(_fingerprint, paths)
    for _ in range(_SETTLE_LOOKS):
        if seen is None or content == seen or await set_within(_SETTLE_S, stop):
            break
        before, content = content, await asyncio.to_thread(_fingerprint, paths)
        if content == before:
            break
    return content


def _fingerprint(paths: Sequence[Path]) -> bytes:
    digest = hashlib.sha256()
    try:
        for path in files(paths):
            digest.update(f"{path}\0".encode())
            digest.update(path.read_bytes())
    except (InventoryError, OSError) as error:
        digest.update(repr(error).encode())
    return digest.digest()
