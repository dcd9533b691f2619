"""The ASGI app: answers reports in the words of three APIs, after the broker confirmed them."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from portquorum.receiver import answers, gatus, healthchecks, kuma, metrics
from portquorum.receiver.answers import Answer, RefusedError, Words
from portquorum.receiver.asked import bearer_of, path_of, query_of
from portquorum.receiver.body import BodyGoneError, BodyLateError, body_end
from portquorum.receiver.lookup import Lookup, NotReadyError
from portquorum.receiver.publisher import NotConfirmedError
from portquorum.receiver.report import Job, Report, Surface
from portquorum.receiver.request import Request, Understood
from portquorum.serving.plain_answer import say
from portquorum.serving.scopes import is_http

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Receive, Scope, Send

_APIS: Final[dict[Surface, tuple[Callable[[Request, Lookup], Understood], Words]]] = {
    "healthchecks": (healthchecks.understood, answers.HEALTHCHECKS),
    "kuma": (kuma.understood, answers.KUMA),
    "gatus": (gatus.understood, answers.GATUS),
}


class Deliverer(Protocol):
    """Publishes reports."""

    async def deliver(self, report: Report, job: Job) -> None:
        """Returns when the broker has confirmed the report.

        Raises:
            NotConfirmedError: it did not, in time.
        """


class ReceiverApp:
    """Takes reports of jobs; the secret in the address is all that a client needs."""

    def __init__(self, lookup: Lookup, deliverer: Deliverer) -> None:
        self._lookup = lookup
        self._deliverer = deliverer

    def takes(self, scope: "HTTPScope") -> bool:
        """Whether a request is for a path of these APIs."""
        return path_of(scope["path"]) is not None

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answers a request; nothing to a client that left in the middle of its own."""
        if not is_http(scope):
            return
        began = time.perf_counter()
        try:
            answer = await self._answer(scope, receive)
        except BodyGoneError:
            return
        metrics.ANSWERS.labels(str(answer.status)).inc()
        metrics.SECONDS.observe(time.perf_counter() - began)
        await say(scope, send, answer.status, answer.body, answer.headers, answer.kind)

    async def _answer(self, scope: "HTTPScope", receive: "Receive") -> Answer:
        asked = path_of(scope["path"])
        if asked is None:
            return answers.NOT_FOUND
        if scope["method"] == "OPTIONS":
            return answers.OPTIONS
        understood, words = _APIS[asked.surface]
        request = Request(
            method=scope["method"],
            parts=asked.parts,
            query=query_of(scope["query_string"]),
            token=bearer_of(scope["headers"]) if asked.surface == "gatus" else None,
        )
        try:
            await self._take(understood(request, self._lookup), receive)
        except RefusedError as error:
            return error.answer
        except NotReadyError:
            return words.not_ready
        except NotConfirmedError:
            return words.not_confirmed
        return words.ok

    async def _take(self, found: Understood, receive: "Receive") -> None:
        try:
            report = found.with_body(await body_end(receive))
        except BodyLateError:
            raise RefusedError(answers.TOO_SLOW) from None
        await self._deliverer.deliver(report, found.job)
        metrics.PINGS.labels(report.surface, report.signal).inc()
