"""Pages that are kept in memory, and a client of the public app."""

from typing import Any, Final

import httpx

from portquorum.serving.front import Front, only_lifespan
from portquorum.status_pages.build import build
from portquorum.status_pages.model import Snapshot
from portquorum.web.public.app import PublicApp, PublicParts
from portquorum.web.public.keeper import Kept
from schemas.web import StatusPage, StatusPost
from tests.unit.portquorum.status_pages.pages import NOW, SomeSight, page

UP: Final = SomeSight({"web": "up", "mail": "up"})


class SomePages:
    """Snapshots by slug; `put` is a new revision."""

    def __init__(self, *snapshots: Snapshot) -> None:
        self._kept: dict[str, Kept] = {}
        for one in snapshots:
            self.put(one)

    def put(self, one: Snapshot) -> None:
        before = self._kept.get(one.slug)
        self._kept[one.slug] = Kept(one, 1 if before is None else before.revision + 1)

    def get(self, slug: str) -> Kept | None:
        return self._kept.get(slug)


def built(one: StatusPage | None = None, *posts: StatusPost, **more: Any) -> Snapshot:
    values: dict[str, Any] = {"seen_at": NOW, "now": NOW} | more
    return build(
        one or page(), posts, values.pop("sight", UP), values.pop("history", None), **values
    )


def client(pages: SomePages, **more: Any) -> httpx.AsyncClient:
    """`now` is `NOW` unless it is given."""
    more.setdefault("now", lambda: NOW)
    app = Front([PublicApp(PublicParts(pages=pages, **more))], only_lifespan)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),  # type: ignore[arg-type]
        base_url="http://status.example.com",
    )
