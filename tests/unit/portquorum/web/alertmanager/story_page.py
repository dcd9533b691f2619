"""A page over a fleet in memory, whose silences are made in it; and Alertmanager's schemas."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx
import yaml
from jsonschema import Draft4Validator, FormatChecker

from foundation.http_origin import Served
from portquorum.access.principal import Principal
from portquorum.changing.acts import SilenceMade, WantedSilence
from portquorum.changing.errors import ChangeError
from portquorum.silencing import plan
from portquorum.web.app import create_app
from portquorum.web.parts import Parts
from schemas import policy
from schemas.policy import SILENCES, Silence
from tests.unit.portquorum.web.changers import FakeActs
from tests.unit.portquorum.web.fakes import FakeExplainer, FakeHistory, FakeHub, OneDoor
from tests.unit.portquorum.web.fleet.fleet_story import FleetStory

SCHEMAS: Final[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("openapi.yaml").read_text()
)


def expect_valid(found: object, name: str) -> None:
    """Checks an answer against a definition of Alertmanager's document."""
    schema = {"$ref": f"#/definitions/{name}", **SCHEMAS}
    Draft4Validator(schema, format_checker=FormatChecker()).validate(found)


class StoryActs(FakeActs):
    """Makes and ends silences of a fleet."""

    def __init__(self, story: FleetStory) -> None:
        super().__init__()
        self._story = story

    async def silence(
        self, who: Principal, wanted: WantedSilence, *, dry_run: bool = False
    ) -> SilenceMade:
        ends = wanted.ends_at or 0
        made = plan.new_silence(
            wanted.match,
            begins_at=wanted.begins_at,
            ends_at=ends,
            reason=wanted.reason,
            by=who.name,
            now=self._story.now,
        )
        answer = await super().silence(who, wanted, dry_run=dry_run)
        self._write(made)
        return SilenceMade(
            **{name: getattr(answer, name) for name in answer.__struct_fields__} | {"id": made.name}
        )

    async def end_silence(self, who: Principal, silence: str) -> SilenceMade:
        there = {one.name: one for one in self._story.fleet.policy.silences()}
        if silence not in there:
            raise ChangeError(HTTPStatus.NOT_FOUND, f"there is no silence {silence!r}")
        if there[silence].ends_at <= self._story.now:
            raise ChangeError(HTTPStatus.CONFLICT, "it has ended already")
        self._write(plan.ended(there[silence], who.name, self._story.now))
        return None  # type: ignore[return-value]

    def _write(self, entry: Silence) -> None:
        key, value = policy.key(SILENCES, entry), policy.encode(entry)
        self._story.fleet.apply_policy(key, value, self._story.offset())
        self._story.later(1)


@asynccontextmanager
async def alertmanager_of(
    story: FleetStory, scope: Any = "operator"
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `/api/v2` of a page; who asks has the scope."""
    parts = Parts(
        story.fleet,
        FakeHub(),
        FakeHistory(),
        asyncio.Event(),
        FakeExplainer(),
        acts=StoryActs(story),
    )
    door = OneDoor(Principal(name="olga", scope=scope, via="token"))
    app: Any = create_app(parts, Served("127.0.0.1"), door=door)
    transport = httpx.ASGITransport(app)
    place = "http://127.0.0.1:9480/api/v2"
    async with httpx.AsyncClient(transport=transport, base_url=place) as client:
        yield client
