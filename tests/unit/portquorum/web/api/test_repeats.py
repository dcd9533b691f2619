"""`Idempotency-Key`: once, whichever process is asked, and whatever becomes of the first one."""

import asyncio
from http import HTTPStatus
from typing import Any

import pytest

from portquorum.changing.errors import ChangeError
from portquorum.web.api import repeats
from schemas import web
from schemas.duration import DAY_MS
from tests.memory_journal import MemoryJournal, MemoryLog
from tests.unit.portquorum.web.api.test_changes import Api

SILENCE = {"match": {"teams": ["db"]}, "reason": "disk", "for_ms": 60_000}


def two() -> tuple[Api, Api]:
    log = MemoryLog()
    return Api(journal=MemoryJournal(log)), Api(journal=MemoryJournal(log))


async def make(api: Api, key: str = "k1", body: Any = SILENCE) -> Any:
    return await api.ask("POST", "/silences", body, Idempotency_Key=key)


async def test_the_same_answer_again_from_any_process() -> None:
    first, second = two()
    made = await make(first)
    for api in (first, second):
        again = await make(api)
        assert (again.status_code, again.content) == (201, made.content)
        assert again.headers["location"] == made.headers["location"]
        assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in made.headers
    assert len(first.acts.asked + second.acts.asked) == 1
    assert (await make(first, '"k1"')).headers["idempotency-replayed"] == "true"
    assert (await make(first, "k2")).status_code == 201
    assert len(first.acts.asked) == 2


async def test_a_key_is_of_one_request_and_of_one_person() -> None:
    first, second = two()
    await make(first)
    other = await make(second, body=SILENCE | {"reason": "other"})
    assert other.status_code == 422
    path = await second.ask(
        "POST", "/targets/check", {"host": "a.example", "port": 1}, Idempotency_Key="k1"
    )
    assert path.status_code == 422
    bob = Api(journal=MemoryJournal(first.journal.log), name="bob")
    assert "idempotency-replayed" not in (await make(bob)).headers
    for wrong in ("", "a b", "x" * 256, 'a"b'):
        assert (await make(first, wrong)).status_code == 400


async def test_while_the_first_is_under_way() -> None:
    first, second = two()
    may_end = asyncio.Event()
    began = asyncio.Event()
    silence = first.acts.silence

    async def slow(*asked: Any, **named: Any) -> Any:
        began.set()
        await may_end.wait()
        return await silence(*asked, **named)

    first.acts.silence = slow  # type: ignore[method-assign]
    going = asyncio.create_task(make(first))
    await began.wait()
    for api in (first, second):
        busy = await make(api)
        assert (busy.status_code, busy.headers["retry-after"]) == (409, "1")
    may_end.set()
    assert (await going).status_code == 201
    assert (await make(second)).headers["idempotency-replayed"] == "true"


async def test_a_hundred_at_once_are_one() -> None:
    first, second = two()
    answers = await asyncio.gather(*(make((first, second)[number % 2]) for number in range(100)))
    assert {one.status_code for one in answers} <= {201, 409}
    assert len(first.acts.asked + second.acts.asked) == 1


async def test_what_was_not_done_may_be_tried_again() -> None:
    first, second = two()
    first.acts.error = ChangeError(HTTPStatus.SERVICE_UNAVAILABLE, "Kafka is away")
    assert (await make(first)).status_code == 503
    assert (await make(second)).status_code == 201
    first.acts.error = None
    assert (await make(first)).headers["idempotency-replayed"] == "true"


async def test_a_process_that_was_killed_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "LOST_S", 0.05)
    log = MemoryLog()
    dead = Api(journal=MemoryJournal(log))
    gone = asyncio.Event()

    async def killed(*_asked: Any, **_named: Any) -> Any:
        log.followers.clear()
        gone.set()
        await asyncio.Event().wait()

    dead.acts.silence = killed  # type: ignore[method-assign]
    hanging = asyncio.create_task(make(dead))
    await gone.wait()
    second = Api(journal=MemoryJournal(log))
    answers = [await make(second)]
    while answers[-1].status_code == 409:
        await asyncio.sleep(0.02)
        answers.append(await make(second))
    assert len(answers) > 1, "one that may still be under way is not done again at once"
    assert answers[-1].status_code == 201
    assert len(second.acts.asked) == 1
    hanging.cancel()


async def test_a_long_request_keeps_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "LOST_S", 0.2)
    monkeypatch.setattr(repeats, "RENEW_S", 0.01)
    first, second = two()
    silence = first.acts.silence

    async def slow(*asked: Any, **named: Any) -> Any:
        loop = asyncio.get_running_loop()
        until = loop.time() + 0.5
        while loop.time() < until:
            assert (await make(second)).status_code == 409
            await asyncio.sleep(0.01)
        return await silence(*asked, **named)

    first.acts.silence = slow  # type: ignore[method-assign]
    assert (await make(first)).status_code == 201
    assert not second.acts.asked
    assert (await make(second)).headers["idempotency-replayed"] == "true"


async def test_a_day_later_it_is_another_request() -> None:
    first, _ = two()
    await make(first)
    (kept,) = first.journal.book.all(web.Request).values()
    old = web.Request(
        **{name: getattr(kept, name) for name in web.Request.__struct_fields__}
        | {"version": kept.version + 1, "at": kept.at - DAY_MS - 60_000}
    )
    await first.journal.edit([old])
    assert "idempotency-replayed" not in (await make(first)).headers
    assert len(first.acts.asked) == 2


async def test_kafka_is_away() -> None:
    first, _ = two()
    first.journal.is_away = True
    assert (await make(first)).status_code == 503
    assert not first.acts.asked
    without = await first.ask("POST", "/silences", SILENCE)
    assert without.status_code == 201, "only a key needs the journal"


async def test_no_secret_is_kept_with_an_answer() -> None:
    first, second = two()
    for path, body, field in (
        ("/tokens", {"name": "ci"}, "secret"),
        ("/invitations", {"scope": "viewer"}, "path"),
    ):
        made = await first.ask("POST", path, body, Idempotency_Key=path)
        assert "hunter2" in made.text
        again = await second.ask("POST", path, body, Idempotency_Key=path)
        assert again.status_code == 201
        assert again.json() == made.json() | {field: None}
    assert "hunter2" not in first.journal.log.texts()
