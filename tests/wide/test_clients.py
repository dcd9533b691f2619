"""Clients of ClickHouse that nobody of us wrote, as owner and as reader: one table of questions."""

import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.wide.clients import scene as scenes
from tests.wide.clients.asked import asked, begun
from tests.wide.clients.judge import Asking, wrong
from tests.wide.clients.programs import CLIENTS, Client
from tests.wide.clients.questions import LONG, QUESTIONS, Question
from tests.wide.clients.scene import REAL, Scene
from tests.wide.clients.tools import SENT
from tests.wide.verification import ClientRow, Verification

pytestmark = [pytest.mark.wide, pytest.mark.timeout(600)]

APPEARS_S: Final = 60.0
GONE_S: Final = 15.0
"""Until a cancelled query is gone from the server: half of what a reader's query may take."""


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scenes.embedded(tmp_path_factory.mktemp("clients")) as scene:
        yield scene


@pytest.fixture(scope="session")
def real() -> Iterator[Scene]:
    with scenes.real(os.environ[REAL]) as scene:
        yield scene


@pytest.fixture(params=["embedded", "real"])
def scene(request: pytest.FixtureRequest) -> Scene:
    if request.param == "real" and not os.environ.get(REAL):
        pytest.skip(f"{REAL} names no server")
    found: Scene = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Client], list[str]]:
    """The command of a client; each is built once."""
    folder, commands = tmp_path_factory.mktemp("programs"), {}

    def command(client: Client) -> list[str]:
        if client.name not in commands:
            commands[client.name] = client.command(folder)
        return commands[client.name]

    return command


def test_every_question_of_a_client_has_a_name_of_its_own() -> None:
    names = [question.name for question in QUESTIONS] + [sent.name for sent in SENT]
    assert len(names) == len(set(names))
    assert len({client.name for client in CLIENTS}) == len(CLIENTS)
    assert {sent.by for sent in SENT} <= {client.tool for client in CLIENTS}


@pytest.mark.parametrize("user", ["owner", "reader"])
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_client(  # noqa: PLR0917 - fixtures
    client: Client,
    user: str,
    scene: Scene,
    built: Callable[[Client], list[str]],
    verification: Verification,
    tmp_path: Path,
) -> None:
    asking = Asking(client, scene, owner=user == "owner")
    command = built(client)
    questions = [*_questions(asking)]
    answers = asked(command, asking.where, questions)
    told = {
        question.name: wrong(asking, question, answers.answers[question.name])
        for question in questions
    }
    told["cancel"] = cancel(command, asking, tmp_path / "cancel.log")
    found = {name: text for name, text in told.items() if text}
    assert not found, f"{client.name} {answers.version} as {user}:\n" + "\n".join(
        f"- {name}: {text}" for name, text in found.items()
    )
    # Only now: the page says that nothing was wrong.
    verification.add_client(
        ClientRow(
            client=client.name,
            version=answers.version,
            server=f"{scene.name} {scene.version}",
            user=user,
            asked=tuple(told),
            lacks=dict(client.lacks),
        )
    )


def _questions(asking: Asking) -> Iterator[Question]:
    for question in QUESTIONS:
        if question.do not in asking.client.lacks:
            yield question
    names = {"{db}": asking.scene.owner.database, "{table}": "incidents"}
    for sent in SENT:
        if asking.client.tool == sent.by:
            sql = sent.sql
            for name, value in names.items():
                sql = sql.replace(name, value)
            yield Question(sent.name, "rows", sql, paths=sent.paths)


def cancel(command: list[str], asking: Asking, log: Path) -> str | None:
    """What is wrong with how a long query ends that the client cancels."""
    mark = f"wide-{uuid.uuid4().hex}"
    question = Question("cancel", "cancel", LONG.format(mark=mark))
    scene = asking.scene
    with begun(command, asking.where, question, log) as long:
        try:
            _until(
                lambda: long.ended() or scene.running(mark) > 0, APPEARS_S, "the query is running"
            )
            if long.ended():
                return f"expected a query that runs, found {long.answer()}"
            long.cancel()
            _until(lambda: scene.running(mark) == 0, GONE_S, "the query is gone from the server")
            answer = long.answer()
        except (TimeoutError, subprocess.TimeoutExpired, msgspec.DecodeError) as error:
            return f"{error} ({log.read_text()[-1_000:]})"
    return None if answer.error else f"expected an error, found {answer.value}"


def _until(true: Callable[[], bool], within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"expected within {within_s:.0f} s: {what}")
        time.sleep(0.1)
