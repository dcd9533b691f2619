"""A small OpenID Connect provider on loopback, which can do wrong what a provider can."""

import base64
import hmac
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT: Final = "portquorum"
SECRET: Final = "a secret: with % and ü"  # noqa: S105


@cache
def new_key(kid: str, _number: int = 0) -> RSAKey:
    """A key of this id; another one for each number. To make one takes a while."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}, private=True)


class ProviderServer:
    """Signs everybody in as `claims` says, and checks what it is asked as RFC 6749 and 7636 say."""

    def __init__(self) -> None:
        self.issuer = ""
        self.key = new_key("one")
        self.claims: dict[str, Any] = {
            "sub": "1",
            "email": "Ann@Example.com",
            "email_verified": True,
            "groups": ["admins"],
        }
        self.userinfo: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.token: dict[str, Any] = {}
        """What is different in the next ID token."""
        self.sign: Any = None
        """Another way to sign: called with the claims."""
        self.status = 200
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ProviderServer"]:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        app.router.add_get("/jwks", self._jwks)
        app.router.add_get("/userinfo", self._userinfo)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _discovery(self, _request: web.Request) -> web.Response:
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **self.metadata,
        }
        return web.json_response(found, status=self.status)

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        self.asked.append(asked)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_hex(8)
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        raise web.HTTPFound(f"{asked['redirect_uri']}?{back}")

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = self.codes.pop(str(form.get("code")), None)
        if asked is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        challenge = create_s256_code_challenge(str(form["code_verifier"]))
        if challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.claims,
            **self.token,
        }
        sign = self.sign or self.signed
        return web.json_response(
            {"access_token": "at", "token_type": "Bearer", "id_token": sign(claims)},
            status=self.status,
        )

    def signed(self, claims: dict[str, Any], key: Any = None, **header: str) -> str:
        named = {"alg": "RS256", "kid": "one", **header}
        return jwt.encode(named, claims, key or self.key, algorithms=[named["alg"]])

    def by_our_secret(self, claims: dict[str, Any]) -> str:
        """HS256 by the client's secret, which is no key of the provider."""
        return self._hs256(claims, SECRET.encode())

    def by_public_key(self, claims: dict[str, Any]) -> str:
        """HS256 by the public key, taken as a secret (algorithm confusion)."""
        return self._hs256(claims, self.key.as_pem(private=False))

    def _hs256(self, claims: dict[str, Any], secret: bytes) -> str:
        body = self.signed(claims).split(".")[1]
        head = _base64(b'{"alg":"HS256","kid":"one"}')
        mark = hmac.digest(secret, f"{head}.{body}".encode(), "sha256")
        return f"{head}.{body}.{_base64(mark)}"

    def unsigned(self, claims: dict[str, Any]) -> str:
        head, body = _base64(b'{"alg":"none"}'), self.signed(claims).split(".")[1]
        return f"{head}.{body}."

    async def _jwks(self, _request: web.Request) -> web.Response:
        return web.json_response({"keys": [self.key.as_dict(private=False)]})

    async def _userinfo(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer at"
        return web.json_response({"sub": self.claims["sub"], **self.userinfo})


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
