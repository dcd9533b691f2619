"""Files that are made of the history: they leave turns to others, and come whole or broken off."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from portquorum.web.api import csv_answer
from portquorum.web.history import answers as stored
from portquorum.web.history.errors import HistoryTooSlowError
from tests.unit.portquorum.web.fakes import FakeFleet, FakeHistory, Made, result_row

FILE = "/api/v1/results?target=db-0&format=csv"


class SlowHistory(FakeHistory):
    """Answers when it is told to; has `pages` pages, and then fails."""

    def __init__(self, pages: int = 1) -> None:
        super().__init__()
        self.pages = pages
        self.now = self.most = 0
        self.free = asyncio.Event()

    async def results(self, _: Any, cursor: str | None, __: int) -> stored.ResultPage:
        self.now += 1
        self.most = max(self.most, self.now)
        await self.free.wait()
        self.now -= 1
        if self.pages == 0:
            raise HistoryTooSlowError("too slow") from TimeoutError()
        self.pages -= 1
        return stored.ResultPage(rows=(result_row(),), next="more" if cursor is None else None)


async def until_waiting(files: int) -> None:
    async with asyncio.timeout(20):
        while csv_answer.turns.waiting < files:  # noqa: ASYNC110 - it is no event of ours
            await asyncio.sleep(0.001)


async def test_few_files_ask_at_a_time_and_all_come_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    history = SlowHistory(pages=200)
    made = Made(history=history)
    monkeypatch.setattr(csv_answer, "MOST_WAITING", 5)
    async with made.client() as client:
        files = [asyncio.create_task(client.get(FILE)) for _ in range(csv_answer.TURNS + 5)]
        await until_waiting(5)
        further = await client.get(FILE)
        assert (further.status_code, further.headers["retry-after"]) == (503, "15")
        history.free.set()
        answers = await asyncio.gather(*files)
    assert {len(one.text.splitlines()) for one in answers} == {3}
    assert history.most == csv_answer.TURNS


async def test_a_hundred_files_do_not_hold_up_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all files together one part is written between two turns of everybody else."""
    turn = 0
    written: list[int] = []
    text = csv_answer._text

    def counted(rows: Any) -> bytes:
        if len(rows) > 1:
            written.append(turn)
        return text(rows)

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(csv_answer, "_text", counted)
    monkeypatch.setattr(csv_answer, "ROWS_A_TURN", 10)
    counting = asyncio.create_task(count())
    async with Made(fleet=FakeFleet(50)).client() as client:
        answers = await asyncio.gather(*(client.get("/targets.csv") for _ in range(20)))
    counting.cancel()
    assert {len(one.text.splitlines()) for one in answers} == {51}
    assert len(written) == 100
    assert max(Counter(written).values()) <= 2


async def test_a_file_that_can_t_be_ended_is_broken_off_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    history = SlowHistory(pages=1)
    history.free.set()
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    path, _, query = FILE.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 9480),
    }
    await Made(history=history).app(scope, receive, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 200
    assert sent[-1]["more_body"]
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
