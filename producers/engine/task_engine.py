"""The engine of all kinds but the plain TCP handshake: one asyncio task for each check."""

import asyncio
import select
import time
import traceback
from collections import deque
from typing import Final

from msgspec.structs import replace

from foundation.telemetry import logger
from producers.checks import expected_closed
from producers.checks.errors import CheckFailedError
from producers.checks.model import LOST_SHARE, CheckOutcome, Hop, OnDone, PlannedCheck, Vantage
from producers.checks.name_server import NameServers
from producers.checks.os_errors import clean
from producers.checks.resolver import Resolver
from producers.engine.loop_lag import LoopLag
from producers.engine.total_limit import limited
from producers.judging.judges import Judges
from producers.kinds.check_context import CheckContext
from producers.kinds.closing import Closer
from producers.kinds.pace import Turns
from producers.kinds.rdap_memory import Registries
from producers.kinds.readiness import EpollReadiness, LoopReadiness
from producers.kinds.registry import KINDS
from schemas.result import NEVER_COUNTED

MOST: Final = 4_000
"""The most checks in flight; further ones wait in a queue."""

NOT_UNDERSTOOD: Final = "the answer can't be understood"
"""The beginning of the detail after an error that the kind does not handle."""


class TaskEngine:
    """See `producers.checks.model.Engine`. Made in a running loop; the caller closes `resolver`.

    `name_servers` are those of targets with a `resolver`; the caller closes them, too.
    """

    def __init__(
        self,
        vantage: Vantage,
        resolver: Resolver,
        most: int = MOST,
        *,
        name_servers: NameServers | None = None,
        registries: Registries | None = None,
    ) -> None:
        self.vantage = vantage
        self._resolver = resolver
        self._name_servers = name_servers
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._held_up = LoopLag()
        self._judges = Judges()
        self._closer = Closer()
        self._turns = Turns()
        self._registries = registries or Registries()
        self._readiness = EpollReadiness() if hasattr(select, "epoll") else LoopReadiness()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[float, PlannedCheck, OnDone]] = deque()

    @property
    def in_flight(self) -> int:
        """The number of checks in flight or in the queue."""
        return len(self._tasks) + len(self._waiting)

    def submit(self, check: PlannedCheck, on_done: OnDone) -> None:
        """Begins the check or queues it; see the protocol."""
        if len(self._tasks) < self._most:
            self._begin(check, on_done)
        else:
            self._waiting.append((time.monotonic(), check, on_done))

    def close(self) -> None:
        """Ends all checks in flight without an outcome."""
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()
        self._closer.end()
        self._readiness.close()
        self._judges.close()

    async def connections_closed(self, within_s: float) -> None:
        """Returns when the connections of the past checks are closed, or after `within_s`."""
        await self._closer.closed(within_s)

    def _begin(self, check: PlannedCheck, on_done: OnDone) -> None:
        task = self._loop.create_task(self._run(check, on_done))
        self._tasks.add(task)

    async def _run(self, check: PlannedCheck, on_done: OnDone) -> None:
        mark = self._held_up.begin()
        context = CheckContext(
            check.target,
            self.vantage,
            self._resolver,
            self._judges,
            closer=self._closer,
            turns=self._turns,
            readiness=self._readiness,
            name_servers=self._name_servers,
        )
        try:
            failure = await self._failure(context, mark)
        finally:
            context.close()
            self._held_up.end()
        task = asyncio.current_task()
        if task is not None:
            self._tasks.discard(task)
        outcome = _outcome(context, failure)
        if check.target.expect == "closed":
            outcome = expected_closed.turned(outcome, check.target.kind)
        else:
            outcome = limited(check.target, outcome)
        self._tell(check, outcome, on_done)
        self._take_waiting()

    async def _failure(self, context: CheckContext, mark: float) -> CheckFailedError | None:
        kind = KINDS.get(context.target.kind)
        if kind is None:
            text = f"this prober can't check kind {context.target.kind!r}"
            return CheckFailedError("prober_error", text)
        try:
            context.pace, context.registries = kind.pace, self._registries
            async with asyncio.timeout_at(context.deadline) as limit:
                context.limit = limit
                await kind.check(context)
        except CheckFailedError as error:
            failure, silent = error, error.reason == "timed_out"
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  (a panic of a library in Rust is no Exception)
            if not (limit.expired() and isinstance(error, TimeoutError)):
                return _unforeseen(context, error)
            failure, silent = context.out_of_time(), True
        else:
            return None
        lost_s = self._held_up.lost_s(mark)
        if silent and lost_s * 1000 > LOST_SHARE * context.target.timeout_ms:
            text = f"the prober stood still for {lost_s:.1f} s of this check"
            return CheckFailedError("prober_error", text)
        return failure

    def _take_waiting(self) -> None:
        now = time.monotonic()
        while self._waiting and len(self._tasks) < self._most:
            since, check, on_done = self._waiting.popleft()
            if (now - since) * 1000 < check.target.timeout_ms:
                self._begin(check, on_done)
                continue
            text = f"{self._most} checks of such kinds were on their way: no room for this one"
            outcome = CheckOutcome(
                status="missed", reason="prober_error", started_at=None, detail=text
            )
            self._tell(check, outcome, on_done)

    def _tell(self, check: PlannedCheck, outcome: CheckOutcome, on_done: OnDone) -> None:
        try:
            on_done(check, outcome)
        except Exception as error:  # noqa: BLE001  (other checks wait behind this one)
            # The loop treats it like any other failed callback.
            self._loop.call_soon(_raise, error)


def _unforeseen(context: CheckContext, error: BaseException) -> CheckFailedError:
    """The failure for an error that no kind handles: the server's, after its first byte.

    Before the first byte it is a fault of the prober. After it the cause is the server's data or a
    mistake of ours in decoding it; people must learn of both, and the log has the cause.
    """
    what = "a check failed by an error that its kind does not foresee"
    if context.scrubber.used:  # the text of an error may have the request, with its secrets
        lines = "".join(traceback.format_exception(error))
        said = context.scrubber.scrub(lines)
        logger(__name__).error(what, kind=context.target.kind, exception=said)
    else:
        logger(__name__).error(what, kind=context.target.kind, exc_info=error)
    text = f"{type(error).__name__}: {error}"
    if context.heard:
        return CheckFailedError("unexpected_response", f"{NOT_UNDERSTOOD}: {text}")
    return CheckFailedError("prober_error", text)


def _outcome(context: CheckContext, failure: CheckFailedError | None) -> CheckOutcome:
    ours = failure is not None and failure.reason in NEVER_COUNTED
    return CheckOutcome(
        status="up" if failure is None else "missed" if ours else "down",
        reason=None if failure is None else failure.reason,
        started_at=context.started_at,
        detail=_detail(context, failure),
        address=context.address,
        dns_ms=_rounded(context.dns_ms),
        connect_ms=_rounded(context.connect_ms),
        tls_ms=_rounded(context.tls_ms),
        total_ms=None if ours else _rounded(_total_ms(context)),
        cert_expires_at=context.cert_expires_at,
        http_status=context.http_status,
        banner=None if context.banner is None else _told(context, context.banner) or None,
        hops=tuple(_scrubbed(context, hop) for hop in context.hops),
    )


def _detail(context: CheckContext, failure: CheckFailedError | None) -> str | None:
    said = context.notice if failure is None else failure.detail
    return None if said is None else _told(context, said)


def _told(context: CheckContext, text: str) -> str:
    """The text as it leaves the check, without secrets, also none that it has when it is clean."""
    return clean(context.scrubber.scrub(clean(context.scrubber.scrub(text))))


def _scrubbed(context: CheckContext, hop: Hop) -> Hop:
    return replace(hop, url=context.scrubber.scrub(hop.url)) if context.scrubber.used else hop


def _total_ms(context: CheckContext) -> float:
    if context.total_ms is not None:
        return context.total_ms
    now = time.monotonic() if context.ended_at is None else context.ended_at
    if context.connected_at is None or context.connect_ms is None:
        return (now - context.started_at) * 1000
    answered_ms = context.earlier_ms + (now - context.connected_at) * 1000
    return (context.dns_ms or 0.0) + context.connect_ms + answered_ms


def _rounded(span_ms: float | None) -> float | None:
    return None if span_ms is None else round(span_ms, 3)


def _raise(error: Exception) -> None:
    raise error
