"""A status page on the role's server, a process: `python -m portquorum.bench.status_page_server`.

Beside it, at `/static`, the same bytes (Brotli) by an app that looks at nothing. Writes its port to
stdout once it listens.
"""

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Final, cast

from foundation.lifecycle import stop_on_signals
from foundation.loopback_listener import loopback_listener
from portquorum.bench.status_page_model import SLUG, made_up
from portquorum.serving.front import Front, InFront, only_lifespan
from portquorum.serving.plain_answer import say
from portquorum.serving.server import serve
from portquorum.status_pages.rendering import page
from portquorum.web.packing import BROTLI, packed
from portquorum.web.public.app import PublicApp, PublicParts
from portquorum.web.public.keeper import Kept

_Message = dict[str, object]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

STATIC: Final = "/static"


class OnePage:
    """A page of which nothing changes, and which is always fresh."""

    def __init__(self, components: int) -> None:
        self.kept = Kept(made_up(components, _now()), 1)

    def get(self, slug: str) -> Kept | None:
        """The page."""
        return self.kept if slug == SLUG else None


class Static:
    """The same bytes, and nothing else."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def takes(self, scope: _Message) -> bool:
        """Its one path."""
        return scope["path"] == STATIC

    async def __call__(self, scope: _Message, _receive: _Receive, send: _Send) -> None:
        """Answers."""
        await say(scope, send, 200, self._body, _HEADERS, b"text/html")  # type: ignore[arg-type]


_HEADERS: Final = ((b"content-encoding", b"br"),)


async def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--components", type=int, default=500)
    asked = parser.parse_args()
    pages = OnePage(asked.components)
    at = _now()
    html = page(pages.kept.snapshot, at, f"/status/{SLUG}")
    # Time stands still: a page of another minute would be another page.
    public = PublicApp(PublicParts(pages=pages, now=lambda: at))
    static = cast("InFront", Static(packed(html.encode(), BROTLI)))
    app = Front([static, public], only_lifespan)
    listening = loopback_listener("127.0.0.1:0", "the bench")
    gc.collect()
    gc.freeze()
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    await serve(app, listening, asyncio.Event(), stop_on_signals())


def _now() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    asyncio.run(main())
