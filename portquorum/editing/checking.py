"""One check from this machine of what an entry says, for whoever adds a target.

It reaches what the probers of all the entry's regions may reach, and nothing else: who may add a
target asks no address of this network through the page that a prober would refuse.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Final

from portquorum.changing.edits import CheckSaid
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.inventory.errors import path_text
from portquorum.inventory.heartbeats import is_job
from producers.checks.model import CheckOutcome, Vantage
from producers.engine.single_check import check_once
from producers.kinds import secrets
from producers.kinds.secret_places import places
from schemas.target import Target

AT_ONCE: Final = 4
MOST_S: Final = 15.0
"""The longest check, whatever the timeout of the target."""

REPORTS_ITSELF: Final = (
    "a heartbeat can't be checked: the job reports itself, to an address with one of its keys"
)
LONGEST_WAIT_S: Final = 15.0
_PHASES: Final = ("dns_ms", "connect_ms", "tls_ms")


class Checker:
    """Makes checks, at most four at a time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def check(self, target: Target, vantages: Mapping[str, Vantage]) -> CheckSaid:
        """Checks a target once.

        Raises:
            ChangeError: 400, it needs a secret; 409, it is a heartbeat; 503, too many checks are
                under way.
        """
        if is_job(target):
            raise ChangeError(HTTPStatus.CONFLICT, REPORTS_ITSELF)
        _must_need_no_secret(target)
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                await self._turns.acquire()
        except TimeoutError:
            raise ChangeError(
                HTTPStatus.SERVICE_UNAVAILABLE, "other checks are under way; try again"
            ) from None
        try:
            # In a loop of its own: what an answer takes to be read delays nobody else.
            outcome = await _aside(partial(_checked, target, strictest(target, vantages)))
        finally:
            self._turns.release()
        return _said(outcome)


def strictest(target: Target, vantages: Mapping[str, Vantage]) -> Vantage:
    """What the probers of every region of a target may reach; of a region nobody knows: public."""
    found = [vantages.get(region, Vantage()) for region in target.regions]
    outside = [one for one in found if not one.internal]
    allow = outside[0].allow if outside else ()
    for one in outside[1:]:
        allow = tuple(network for network in allow if network in one.allow)
    denied = dict.fromkeys(network for one in found for network in one.deny)
    return Vantage(internal=not outside, allow=allow, deny=tuple(denied))


async def _aside(work: Callable[[], CheckOutcome]) -> CheckOutcome:
    """The result of work in a thread that keeps no process from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[CheckOutcome] = loop.create_future()

    def finish(outcome: CheckOutcome | None, error: BaseException | None) -> None:
        if done.done():
            return
        if outcome is None:
            done.set_exception(error or RuntimeError("a check ended without an outcome"))
        else:
            done.set_result(outcome)

    def run() -> None:
        outcome, failed = None, None
        try:
            outcome = work()
        except BaseException as error:  # noqa: BLE001 - it is the waiting task's
            failed = error
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(finish, outcome, failed)

    threading.Thread(target=run, name="check", daemon=True).start()
    return await done


def _checked(target: Target, vantage: Vantage) -> CheckOutcome:
    return asyncio.run(
        check_once(
            target.host or "",
            target.port,
            target.kind,
            min(target.timeout_ms / 1000, MOST_S),
            probe=target.probe,
            resolver=target.resolver,
            max_ms=target.max_ms,
            expect=target.expect,
            vantage=vantage,
        )
    )


def _said(outcome: CheckOutcome) -> CheckSaid:
    phases = ((name, getattr(outcome, name)) for name in _PHASES)
    return CheckSaid(
        up=outcome.status == "up",
        reason=outcome.reason or "",
        detail=outcome.detail or "",
        address=outcome.address or "",
        total_ms=outcome.total_ms,
        phases={name.removesuffix("_ms"): ms for name, ms in phases if ms is not None},
    )


def _must_need_no_secret(target: Target) -> None:
    errors = list(_secret_errors(target))
    if errors:
        text = "it needs a secret that only probers have: they alone can check it"
        raise ChangeError(HTTPStatus.BAD_REQUEST, text, errors=errors)


def _secret_errors(target: Target) -> Iterable[FieldError]:
    for place in () if target.probe is None else places(target.probe):
        for name in secrets.names(place.text):
            text = f"needs ${{{name}}}, a secret that only probers have"
            yield FieldError(field=path_text(("probe", *place.path)), message=text)
