"""The ASGI app: answers reports in the words of three APIs, after the broker confirmed them."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from portquorum.receiver import answers, gatus, healthchecks, kuma, metrics
from portquorum.receiver.answers import Answer, RefusedError, TakenError, Words
from portquorum.receiver.asked import bearer_of, path_of, query_of
from portquorum.receiver.body import BodyGoneError, BodyLateError, body_end
from portquorum.receiver.lookup import Lookup, NotReadyError
from portquorum.receiver.publisher import NotConfirmedError
from portquorum.receiver.report import Job, Report, Surface
from portquorum.receiver.request import NewJob, Request, Understood
from portquorum.serving.plain_answer import say
from portquorum.serving.scopes import is_http

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Receive, Scope, Send

LOOKS: Final = 20
LOOK_S: Final = 0.05
"""A job that another report has just made is looked for so often, and after such a wait."""

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


class JobMaker(Protocol):
    """Makes jobs for their first reports."""

    async def make(self, wanted: NewJob) -> Job:
        """Returns the job once it is in [targets].

        Raises:
            TakenError: something has this id.
            RefusedError: there is none by this key, or it can't be made now.
        """


class ReceiverApp:
    """Takes reports of jobs; the secret in the address is all that a client needs."""

    def __init__(self, lookup: Lookup, deliverer: Deliverer, maker: JobMaker | None = None) -> None:
        """`maker` None: reports of jobs that are not there are refused."""
        self._lookup = lookup
        self._deliverer = deliverer
        self._maker = maker

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
            is_new = await self._take(understood(request, self._lookup), receive)
        except RefusedError as error:
            return error.answer
        except NotReadyError:
            return words.not_ready
        except NotConfirmedError:
            return words.not_confirmed
        return answers.CREATED if is_new else words.ok

    async def _take(self, found: Understood, receive: "Receive") -> bool:
        """Publishes a report; True if its job was made for it."""
        try:
            report = found.with_body(await body_end(receive))
        except BodyLateError:
            raise RefusedError(answers.TOO_SLOW) from None
        job, is_new = found.job, False
        if isinstance(job, NewJob):
            job, is_new = await self._new(job)
        await self._deliverer.deliver(report, job)
        metrics.PINGS.labels(report.surface, report.signal).inc()
        return is_new

    async def _new(self, wanted: NewJob) -> tuple[Job, bool]:
        """The job, and whether it was made here: of several first reports at once one makes it."""
        if self._maker is None:
            raise RefusedError(answers.NOT_FOUND)
        try:
            return await self._maker.make(wanted), True
        except TakenError:
            for _ in range(LOOKS):
                job = self._lookup.made(wanted.key, wanted.id)
                if job is not None:
                    return job, False
                await asyncio.sleep(LOOK_S)
            raise
