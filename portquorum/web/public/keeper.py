"""Keeps the snapshots of all status pages: from files at first, then as fleet and records are."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from foundation.lifecycle import cancelled, set_within
from foundation.log_throttle import LogThrottle
from foundation.telemetry import logger
from portquorum.journal.protocol import Journal
from portquorum.status_pages.build import History, Sight, build, is_same
from portquorum.status_pages.model import Snapshot
from portquorum.web.answers import Freshness
from portquorum.web.history.errors import HistoryTooSlowError, HistoryUnavailableError
from portquorum.web.public.past import AsksPast, history_of
from portquorum.web.public.snapshot_files import SnapshotFiles
from schemas.web import StatusPage, StatusPost, Web

LOOK_S: Final = 0.2
"""An event is on a page within this time, and what building takes."""

SHARE: Final = 5
"""Building takes a fifth of the time at most."""

ANYWAY_MS: Final = 5_000
"""Without any change pages are built so often: windows and planned work begin and end."""

HISTORY_S: Final = 60.0
REST_S: Final = 1.0
"""However often pages are edited, the history is asked no more often."""
WRITE_S: Final = 5.0

_log: Final = logger(__name__)


class Kept(Struct, frozen=True):
    """A snapshot, and a number that is another one for another content (but for `seen_at`)."""

    snapshot: Snapshot
    revision: int


class Watched(Protocol):
    """The part of the fleet that the keeper asks."""

    @property
    def version(self) -> int:
        """Grows with each change."""

    def freshness(self) -> Freshness:
        """How old it is."""


class Keeper:
    """The snapshots by slug. One event loop."""

    def __init__(
        self,
        files: SnapshotFiles,
        journal: Journal,
        fleet: Watched,
        sight: Callable[[], Sight],
        history: AsksPast,
        *,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Reads the files: pages are there before anything else is. `now` gives UTC ms."""
        self._files = files
        self._journal = journal
        self._fleet = fleet
        self._sight = sight
        self._history = history
        self._now = now
        self._revision = 0
        self._kept: dict[str, Kept] = {}
        self._told = 1
        """Grows with each change of a page or a post."""
        self._edited = asyncio.Event()
        """A page was edited: its history may be another one."""
        self._built_for: tuple[int, int, bool] | None = None
        self._built_at = 0
        self._past: dict[str, History] = {}
        self._dirty: set[str] = set()
        self._throttle: LogThrottle[str] = LogThrottle()
        for snapshot in files.read(now()).values():
            self._keep(snapshot)
        self._dirty.clear()
        journal.on_change(self._changed)

    def get(self, slug: str) -> Kept | None:
        """The page of a slug; None: there is none, or it is not known yet."""
        return self._kept.get(slug)

    async def run(self) -> None:
        """Keeps them up to date; cancel the task to stop."""
        asking = asyncio.create_task(self._ask_on())
        writing = asyncio.create_task(self._write_on())
        try:
            while True:
                began = time.monotonic()
                await self.look()
                for task in (asking, writing):
                    if task.done():
                        task.result()
                await asyncio.sleep(max(LOOK_S, SHARE * (time.monotonic() - began)))
        finally:
            await cancelled(asking, writing)

    async def look(self) -> None:
        """Builds what has changed."""
        if not self._journal.is_present.is_set():
            return
        now = self._now()
        fresh = self._fleet.freshness()
        can_see = fresh.is_read and fresh.blind_since is None
        state = (self._told, self._fleet.version if can_see else 0, can_see)
        if not can_see and fresh.is_read and fresh.blind_since is not None:
            self._blind(fresh.blind_since)
        if state == self._built_for and now - self._built_at < ANYWAY_MS:
            if can_see:
                self._seen(now)
            return
        self._built_for, self._built_at = state, now
        sight = self._sight() if can_see else None
        pages = self._journal.book.all(StatusPage)
        posts = list(self._journal.book.all(StatusPost).values())
        for slug in self._kept.keys() - pages.keys():
            del self._kept[slug]
            self._past.pop(slug, None)
            self._dirty.add(slug)
        for slug, page in list(pages.items()):
            before = self._kept.get(slug)
            self._keep(
                build(
                    page,
                    posts,
                    sight,
                    self._past.get(slug),
                    seen_at=now,
                    before=None if before is None else before.snapshot,
                    now=now,
                )
            )
            await asyncio.sleep(0)

    async def ask(self) -> None:
        """Asks the history of all pages."""
        if not self._journal.is_present.is_set():
            return
        for slug, page in list(self._journal.book.all(StatusPage).items()):
            try:
                before = self._past.get(slug)
                self._past[slug] = await history_of(page, self._history, self._now(), before)
            except (HistoryUnavailableError, HistoryTooSlowError) as error:
                if self._throttle.times("history"):
                    _log.warning("no history for a status page", page=slug, error=str(error))
            else:
                self._built_for = None

    def write(self) -> None:
        """Writes what has changed since the last call; errors are logged, and tried again."""
        while self._dirty:
            slug = min(self._dirty)
            kept = self._kept.get(slug)
            try:
                if kept is None:
                    self._files.remove(slug)
                else:
                    self._files.write(kept.snapshot)
            except OSError as error:
                if self._throttle.times("write"):
                    _log.warning("a status page can't be kept in a file", error=str(error))
                return
            self._dirty.discard(slug)
        times = [k.snapshot.seen_at for k in self._kept.values() if k.snapshot.seen_at is not None]
        if times:
            try:
                self._files.confirm(min(times))
            except OSError as error:
                if self._throttle.times("write"):
                    _log.warning("a status page can't be kept in a file", error=str(error))

    def _changed(self, record: Web | None, identity: str) -> None:
        if identity.startswith(_OURS) or isinstance(record, StatusPage | StatusPost):
            self._told += 1
            if not isinstance(record, StatusPost):
                self._edited.set()

    def _keep(self, snapshot: Snapshot) -> None:
        before = self._kept.get(snapshot.slug)
        if before is not None and is_same(snapshot, before.snapshot):
            self._kept[snapshot.slug] = Kept(snapshot, before.revision)
            return
        self._revision += 1
        self._kept[snapshot.slug] = Kept(snapshot, self._revision)
        self._dirty.add(snapshot.slug)

    def _seen(self, at: int) -> None:
        """All that is known was still so at a time."""
        for slug, kept in self._kept.items():
            self._kept[slug] = Kept(replace(kept.snapshot, seen_at=at), kept.revision)

    def _blind(self, since: int) -> None:
        """What was said after `since` was not known: that is found out some seconds later."""
        for slug, kept in self._kept.items():
            at = kept.snapshot.seen_at
            if at is not None and at > since:
                self._kept[slug] = Kept(replace(kept.snapshot, seen_at=since), kept.revision)

    async def _ask_on(self) -> None:
        await self._journal.is_present.wait()
        while True:
            self._edited.clear()
            await self.ask()
            # A page that is new is not without its history for a minute.
            await set_within(HISTORY_S, self._edited)
            await asyncio.sleep(REST_S)

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(WRITE_S)
            self.write()


_OURS: Final = ("status_page/", "status_post/")
