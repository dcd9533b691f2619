"""Sends in threads of their own."""

import asyncio
import threading
from collections.abc import Callable

from sinks.notifier.model import Channel, Delivery, News, SendOutcome
from sinks.notifier.sending import Sending
from sinks.notifier.tenure import now_ms
from tests.unit.sinks.notifier.events import AT, incident_event

DEADLINE_S = 100
CONFIRMED = SendOutcome(kind="confirmed")


def delivery(name: str, url: str = "json://a/", *entries: str) -> Delivery:
    return Delivery(
        id=name,
        channel=Channel("ops", url),
        action="opened",
        news=tuple(
            News(entry=entry, event=incident_event(), key=entry) for entry in entries or (name,)
        ),
        attempt=1,
        plain=False,
        at=AT,
    )


async def ended(sending: Sending, count: int) -> dict[str, SendOutcome]:
    """The outcomes of so many sends, by delivery."""
    found: dict[str, SendOutcome] = {}
    changed = asyncio.Event()
    sending.on_finished = changed.set
    async with asyncio.timeout(DEADLINE_S):
        while True:
            found |= {one.delivery.id: one.outcome for one in sending.take_finished()}
            if len(found) == count:
                return found
            await changed.wait()
            changed.clear()


async def test_a_hanging_channel_holds_no_other_one() -> None:
    answer = threading.Event()

    def send(one: Delivery, **_: object) -> SendOutcome:
        if one.channel.url == "json://hangs/":
            answer.wait(DEADLINE_S)
        return CONFIRMED

    sending = Sending(send, lambda: True)
    for number in range(100):
        sending.start(delivery(f"h{number}", "json://hangs/"))
        sending.start(delivery(f"f{number}", "json://free/"))
    free = await ended(sending, 100)
    assert free.keys() == {f"f{number}" for number in range(100)}
    assert sending.running == 100
    assert sending.busy
    answer.set()
    assert len(await ended(sending, 100)) == 100
    assert not sending.busy


async def test_the_thread_asks_whether_it_may_send() -> None:
    allowed = [False]

    def send(_one: Delivery, *, may_send: Callable[[], bool]) -> SendOutcome:
        return CONFIRMED if may_send() else SendOutcome(kind="not_attempted")

    sending = Sending(send, lambda: allowed[0])
    sending.start(delivery("before"))
    assert (await ended(sending, 1))["before"].kind == "not_attempted"
    allowed[0] = True
    sending.start(delivery("now"))
    assert (await ended(sending, 1))["now"].kind == "confirmed"


async def test_the_time_of_each_request_is_known_while_its_answer_is_not() -> None:
    asked, answer = threading.Event(), threading.Event()

    def send(_one: Delivery, *, may_send: Callable[[], bool]) -> SendOutcome:
        may_send()
        may_send()
        asked.set()
        answer.wait(DEADLINE_S)
        return CONFIRMED

    sending = Sending(send, lambda: True)
    before = now_ms()
    sending.start(delivery("a"))
    assert await asyncio.to_thread(asked.wait, DEADLINE_S)
    begun = list(sending.take_begun())
    assert [one.id for one, _ in begun] == ["a", "a"]
    assert all(before <= at <= now_ms() for _, at in begun)
    answer.set()
    await ended(sending, 1)
    assert list(sending.take_begun()) == []


async def test_a_send_that_was_not_allowed_has_not_begun() -> None:
    def send(_one: Delivery, *, may_send: Callable[[], bool]) -> SendOutcome:
        may_send()
        return SendOutcome(kind="not_attempted")

    sending = Sending(send, lambda: False)
    sending.start(delivery("a"))
    await ended(sending, 1)
    assert list(sending.take_begun()) == []


async def test_a_fault_of_ours_is_an_outcome_without_the_text_of_the_error() -> None:
    def send(_one: Delivery, **_: object) -> SendOutcome:
        raise ValueError("json://me:tops3cret@a/")

    sending = Sending(send, lambda: True)
    sending.start(delivery("a"))
    outcome = (await ended(sending, 1))["a"]
    assert outcome.kind == "unreachable"
    assert "ValueError" in (outcome.error or "")
    assert "tops3cret" not in (outcome.error or "")


async def test_a_send_that_tells_the_same_channel_of_the_same_is_found() -> None:
    answer = threading.Event()

    def send(_one: Delivery, **_: object) -> SendOutcome:
        answer.wait(DEADLINE_S)
        return CONFIRMED

    sending = Sending(send, lambda: True)
    first = delivery("first", "json://a/", "incident/1", "incident/2")
    sending.start(first)
    assert sending.same(delivery("x", "json://a/", "incident/2", "incident/3")) is first
    assert sending.same(delivery("x", "json://b/", "incident/2")) is None
    assert sending.same(delivery("x", "json://a/", "incident/3")) is None
    answer.set()
    await ended(sending, 1)
    assert sending.same(first) is None


async def test_without_a_thread_nothing_was_attempted(monkeypatch: object) -> None:
    def none(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    sending = Sending(lambda *_a, **_k: CONFIRMED, lambda: True)
    monkeypatch.setattr(threading.Thread, "start", none)  # type: ignore[attr-defined]
    sending.start(delivery("a"))
    assert (await ended(sending, 1))["a"].kind == "not_attempted"
