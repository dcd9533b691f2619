"""How a notifier becomes the active one: a newer Term, then the decisions as the log has them."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer

from foundation import telemetry
from foundation.settings import Settings
from schemas import notifier_state
from schemas.notifier_state import (
    OFFSETS_KEY,
    SILENCES_KEY,
    ChannelPace,
    HandledOffsets,
    Subject,
    Term,
)
from sinks.notifier.decision.desk import Desk
from sinks.notifier.first_version import REST_EVERY, take_over_from_first_version
from sinks.notifier.routing import Routes
from sinks.notifier.start_offsets import committed, places
from sinks.notifier.state_log import StateLog
from sinks.notifier.state_view import StateView
from sinks.notifier.tenure import Tenure, now_ms, term_message

MOST_TERM: Final = 2**31 - 1
"""The highest term that a reader accepts."""

_log: Final = telemetry.logger(__name__)


class NoTermLeftError(RuntimeError):
    """[notifier-state] has the highest term of all, and nothing can be newer."""


async def begin_term(state: StateLog, still_ours: Callable[[], bool]) -> Term | None:
    """Writes a Term that is the newest, and reads it back; None if the partitions went away.

    Then the view of `state` has all that earlier terms have decided: whatever they write from now
    on does not count.

    Raises:
        NoTermLeftError: nothing can be newer than what the log has.
    """
    while still_ours():
        if state.view.term >= MOST_TERM:
            raise NoTermLeftError(
                f"expected terms that notifiers count up from 1, found {state.view.term} in "
                "[notifier-state], which somebody else wrote: nobody can be told of anything until "
                "the topic is deleted and made again"
            )
        term = Term(term=state.view.term + 1, owner=uuid.uuid4().hex, at=now_ms())
        await state.write([term_message(term)])
        await state.read_to_end()
        if (state.view.term, state.view.owner) == (term.term, term.owner):
            return term
    return None


async def take_over(
    settings: Settings,
    consumer: AIOKafkaConsumer,
    view: StateView,
    *,
    desk: Desk,
    routes: Routes,
    term: Term,
) -> Tenure:
    """The decisions as the log has them, and the places from which to go on.

    `consumer` has all partitions of [incidents]. What is new (of a first start) is not written yet.

    Raises:
        aiokafka.errors.KafkaError: the cluster went away.
        LookupError: a topic does not exist.
    """
    values = dict(view.values)
    handled = _handled(values.pop(OFFSETS_KEY, None))
    subjects, paces = await _restored(values, desk)
    desk.set_routes(routes, now_ms())
    tenure = Tenure(term, desk, subjects, paces)
    tenure.confirmed_before = SILENCES_KEY in values
    tenure.heed(routes.silences)
    partitions = sorted(consumer.assignment())
    found = await places(consumer, partitions, handled or {})
    tenure.offsets = {part.partition: offset for part, offset in found.items()}
    tenure.recorded = dict(handled or {})
    ends = await consumer.end_offsets(partitions)
    tenure.catch_up_to = {part.partition: end for part, end in ends.items()}
    if handled is None:
        tenure.offsets = await take_over_from_first_version(
            settings,
            desk,
            routes,
            tenure.offsets,
            committed=bool(await committed(consumer, partitions)),
        )
    return tenure


def _handled(value: bytes | None) -> dict[int, int] | None:
    """The places of the last tenure; None if there was none."""
    if value is None:
        return None
    try:
        handled = notifier_state.decode(value)
    except msgspec.DecodeError as error:
        _log.error("the places in [notifier-state] can't be read", error=str(error))
        return None
    if not isinstance(handled, HandledOffsets):
        return None
    return {int(name): offset for name, offset in handled.offsets.items() if name.isdecimal()}


async def _restored(
    values: Mapping[bytes, bytes], desk: Desk
) -> tuple[list[Subject], list[ChannelPace]]:
    """The subjects and the channels' paces of the log, which the Desk has then."""
    subjects: list[Subject] = []
    paces: list[ChannelPace] = []
    for number, (key, value) in enumerate(values.items()):
        if number % REST_EVERY == 0:
            await asyncio.sleep(0)
        try:
            state = notifier_state.decode(value)
            if isinstance(state, Subject):
                desk.restore(state)
                subjects.append(state)
            elif isinstance(state, ChannelPace):
                desk.restore_pace(state)
                paces.append(state)
        except msgspec.DecodeError as error:
            _log.error(
                "a record of [notifier-state] can't be read: what it tells of is not told",
                key=repr(key)[:200],
                error=str(error),
            )
    return subjects, paces
