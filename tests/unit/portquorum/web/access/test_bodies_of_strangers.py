"""Bodies that do not come, or are no forms: no connection waits, no log fills, nothing fails."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from portquorum.web import edge
from tests.unit.portquorum.web.access.house import House, csrf_of

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"


async def never() -> AsyncIterator[bytes]:
    yield b"name=root&"
    await asyncio.Event().wait()


@pytest.mark.parametrize("path", ["/login", "/welcome", "/logout", "/api/v1/tokens"])
@pytest.mark.parametrize("kind", [FORM, MULTIPART])
@pytest.mark.parametrize("is_browser", [True, False])
async def test_a_body_that_does_not_come_is_not_waited_for(
    path: str,
    kind: str,
    is_browser: bool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(edge, "BODY_S", 0.05)
    house = House()
    await house.user("root", "admin")
    async with house.client() if is_browser else house.program() as client:
        if is_browser:
            await client.get("/login")
        answer = await client.post(path, content=never(), headers={"Content-Type": kind})
    expected = {401} if path.startswith("/api/") else {408, 303} if path == "/logout" else {408}
    assert answer.status_code in expected, answer.text
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("path", ["/account", "/tokens", "/api/v1/tokens"])
async def test_a_form_of_another_kind_is_refused(path: str) -> None:
    house = House()
    await house.user("root", "admin")
    client = await house.signed_in("root")
    try:
        body = (
            f'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{csrf_of(client)}\r\n--b--'
        )
        answer = await client.post(path, content=body, headers={"Content-Type": MULTIPART})
        assert answer.status_code == 415, answer.text
        for kind in ("text/plain", "multipart/form-data", "multipart/form-data; boundary=", "x;y="):
            answer = await client.post(path, content=body, headers={"Content-Type": kind})
            assert answer.status_code in {400, 403}, (kind, answer.text)
    finally:
        await client.aclose()
