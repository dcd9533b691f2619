"""Answers to requests for links: a GET shows what a link is about, a POST does it."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from foundation import telemetry
from foundation.http_origin import Served, refusal
from foundation.settings import Settings
from schemas.duration import HOUR_MS
from schemas.policy import Silence
from sinks.notifier.links import by_pagerduty
from sinks.notifier.links.desk_view import (
    KnownIncident,
    LinkMemory,
    heeds,
    incident,
    incident_of_key,
    silence_of,
)
from sinks.notifier.links.page import HEADERS, LinkForm, facts_of, page, title_of
from sinks.notifier.links.rate import RateLimit
from sinks.notifier.links.spoken import NotWrittenError, SpokenWords, note_of, who
from sinks.notifier.links.token import (
    LinkClaim,
    LinkError,
    LinkExpiredError,
    signed,
    verified,
)

MOST_FORM: Final = 4 * 1024
"""The largest body of a form, in bytes."""

SEEN_WITHIN_S: Final = 3.0
"""Longest wait until the stream, or the active notifier, has taken a word, in s."""

SILENCE_MS: Final = HOUR_MS
BY: Final = "by link"
"""Who acknowledged, if nobody typed a name."""

_FORM_LIFE_S: Final = 3600
_LOOK_S: Final = 0.05
REQUESTS: Final = (50.0, 200)
"""Requests a second and at once, of all clients; 429 above."""
_WORDS: Final = (5.0, 20)
"""The same for what is written to Kafka."""

_log: Final = telemetry.logger(__name__)


class LinkHandler:
    """The requests of one server; `current` gives the memory of the notifier, None without one."""

    def __init__(
        self,
        settings: Settings,
        key: str,
        current: Callable[[], LinkMemory | None],
        spoken: SpokenWords,
        requests: tuple[float, int] = REQUESTS,
    ) -> None:
        base = urlsplit(settings.links or "")
        self._key = key
        self._current = current
        self._spoken = spoken
        self._origin = f"{base.scheme}://{base.netloc}".lower()
        self._served = Served(
            settings.links_listen.rpartition(":")[0].strip("[]"),
            (base.hostname or "", *settings.http_host_names),
        )
        self._pagerduty_secret = settings.pagerduty_secret
        self._requests = RateLimit(*requests, time.monotonic)
        self._words = RateLimit(*_WORDS, time.monotonic)
        self.prefixes = tuple(dict.fromkeys(("", base.path.rstrip("/"))))
        """Paths below which the links are served: a proxy may leave out the one of the base."""

    def application(self) -> web.Application:
        """The routes."""
        app = web.Application(middlewares=[self._guard], client_max_size=MOST_FORM)
        for prefix in self.prefixes:
            app.router.add_get(f"{prefix}/i/{{token}}", self.show)
            app.router.add_post(f"{prefix}/i/{{token}}", self.do)
            if self._pagerduty_secret is not None:
                app.router.add_post(f"{prefix}/pagerduty", self.take_webhook)
        return app

    @web.middleware
    async def _guard(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Limits, hosts, and what each answer has."""
        response: web.StreamResponse
        try:
            if not self._requests.allows():
                response = _too_many()
            elif (why := self._refused_host(request)) is not None:
                response = _text(HTTPStatus.FORBIDDEN, why)
            else:
                response = await handler(request)
        except _AnswerError as answer:
            response = answer.response
        except web.HTTPException as error:
            response = _text(HTTPStatus(error.status), error.reason)
        except Exception:  # noqa: BLE001 - no request may end the server
            _log.exception("a request for a link failed; please report")
            response = _text(HTTPStatus.INTERNAL_SERVER_ERROR, "This failed; it is in the log.")
        response.headers.update(HEADERS)
        response.force_close()
        return response

    def _refused_host(self, request: web.Request) -> str | None:
        """Links are opened from anywhere (mail, chat): of a GET only the host is looked at."""
        hosts = [(name, text) for name, text in request.headers.items() if name.lower() == "host"]
        return refusal("GET", _Pairs(hosts), self._served, request.raw_path)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The page of a link. Changes nothing: mail scanners and previews open links."""
        claim = self._claim(request)
        return self._page(self._known(), claim, HTTPStatus.OK)

    async def do(self, request: web.Request) -> web.StreamResponse:
        """Does what the token of a form allows."""
        why = self._foreign_page(request)
        if why is not None:
            raise _AnswerError(_text(HTTPStatus.FORBIDDEN, why))
        claim = self._claim(request)
        by = who(_field(await bounded_body(request, MOST_FORM), "by"), BY)
        known = self._known()
        found = incident(known, claim.incident_id)
        if found is None or not found.open:
            return self._page(known, claim, HTTPStatus.CONFLICT, "Nothing was changed.")
        if found.subject.episode != claim.episode:
            said = "Nothing was changed: it was better and is down again since that message."
            return self._page(known, claim, HTTPStatus.CONFLICT, said)
        if not self._words.allows():
            raise _AnswerError(_too_many())
        status, said = HTTPStatus.OK, ""
        try:
            said = await self._speak(claim, found, by)
        except NotWrittenError as error:
            _log.warning("a word by a link is not written", error=str(error))
            status, said = HTTPStatus.SERVICE_UNAVAILABLE, "Kafka did not take it; try again."
        return self._page(self._current() or known, claim, status, said)

    async def take_webhook(self, request: web.Request) -> web.StreamResponse:
        """Takes a webhook of PagerDuty: an acknowledgement there is one here."""
        body = await bounded_body(request, by_pagerduty.MOST_BODY)
        signatures = request.headers.getall(by_pagerduty.SIGNATURE, [])
        secret = self._pagerduty_secret or ""
        if len(signatures) != 1 or not by_pagerduty.is_signed(body, signatures[0], secret):
            return _text(HTTPStatus.FORBIDDEN, "Expected the signature of PagerDuty's webhook.")
        try:
            said = by_pagerduty.word_of(body)
        except by_pagerduty.PagerDutyWebhookError as error:
            return _text(HTTPStatus.BAD_REQUEST, str(error))
        if said is None:
            return _text(HTTPStatus.OK, "Nothing for portquorum.")
        found = incident_of_key(self._known(), said.key, "pagerduty")
        if found is None or not found.open or found.event.acknowledged_by is not None:
            return _text(HTTPStatus.OK, "Nothing to acknowledge.")
        by = f"pagerduty: {who(said.word.by, 'somebody')}"
        try:
            await self._spoken.acknowledge(found.event, by, note_of(said.word.note))
        except NotWrittenError as error:  # PagerDuty sends it again
            _log.warning("an acknowledgement is not written", by=by, error=str(error))
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, "Kafka did not take it.")
        _log.info("acknowledged in an on-call system", incident_id=found.event.incident_id, by=by)
        return _text(HTTPStatus.OK, "Acknowledged.")

    def _known(self) -> LinkMemory:
        known = self._current()
        if known is None:
            text = "This notifier has no connection to Kafka at the moment; try again soon."
            raise _AnswerError(_html(HTTPStatus.SERVICE_UNAVAILABLE, page("Not now", text)))
        return known

    async def _speak(self, claim: LinkClaim, found: KnownIncident, by: str) -> str:
        return await (self._ack if claim.action == "ack" else self._silence)(found, by)

    async def _ack(self, found: KnownIncident, by: str) -> str:
        event = found.event
        if event.acknowledged_by is not None and by in {event.acknowledged_by, BY}:
            return f"It was acknowledged already, by {event.acknowledged_by}."
        # Nobody has proved to be who the name says.
        note = None if by == BY else note_of(BY)
        await self._spoken.acknowledge(event, by, note)
        _log.info("acknowledged by a link", incident_id=event.incident_id, by=by)

        def seen() -> bool:
            known = self._current()
            now = None if known is None else incident(known, event.incident_id)
            return now is not None and now.event.acknowledged_by == by

        if await _holds(seen):
            return f"Acknowledged by {by}."
        return "Written. The stream has not answered yet; reload this page."

    async def _silence(self, found: KnownIncident, by: str) -> str:
        event, now, known = found.event, _now_ms(), self._current()
        present = None if known is None else silence_of(known, event.target, now)
        if present is not None and present.ends_at > now + SILENCE_MS // 2:
            return f"It is silenced already, by {present.by}."
        name = hashlib.sha256(f"{event.incident_id}/{now}".encode()).hexdigest()[:8]
        silence = Silence(
            targets=(event.target,),
            name=name,
            begins_at=now,
            ends_at=now + SILENCE_MS,
            reason=f"{BY}, of incident {event.incident_id[:36]}",
            by=by,
            created_at=now,
        )
        await self._spoken.silence(silence)
        _log.info("silenced by a link", target=event.target, by=by, silence=name)

        def heeded() -> bool:
            known = self._current()
            return known is not None and heeds(known, silence)

        if await _holds(heeded):
            return f"Silenced for 1 h by {by} (portquorum silence end {name})."
        return f"Written; no notifier has confirmed it yet (portquorum silence end {name})."

    def _claim(self, request: web.Request) -> LinkClaim:
        try:
            return verified(request.match_info["token"], self._key, _now_ms())
        except LinkExpiredError as error:
            expired = page("This link has expired", str(error))
            raise _AnswerError(_html(HTTPStatus.GONE, expired)) from error
        except LinkError as error:
            wrong = page("No such link", str(error))
            raise _AnswerError(_html(HTTPStatus.NOT_FOUND, wrong)) from error

    def _foreign_page(self, request: web.Request) -> str | None:
        """Why the request is not that of our own form; None if it is, or no browser's."""
        kept = []
        for name, text in request.headers.items():
            lower, value = name.lower(), text.strip().lower()
            own = value == self._origin or value.startswith(f"{self._origin}/")
            if not (lower in {"origin", "referer"} and own):
                kept.append((name, text))
        return refusal("POST", _Pairs(kept), self._served, request.raw_path)

    def _page(
        self, known: LinkMemory, claim: LinkClaim, status: HTTPStatus, said: str = ""
    ) -> web.Response:
        found = incident(known, claim.incident_id)
        if found is None or not found.open:
            title = "This is over" if found is None else f"Over: {title_of(found.event)}"
            text = f"{said} The incident has closed: there is nothing to acknowledge.".strip()
            return _html(status, page(title, text))
        now = _now_ms()
        silence = silence_of(known, found.event.target, now)
        silenced = None
        if silence is not None:
            left = (silence.ends_at - now + 59_999) // 60_000
            silenced = f"by {silence.by}, for {left} min more ({silence.reason})"
        facts = facts_of(found.event, found.subject, silenced)
        return _html(
            status, page(title_of(found.event), said, facts, self._forms(found, silence, now))
        )

    def _forms(self, found: KnownIncident, silence: Silence | None, now: int) -> list[LinkForm]:
        event, forms = found.event, []
        until = now // 1000 + _FORM_LIFE_S
        if event.acknowledged_by is None:
            claim = LinkClaim("ack", event.incident_id, found.subject.episode, until)
            about = "Others see that you have it in hand; reminders and escalations end."
            forms.append(LinkForm(signed(claim, self._key), "Acknowledge", about))
        if silence is None:
            claim = LinkClaim("silence", event.incident_id, found.subject.episode, until)
            about = f"Nobody is told of {event.name} for an hour."
            forms.append(LinkForm(signed(claim, self._key), "Silence for 1 h", about))
        return forms


class _AnswerError(Exception):
    """Ends the work on a request with this answer."""

    def __init__(self, response: web.Response) -> None:
        super().__init__(response.status)
        self.response = response


class _Pairs:
    """Headers as `foundation.http_origin` takes them."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def items(self) -> list[tuple[str, str]]:
        return self._pairs


async def bounded_body(request: web.Request, most: int) -> bytes:
    """The body; one of more than `most` bytes is answered with 413."""
    body = b""
    async for chunk in request.content.iter_chunked(most + 1):
        body += chunk
        if len(body) > most:
            raise _AnswerError(
                _text(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Expected {most} bytes at most.")
            )
    return body


def _field(body: bytes, name: str) -> str:
    try:
        fields = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:
        return ""
    return dict(fields).get(name, "")


async def _holds(condition: Callable[[], bool]) -> bool:
    """Whether `condition` holds within `SEEN_WITHIN_S`."""
    until = time.monotonic() + SEEN_WITHIN_S
    while not condition():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(_LOOK_S)
    return True


def _too_many() -> web.Response:
    response = _text(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests, try again.")
    response.headers["Retry-After"] = "5"
    return response


def _html(status: HTTPStatus, text: str) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/html")


def _text(status: HTTPStatus, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
