"""`portquorum user` and `token` beside a real broker."""

import asyncio
import getpass
import os
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from foundation.settings import Settings
from portquorum.access import tokens
from portquorum.access.passwords import Passwords
from portquorum.journal.journal import opened
from portquorum.web.office.office import RecordsOffice
from schemas.web import Audit, Token, User
from tests.commands import Said, called

GOOD = "correct horse battery"
OTHER = "staple battery horse"
DEADLINE_S = 120


@pytest.fixture
def settings(kafka: str, request: pytest.FixtureRequest) -> Settings:
    return Settings(kafka=kafka, topic_prefix=request.node.name[:80], partitions=1)


def names(settings: Settings, folder: Path) -> dict[str, str]:
    return {
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
        "PORTQUORUM_PARTITIONS": str(settings.partitions),
        "PORTQUORUM_DATA_DIR": str(folder),
        "COLUMNS": "200",
    }


class Shell:
    """Commands of one installation."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.env = names(settings, folder)
        self.folder = folder

    async def call(self, *arguments: str, given: str = "") -> Said:
        return await asyncio.to_thread(called, self.folder, self.env, *arguments, given=given)

    async def json(self, *arguments: str, given: str = "") -> Any:
        done = await self.call(*arguments, "--json", given=given)
        assert done.returncode == 0, done.stderr
        return msgspec.json.decode(done.stdout)


@pytest.fixture
def shell(settings: Settings, tmp_path: Path) -> Shell:
    return Shell(settings, tmp_path)


async def test_users_from_the_first_to_the_last(shell: Shell, settings: Settings) -> None:
    assert "no users" in (await shell.call("user", "list")).stdout
    done = await shell.call("user", "add", "ann", given=GOOD)
    assert (done.returncode, "--password-stdin" in done.stderr) == (2, True)
    done = await shell.call("user", "add", "ann", "--password-stdin", given=GOOD + "\n")
    assert done.returncode == 1
    assert "the first user must be an admin" in done.stderr
    made = await shell.json(
        "user", "add", "ann", "--scope", "admin", "--password-stdin", given=GOOD + "\n"
    )
    assert made["user"]["scope"] == "admin"
    limited = ("--scope", "operator", "--team", "db", "--tag", "rack", "--no-password")
    done = await shell.call("user", "add", "bob", *limited)
    assert done.stdout == "made bob: operator, limits db, tag rack, without a password\n"
    done = await shell.call("user", "add", "bob", *limited)
    assert (done.returncode, "expected none, found version 1" in done.stderr) == (2, True)
    assert (await shell.call("user", "set", "bob")).returncode == 2
    assert (await shell.call("user", "set", "zoe", "--disable")).returncode == 1
    done = await shell.call("user", "set", "bob", "--no-limits", "--disable")
    assert done.stdout == "changed bob: operator, limits none, without a password, disabled\n"
    await shell.call("user", "set", "bob", "--enable", "--password-stdin", given=OTHER)
    listed = (await shell.json("user", "list"))["users"]
    assert [(one["name"], one["has_password"]) for one in listed] == [("ann", True), ("bob", True)]
    assert "operator" in (await shell.call("user", "list")).stdout
    done = await shell.call("user", "remove", "ann")
    assert (done.returncode, "would be none" in done.stderr) == (1, True)
    assert (await shell.json("user", "remove", "bob")) == {"removed": "bob"}
    async with opened(settings, DEADLINE_S) as journal:
        users = journal.book.all(User)
        assert set(users) == {"ann"}
        assert await Passwords().verify(users["ann"].password, GOOD)
        entries = list(journal.book.every(Audit).values())
        assert [one.action for one in entries] == [
            "add user", "add user", "change user", "change user", "remove user",
        ]  # fmt: skip
        assert {one.by for one in entries} == {getpass.getuser()}


async def test_a_link_makes_the_first_admin(shell: Shell, settings: Settings) -> None:
    done = await shell.call("user", "link", "--scope", "admin", "--url", "https://w.example.com/")
    link, _, secret = done.stdout.strip().partition("/welcome?invitation=")
    assert link == "https://w.example.com"
    async with opened(settings, DEADLINE_S) as journal:
        made = await RecordsOffice(journal).accept(secret, "ann", GOOD)
        assert made.scope == "admin"
    assert secret not in (await shell.call("user", "list")).stdout


async def test_tokens(shell: Shell, settings: Settings) -> None:
    done = await shell.call("token", "add", "ci job", "--scope", "operator", "--expires", "30d")
    found = tokens.parse(done.stdout.strip())
    assert found is not None
    assert found.secret not in done.stderr
    async with opened(settings, DEADLINE_S) as journal:
        kept = journal.book.get(Token, found.id)
        assert kept is not None
        assert tokens.is_secret_of(kept, found.secret)
        assert (kept.name, kept.scope) == ("ci job", "operator")
    assert "ci job" in (await shell.call("token", "list")).stdout
    (listed,) = (await shell.json("token", "list"))["tokens"]
    assert (listed["id"], listed["secret"]) == (found.id, None)
    for wrong in (("--scope", "root"), ("--expires", "soon"), ("--expires", "9999d")):
        assert (await shell.call("token", "add", "x", *wrong)).returncode == 2
    unknown = await shell.call("token", "revoke", "00000000")
    assert (unknown.returncode, "no token 00000000" in unknown.stderr) == (1, True)
    assert await shell.json("token", "revoke", found.whole) == {"revoked": [found.id]}
    assert (await shell.call("token", "list")).stdout == "no tokens\n"


async def test_a_password_is_asked_for_twice_and_not_shown(
    settings: Settings, tmp_path: Path
) -> None:
    program = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    command = [sys.executable, "-m", "portquorum", "user", "add", "ann", "--scope", "admin"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *command,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env=os.environ | names(settings, tmp_path),
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    shown = b""
    try:
        async with asyncio.timeout(DEADLINE_S):
            for question in (b"Password: ", b"Repeat for confirmation: "):
                shown += await process.stdout.readuntil(question)
                process.stdin.write(GOOD.encode() + b"\n")
            shown += await process.stdout.read()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert GOOD.encode() not in shown
    assert b"ann: admin, limits none" in shown
