"""The real server with TLS: cookies, renewal, who begins no handshake; and streams that end."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
import trustme
from litestar import Response, get

from foundation.loopback_listener import loopback_listener
from foundation.settings import SettingsError
from portquorum.access.rules import AccessRules, Tls
from portquorum.access.tokens import digest
from portquorum.serving import server
from portquorum.serving.server import serve
from portquorum.serving.tls import renewed, tls_context
from portquorum.web.access.needs import needs
from schemas.web import Session
from tests.unit.portquorum.web.access.house import BROWSER, House

DEADLINE_S = 60
LARGE = 8 << 20


def written(folder: Path, authority: trustme.CA) -> Tls:
    """A new certificate of localhost in the same files."""
    made = authority.issue_cert("localhost", "127.0.0.1")
    certificate, key = folder / "chain.pem", folder / "key.pem"
    certificate.write_bytes(b"".join(one.bytes() for one in made.cert_chain_pems))
    key.write_bytes(made.private_key_pem.bytes())
    return Tls(str(certificate), str(key))


@contextlib.asynccontextmanager
async def serving(house: House, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    listening = loopback_listener("127.0.0.1:0", "test")
    port = listening.getsockname()[1]
    stop = asyncio.Event()
    running = asyncio.create_task(
        serve(house.made.app, listening, house.made.closing, stop, tls=tls)
    )
    try:
        yield port
    finally:
        stop.set()
        await running


@get("/large", opt=needs("viewer"), include_in_schema=False)
async def large() -> Response[bytes]:
    """More than all buffers on the way hold."""
    return Response(bytes(LARGE), media_type="application/octet-stream")


async def test_the_page_speaks_tls_and_takes_up_a_renewed_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_S", 0.5)
    old, new = trustme.CA(), trustme.CA()
    tls = written(tmp_path, old)
    context = tls_context(tls)
    house = House(rules=AccessRules(tls=tls), routes=[large])
    async with serving(house, context) as port:
        base = f"https://127.0.0.1:{port}"

        async def asked(authority: trustme.CA, path: str = "/") -> httpx.Response:
            trust = ssl.create_default_context()
            authority.configure_trust(trust)
            async with httpx.AsyncClient(
                verify=trust, headers=BROWSER, timeout=DEADLINE_S
            ) as client:
                return await client.get(f"{base}{path}")

        answer = await asked(old)
        assert answer.status_code == HTTPStatus.OK
        cookie = answer.headers["set-cookie"].lower()
        assert cookie.startswith("__host-portquorum_form=")
        assert "secure" in cookie

        assert len((await asked(old, "/large")).content) == LARGE

        async with httpx.AsyncClient() as plain:
            with pytest.raises(httpx.TransportError):
                await plain.get(f"http://127.0.0.1:{port}/")
        silent = socket.create_connection(("127.0.0.1", port))
        silent.setblocking(False)
        async with asyncio.timeout(DEADLINE_S):  # it begins no handshake, and is closed
            assert await asyncio.get_running_loop().sock_recv(silent, 1) == b""
        silent.close()

        watching = asyncio.create_task(renewed(context, tls, look_s=0.05))
        (tmp_path / "chain.pem").write_text("nonsense")
        assert (await asked(old)).status_code == HTTPStatus.OK
        written(tmp_path, new)
        async with asyncio.timeout(DEADLINE_S):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await asked(new)).status_code == HTTPStatus.OK:
                        break
                await asyncio.sleep(0.05)
        watching.cancel()


def test_files_that_do_not_fit_are_refused_in_a_sentence(tmp_path: Path) -> None:
    authority = trustme.CA()
    tls = written(tmp_path, authority)
    (tmp_path / "other").mkdir()
    other = written(tmp_path / "other", authority)
    for wrong in (
        Tls(str(tmp_path / "none.pem"), tls.key),
        Tls(tls.certificate, other.key),
        Tls(tls.key, tls.key),
        Tls(str(tmp_path), tls.key),
    ):
        with pytest.raises(SettingsError) as found:
            tls_context(wrong)
        text = str(found.value)
        assert text.startswith("PORTQUORUM_WEB_TLS_CERTIFICATE: expected the files (PEM)")
        assert "\n" not in text


@pytest.mark.parametrize("how", ["signed out", "disabled", "token revoked"])
async def test_a_live_stream_ends_with_what_opened_it(how: str) -> None:
    house = House()
    user = await house.user("vera")
    secret = await house.session(user)
    text = await house.token("viewer", "vera")
    headers = {"Cookie": f"portquorum_session={secret}", **BROWSER}
    if how == "token revoked":
        headers = {"Authorization": f"Bearer {text.whole}"}
    async with serving(house, None) as port, httpx.AsyncClient(headers=headers) as client:
        url = f"http://127.0.0.1:{port}/api/v1/events"
        async with client.stream("GET", url, timeout=DEADLINE_S) as stream:
            assert stream.status_code == HTTPStatus.OK
            coming = stream.aiter_bytes()
            assert (await anext(coming)).startswith(b"retry")
            if how == "signed out":
                await house.journal.drop([(Session, digest(secret))])
            elif how == "disabled":
                await house.user("vera", disabled=True)
            else:
                await house.revoke(text.id)
            async with asyncio.timeout(DEADLINE_S):
                async for _ in coming:
                    pass
        assert (await client.get(url)).status_code == HTTPStatus.UNAUTHORIZED
