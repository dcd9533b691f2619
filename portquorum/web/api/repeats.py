"""`Idempotency-Key`: a POST that is sent again is done once, whichever process gets it.

After draft-ietf-httpapi-idempotency-key-header. A key is claimed by version 1 of a `Request` on
[web], of which the first record counts for all processes; the answer is the next version. A claim
is renewed while its request is under way: one that is not has lost its process, and a repetition
takes it over.
"""

import asyncio
import contextlib
import hashlib
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeVar

import msgspec
from aiokafka.errors import KafkaError
from litestar import Request, Response
from litestar.datastructures import State as AppState
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Struct
from msgspec.structs import replace

from foundation import telemetry
from portquorum.access.principal import Principal
from portquorum.changing.errors import FieldError
from portquorum.journal.protocol import Journal
from portquorum.web.api.bodies import raw_of
from portquorum.web.api.moments import now_ms
from portquorum.web.problem import RETRY_AFTER, ProblemError
from schemas import web
from schemas.duration import DAY_MS
from schemas.web import Web

Asked = Request[None, None, AppState]
T = TypeVar("T", bound=Struct)

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
KEPT_MS: Final = DAY_MS
"""A key is known so long."""
LOST_S: Final = 6.0
"""A claim that was not renewed for so long has lost its process."""
RENEW_S: Final = 2.0

_KEY: Final = re.compile(r'"?([\x21\x23-\x5b\x5d-\x7e]{1,255})"?')
_HEADERS: Final = ("Location", "ETag")
"""Headers of an answer that are kept with it."""
_AWAY: Final = (KafkaError, OSError)

_log: Final = telemetry.logger(__name__)


class KeptAnswer(Struct, frozen=True, omit_defaults=True):
    """An answer in a `Request`: its body, and the headers that belong to it."""

    body: str
    headers: dict[str, str] = {}


class Repeats:
    """Knows the requests of all processes by their keys. One for each app."""

    def __init__(
        self,
        journal: Journal,
    ) -> None:
        """Follows the requests of `journal`."""
        self._journal = journal
        self._claimed: dict[str, tuple[int, float]] = {}
        """By identity the version of a claim, and when this process saw it (monotonic)."""
        journal.on_change(self._told)

    async def once(
        self,
        request: Asked,
        who: Principal,
        made: Callable[[], Awaitable[Response[T]]],
        *,
        sealed: frozenset[str] = frozenset(),
    ) -> Response[T]:
        """What `made` answers; if the request has a key that was answered before, that answer.

        `sealed` are fields of the answer that are not kept: a repetition has None in their place.
        An answer that is an error is not kept: nothing was changed, and it may be tried again.

        Raises:
            ProblemError: 400, the key is none; 409, the first request is under way; 422, the key
                was used for another request; 503, Kafka is away.
        """
        key = _key(request)
        if key is None:
            return await made()
        claim = await self._claim(request, who, key)
        if isinstance(claim, KeptResponse):
            return claim.response()
        async with self._renewed(claim):
            try:
                answer = await made()
            except BaseException:
                await self._follows(claim, lambda now: replace(now, removed=True))
                raise
        await self._follows(claim, lambda now: _answered(now, answer, sealed))
        return answer

    async def _claim(
        self, request: Asked, who: Principal, key: str
    ) -> "web.Request | KeptResponse":
        digest = _digest(who.name.encode(), key.encode())
        asked = _digest(
            request.method.encode(),
            request.scope["path"].encode(),
            request.scope["query_string"],
            await raw_of(request),
        )
        found = self._known(digest)
        if found is None:
            claim = web.Request(
                key=digest,
                asked=asked,
                version=self._journal.book.version(web.Request, digest) + 1,
                change=secrets.token_hex(8),
                at=now_ms(),
                by=who.name,
            )
            if await self._is_first(claim):
                return claim
            found = self._journal.book.get(web.Request, digest)
        if found is not None and found.asked != asked:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"{HEADER}: this key was used for another request; take a new one",
                errors=(FieldError(field=HEADER, message="used for another request"),),
            )
        if found is not None and found.status:
            return KeptResponse(found.status, found.answer)
        if found is not None and self._is_lost(found):
            claim = replace(
                found,
                version=found.version + 1,
                change=secrets.token_hex(8),
                at=now_ms(),
            )
            if await self._is_first(claim):
                return claim
        raise ProblemError(
            HTTPStatus.CONFLICT,
            f"{HEADER}: the first request with this key is under way",
            headers={"Retry-After": "1"},
        )

    def _known(self, digest: str) -> web.Request | None:
        found = self._journal.book.get(web.Request, digest)
        return None if found is None or found.at < now_ms() - KEPT_MS else found

    def _is_lost(self, claim: web.Request) -> bool:
        """True if a claim was not renewed for long, or since this process first saw it."""
        now = time.monotonic()
        version, seen = self._claimed.get(web.identity(claim), (0, 0.0))
        if version != claim.version:
            self._claimed[web.identity(claim)] = claim.version, now
            return False
        return now - seen > LOST_S

    async def _is_first(self, claim: web.Request) -> bool:
        try:
            (outcome,) = await self._journal.edit([claim])
        except _AWAY as error:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "Kafka does not answer: nothing was changed; send it again with the same key",
                headers=RETRY_AFTER,
            ) from error
        return outcome.accepted

    @contextlib.asynccontextmanager
    async def _renewed(self, claim: web.Request) -> AsyncIterator[None]:
        """Says again and again that a request is under way; an edit of it is never broken off."""
        over = asyncio.Event()
        renewing = asyncio.create_task(self._renew(claim, over))
        try:
            yield
        finally:
            over.set()
            await renewing

    async def _renew(self, claim: web.Request, over: asyncio.Event) -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), RENEW_S)
                return
            await self._follows(claim, lambda now: now)

    async def _follows(
        self, claim: web.Request, made: Callable[[web.Request], web.Request]
    ) -> None:
        """Writes the version after the newest one of a claim, unless somebody took it over.

        Without it the claim is lost after a while.
        """
        newest = self._journal.book.get(web.Request, claim.key)
        if newest is None or newest.change != claim.change:
            return
        following = replace(made(newest), version=newest.version + 1, at=now_ms())
        try:
            await self._journal.edit([following])
        except _AWAY as error:
            _log.warning("a request with a key is not kept", error=repr(error))

    def _told(self, record: Web | None, identity: str) -> None:
        if isinstance(record, web.Request) and not record.status and not record.removed:
            self._claimed[identity] = record.version, time.monotonic()
        else:
            self._claimed.pop(identity, None)


class KeptResponse(Struct, frozen=True):
    """An answer that was given before."""

    status: int
    answer: str

    def response(self) -> Response:  # type: ignore[type-arg]
        """The answer, once more."""
        kept = msgspec.json.decode(self.answer, type=KeptAnswer)
        return Response(
            kept.body.encode(),
            status_code=self.status,
            media_type="application/json",
            headers={**kept.headers, REPLAYED: "true"},
        )


def _answered(claim: web.Request, answer: Response[T], sealed: frozenset[str]) -> web.Request:
    content = msgspec.to_builtins(answer.content)
    if isinstance(content, dict):
        content |= {name: None for name in sealed if name in content}
    headers = {name: value for name in _HEADERS if (value := answer.headers.get(name))}
    kept = KeptAnswer(msgspec.json.encode(content).decode(), headers)
    return replace(
        claim, status=answer.status_code or 200, answer=msgspec.json.encode(kept).decode()
    )


def _key(request: Asked) -> str | None:
    given = request.headers.getall(HEADER, [])
    if not given:
        return None
    found = _KEY.fullmatch(given[0].strip()) if len(given) == 1 else None
    if found is None:
        message = "expected one key of 1 to 255 visible characters of ASCII, as a UUID"
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            f"{HEADER}: {message}",
            errors=(FieldError(field=HEADER, message=message),),
        )
    return found[1]


def _digest(*parts: bytes) -> str:
    """The SHA-256 of parts, each with its length."""
    made = hashlib.sha256()
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.hexdigest()


TheRepeats = NamedDependency[SkipValidation[Repeats]]
"""A parameter `repeats`."""
