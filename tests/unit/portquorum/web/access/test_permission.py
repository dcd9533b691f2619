"""The guard of all routes: needs, strangers, tokens of forms, and what a change answers."""

from http import HTTPStatus
from typing import Any

import pytest
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler

from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.web.access.csrf import token_of
from portquorum.web.access.needs import MissingNeedError, needs
from portquorum.web.access.visit import Visit
from portquorum.web.parts import ThePrincipal
from tests.unit.portquorum.web.fakes import Made

VIEWER = Principal(name="vera", scope="viewer", via="token")
OPERATOR = Principal(name="olga", scope="operator", via="token")
BY_COOKIE = Principal(name="olga", scope="operator", via="password", session="s" * 43)


@get("/forgotten")
async def forgotten() -> None:
    """Does not say what it needs."""


@post("/things", opt=needs("operator"), status_code=200)
async def make(principal: ThePrincipal) -> Response[str]:
    return Response(principal.name, media_type="text/plain")


@post("/api/v1/things", opt=needs("operator"))
async def conflict() -> None:
    raise ChangeError(
        HTTPStatus.CONFLICT,
        "somebody else was first",
        errors=(FieldError(field="probe.path", message="is not as it was"),),
        version=7,
    )


ROUTES: list[HTTPRouteHandler] = [make, conflict]


class ClosedDoor:
    """Lets nobody in."""

    def __init__(self, status: HTTPStatus) -> None:
        self.status = status

    def visit(self, _scope: object) -> Visit:
        return Visit(principal=None, status=self.status)


def test_a_route_without_a_need_does_not_start() -> None:
    with pytest.raises(MissingNeedError, match="GET /forgotten"):
        Made(routes=[forgotten])


async def test_the_scope_must_be_enough() -> None:
    async with Made(principal=VIEWER, routes=ROUTES).client() as client:
        refused = await client.post("/things")
        assert refused.status_code == 403
        assert "expected the scope operator, found viewer" in refused.text
    async with Made(principal=OPERATOR, routes=ROUTES).client() as client:
        assert (await client.post("/things")).text == "olga"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 403),
        ({"data": {"csrf": "0" * 64}}, 403),
        ({"data": {"csrf": token_of(BY_COOKIE)}}, 200),
        ({"files": {"csrf": (None, token_of(BY_COOKIE))}}, 200),
        ({"headers": {"X-CSRF-Token": token_of(BY_COOKIE)}}, 200),
        ({"headers": {"X-CSRF-Token": "ä".encode()}}, 403),
        ({"params": {"csrf": token_of(BY_COOKIE)}}, 403),
        ({"json": {"csrf": token_of(BY_COOKIE)}}, 403),
    ],
)
async def test_a_browser_needs_the_token_of_its_form(sent: dict[str, Any], status: int) -> None:
    async with Made(principal=BY_COOKIE, routes=ROUTES).client() as client:
        assert (await client.post("/things", **sent)).status_code == status


async def test_a_stranger_is_told_to_sign_in() -> None:
    made = Made(door=ClosedDoor(HTTPStatus.UNAUTHORIZED), routes=ROUTES)
    async with made.client() as client:
        answer = await client.get("/api/v1/targets")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
        page = await client.post("/things?a=b")
        assert page.status_code == 303
        assert page.headers["location"] == "/login?next=%2Fthings%3Fa%3Db"
        assert (await client.get("/healthz")).status_code == 200


async def test_before_anybody_is_known_all_wait() -> None:
    made = Made(door=ClosedDoor(HTTPStatus.SERVICE_UNAVAILABLE), routes=ROUTES)
    async with made.client() as client:
        answer = await client.get("/api/v1/targets")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0


async def test_a_change_that_was_not_made_is_a_problem() -> None:
    async with Made(principal=OPERATOR, routes=ROUTES).client() as client:
        answer = await client.post("/api/v1/things")
    assert answer.status_code == 409
    assert answer.headers["etag"] == '"7"'
    assert answer.json() == {
        "title": "Conflict",
        "status": 409,
        "detail": "somebody else was first",
        "errors": [{"field": "probe.path", "message": "is not as it was"}],
        "version": 7,
    }


async def test_what_is_not_there_cannot_change_anything() -> None:
    made = Made(principal=OPERATOR)
    parts = made.parts
    with pytest.raises(ChangeError) as raised:
        await parts.acts.resume(OPERATOR, ("db-1",))
    assert raised.value.status == HTTPStatus.SERVICE_UNAVAILABLE
