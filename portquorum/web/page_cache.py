"""Pages that were rendered: viewers who ask for the same at the same state get the same bytes.

An event makes every viewer ask for the page anew: it is rendered once, and packed once for each
content coding. Rendering does not wait, so two who ask at once cost one rendering, too.
"""

import hashlib
from collections.abc import Callable, Hashable
from typing import Any, Final

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from portquorum.web import metrics
from portquorum.web.packing import NOT_PACKED, PACKED_FROM, encoding_for, packed
from portquorum.web.ports import Fleet

MOST_BYTES: Final = 8 << 20
"""Bytes of all pages that are kept; a page has some 80 KB, and 8 KB packed."""

NOT_PACKED_AGAIN: Final = "packed"
"""A route with this in its `opt` packs its answers itself."""


class PageCache:
    """The pages of the newest state, by what they depend on beside it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._state: Hashable = None
        self._pages: dict[Hashable, _Page] = {}

    @property
    def kept_bytes(self) -> int:
        """Bytes of all pages that are kept."""
        return self._bytes

    def answer(
        self,
        request: Request[Any, Any, Any],
        fleet: Fleet,
        *,
        asked: Hashable,
        render: Callable[[], str],
        past: object = None,
    ) -> Response[bytes]:
        """The page as an answer, rendered if it is not kept.

        `asked`: all that it depends on beside the fleet and `past`, what the history answered.
        An ETag is of the page's bytes: another one as soon as an age in it is another one.
        """
        page = self._page(_state_of(fleet), asked, past, render)
        encoding = encoding_for(request.headers.getall("accept-encoding", []))
        if len(page.body) < PACKED_FROM:
            encoding = NOT_PACKED
        headers = {"ETag": page.etag}
        if encoding != NOT_PACKED:
            headers["Content-Encoding"] = encoding
        return Response(self._packed(page, encoding), media_type="text/html", headers=headers)

    def _page(
        self, state: Hashable, asked: Hashable, past: object, render: Callable[[], str]
    ) -> "_Page":
        if state != self._state:
            self._state, self._bytes = state, 0
            self._pages.clear()
        found = self._pages.get(asked)
        if found is None or found.past is not past:
            self._drop(asked)
            found = _Page(render().encode(), past)
            metrics.PAGES.labels("rendered").inc()
            self._pages[asked] = found
            self._grown(len(found.body))
        else:
            metrics.PAGES.labels("kept").inc()
        return found

    def _packed(self, page: "_Page", encoding: str) -> bytes:
        if encoding == NOT_PACKED:
            return page.body
        found = page.packed.get(encoding)
        if found is None:
            found = page.packed[encoding] = packed(page.body, encoding)
            if any(one is page for one in self._pages.values()):
                self._grown(len(found))
        return found

    def _grown(self, by: int) -> None:
        self._bytes += by
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._pages)))

    def _drop(self, asked: Hashable) -> None:
        found = self._pages.pop(asked, None)
        if found is not None:
            self._bytes -= found.size


class _Page:
    """A page; `past` is held so that no other object can have its identity meanwhile."""

    def __init__(self, body: bytes, past: object) -> None:
        self.body = body
        self.past = past
        self.etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        self.packed: dict[str, bytes] = {}

    @property
    def size(self) -> int:
        """Bytes of the page in all its codings."""
        return len(self.body) + sum(map(len, self.packed.values()))


def _state_of(fleet: Fleet) -> Hashable:
    """All of a fleet that a page may show; ages are in whole seconds."""
    fresh = fleet.freshness()
    return (
        *(id(fleet), fleet.version, fresh.now // 1000, fresh.data_at, fresh.status_at),
        *(fresh.blind_since, fresh.history_away_since, fresh.regions, fresh.regions_reporting),
        *(fresh.is_read, fresh.kafka_trouble),
    )


ThePages = NamedDependency[SkipValidation[PageCache]]
"""A parameter `pages`."""
