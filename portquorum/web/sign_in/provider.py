"""An OpenID Connect provider as seen from here: the code flow with PKCE, and the ID token.

OpenID Connect Core 1.0 (section 3.1), Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (`iss`). Authlib and
joserfc check signatures and claims; what belongs to the browser is `oidc`'s.
"""

import asyncio
import base64
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote_plus, urlsplit

import aiohttp
import msgspec
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from joserfc.jws import JWSRegistry
from msgspec import Struct

from foundation.http_origin import is_loopback
from portquorum.access.rules import Provider

ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"}
    | {"EdDSA", "Ed25519"}
)
"""Signatures by a private key alone: with `HS256` everybody who has our secret could sign, with
`none` anybody."""

WITHIN_S: Final = 10.0
"""Longest wait for the provider, for each step."""
LEEWAY_S: Final = 60
"""How far its clock may be from ours."""
KEPT_S: Final = 3600.0
"""What it says of itself is asked for again after this time."""
MOST_BYTES: Final = 1 << 20
AT_ONCE: Final = 10
"""Sign-ins that ask it at the same time; further ones wait within `WITHIN_S`."""
_MOST_GROUPS: Final = 1000


T = TypeVar("T")


class ProviderAwayError(Exception):
    """The provider does not answer, or not in time; one sentence."""


class ProviderRefusedError(Exception):
    """The provider refuses, or what it says can't be trusted; one sentence."""


class Pending(Struct, frozen=True):
    """A sign-in that has begun in a browser. All but `back` are random.

    `begun_at` is UTC s. `back` is the path that it leads to in the end.
    """

    state: str
    nonce: str
    verifier: str
    begun_at: int
    back: str = "/"


class Named(Struct, frozen=True):
    """Whom the provider has named."""

    name: str
    groups: tuple[str, ...]


class _Metadata(Struct):
    """What counts of a provider's own document (Discovery, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class _Tokens(Struct):
    """The answer of the token endpoint."""

    id_token: str
    access_token: str = ""


class OidcProvider:
    """One provider. All methods raise ProviderAwayError and ProviderRefusedError."""

    def __init__(self, provider: Provider) -> None:
        """Asks nothing yet."""
        self._provider = provider
        self._metadata: _Metadata | None = None
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def begin(self, redirect_uri: str, back: str) -> tuple[str, Pending]:
        """Where to send the browser, and what it must come back with."""
        metadata = await self._known()
        pending = Pending(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            begun_at=int(time.time()),
            back=back,
        )
        parameters = [
            ("response_type", "code"),
            ("client_id", self._provider.client_id),
            ("redirect_uri", redirect_uri),
            ("scope", self._provider.scopes),
            ("state", pending.state),
            ("nonce", pending.nonce),
            ("code_challenge", create_s256_code_challenge(pending.verifier)),
            ("code_challenge_method", "S256"),
        ]
        return add_params_to_uri(metadata.authorization_endpoint, parameters), pending

    async def finish(self, code: str, issuer: str, redirect_uri: str, pending: Pending) -> Named:
        """Whom the code stands for; `issuer` is the answer's `iss`, empty: it has none."""
        metadata = await self._known()
        if (issuer or metadata.authorization_response_iss_parameter_supported) and (
            issuer != metadata.issuer
        ):
            raise ProviderRefusedError("the answer is of another provider than the one asked")
        tokens = await self._tokens(metadata, code, redirect_uri, pending)
        claims = await self._claims(metadata, tokens, pending.nonce)
        return await self._named(metadata, tokens, claims)

    async def _known(self) -> _Metadata:
        if self._metadata is None or time.monotonic() - self._fetched_at > KEPT_S:
            issuer = self._provider.issuer
            url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
            found = _decoded(await self._asked("GET", url), _Metadata)
            if found.issuer != issuer:
                raise ProviderRefusedError(
                    f"expected the provider {issuer}, found {found.issuer[:200]}, which it says "
                    "that it is: PORTQUORUM_WEB_OIDC_ISSUER must be exactly that"
                )
            for address in (
                *(found.authorization_endpoint, found.token_endpoint, found.jwks_uri),
                *([found.userinfo_endpoint] if found.userinfo_endpoint else []),
            ):
                _refuse_plain(address)
            self._metadata, self._keys = found, None
            self._fetched_at = time.monotonic()
        return self._metadata

    async def _tokens(
        self, metadata: _Metadata, code: str, redirect_uri: str, pending: Pending
    ) -> _Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": pending.verifier,
        }
        secret, auth = self._provider.client_secret, None
        if secret is None:
            form["client_id"] = self._provider.client_id
        elif "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            auth = _basic(self._provider.client_id, secret)
        else:
            form |= {"client_id": self._provider.client_id, "client_secret": secret}
        body = await self._asked("POST", metadata.token_endpoint, form=form, auth=auth)
        return _decoded(body, _Tokens)

    async def _claims(self, metadata: _Metadata, tokens: _Tokens, nonce: str) -> Mapping[str, Any]:
        algorithms = ALGORITHMS.intersection(metadata.id_token_signing_alg_values_supported)
        registry = JWSRegistry(algorithms=sorted(algorithms), strict_check_header=False)
        try:
            try:
                decoded = jwt.decode(tokens.id_token, await self._key_set(metadata), None, registry)
            except InvalidKeyIdError:  # its keys were changed
                self._keys = None
                decoded = jwt.decode(tokens.id_token, await self._key_set(metadata), None, registry)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": metadata.issuer},
                    "aud": {"essential": True, "value": self._provider.client_id},
                    "sub": {"essential": True},
                },
                {
                    "nonce": nonce,
                    "client_id": self._provider.client_id,
                    "access_token": tokens.access_token,
                },
            )
            claims.validate(leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderRefusedError(
                f"the provider's ID token can't be trusted: {_why(error)}"
            ) from error
        found: Mapping[str, Any] = dict(claims)
        return found

    async def _key_set(self, metadata: _Metadata) -> KeySet:
        if self._keys is None:
            found = _decoded(await self._asked("GET", metadata.jwks_uri), dict[str, Any])
            self._keys = KeySet.import_key_set(cast(KeySetSerialization, found))
        return self._keys

    async def _named(
        self, metadata: _Metadata, tokens: _Tokens, claims: Mapping[str, Any]
    ) -> Named:
        """From the ID token; what is not in it the provider is asked for (Core, section 5.3)."""
        wanted = {self._provider.user_claim, self._provider.groups_claim}
        if metadata.userinfo_endpoint and tokens.access_token and not wanted <= set(claims):
            more = _decoded(
                await self._asked("GET", metadata.userinfo_endpoint, bearer=tokens.access_token),
                dict[str, Any],
            )
            if more.get("sub") != claims["sub"]:
                raise ProviderRefusedError("what the provider says of the user is of another user")
            claims = {**more, **claims}
        name = claims.get(self._provider.user_claim)
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise ProviderRefusedError(
                f"the provider says no {self._provider.user_claim!r}, which names users here "
                "(PORTQUORUM_WEB_OIDC_USER_CLAIM); ask for a scope that has it "
                "(PORTQUORUM_WEB_OIDC_SCOPES)"
            )
        if self._provider.user_claim == "email" and claims.get("email_verified") is not True:
            raise ProviderRefusedError(
                "the provider does not say that it has verified the e-mail address; name users by "
                "another claim that they can't change (PORTQUORUM_WEB_OIDC_USER_CLAIM)"
            )
        return Named(name.strip().lower()[:255], _groups(claims.get(self._provider.groups_claim)))

    async def _asked(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        auth: str | None = None,
        bearer: str | None = None,
    ) -> bytes:
        headers = {"Accept": "application/json"}
        if auth is not None:
            headers["Authorization"] = auth
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        try:
            async with asyncio.timeout(WITHIN_S), self._turns:
                return await _exchange(method, url, headers, form)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            why = str(error)[:200] or "no answer in time"
            raise ProviderAwayError(f"the provider does not answer: {why}") from error


async def _exchange(
    method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
) -> bytes:
    async with (
        aiohttp.ClientSession(trust_env=True) as session,
        session.request(method, url, headers=headers, data=form, allow_redirects=False) as answer,
    ):
        body = await answer.content.read(MOST_BYTES + 1)
        while len(body) <= MOST_BYTES and (more := await answer.content.read(MOST_BYTES)):
            body += more
        if len(body) > MOST_BYTES:
            raise ProviderRefusedError("the provider's answer is longer than 1 MB")
        if answer.status >= 500:
            raise ProviderAwayError(f"the provider answers {answer.status}")
        if answer.status != 200:
            raise ProviderRefusedError(f"the provider refuses: {_error_of(body, answer.status)}")
        return body


def _error_of(body: bytes, status: int) -> str:
    """The error's code (RFC 6749, section 5.2); no text of a server is passed on."""
    try:
        found = msgspec.json.decode(body, type=dict[str, Any]).get("error")
    except msgspec.DecodeError:
        found = None
    return code_of(found) or f"status {status}"


def code_of(text: object) -> str:
    """An error code of OAuth; empty if it is none."""
    is_code = isinstance(text, str) and 0 < len(text) <= 60 and text.replace("_", "").isalnum()
    return str(text) if is_code and str(text).isascii() else ""


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise ProviderRefusedError(
            f"the provider's answer is not what OpenID Connect expects: {str(error)[:200]}"
        ) from error


def _refuse_plain(address: str) -> None:
    url = urlsplit(address)
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.hostname or "")):
        raise ProviderRefusedError(
            f"expected https addresses of the provider, found {address[:200]!r}"
        )


def _groups(found: object) -> tuple[str, ...]:
    """A list, or one text."""
    listed: Sequence[object] = found if isinstance(found, list) else [found]
    return tuple(one for one in listed[:_MOST_GROUPS] if isinstance(one, str))


def _basic(client_id: str, secret: str) -> str:
    """Form-encoded before base64 (RFC 6749, section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _why(error: Exception) -> str:
    """In words of the library, which has no secret in them."""
    return str(getattr(error, "description", "") or error or type(error).__name__)[:200]
