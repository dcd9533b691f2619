"""The examples of docs/api.md are asked."""

import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

from portquorum.editing.page_inventory import PageInventory
from tests.memory_journal import MemoryJournal
from tests.unit.portquorum.editing.world import (
    PARTITIONS,
    FakePauses,
    FakePublished,
    FakeWrites,
    World,
)
from tests.unit.portquorum.web.api.test_changes import Api

PAGE = Path(__file__).parents[5] / "docs" / "api.md"
COMMANDS = re.findall(r"^(curl .*)$", re.sub(r"\\\n\s*", "", PAGE.read_text()), re.MULTILINE)
KNOWN = {"db1-5432": "db-0", "0b51c0de": "inc-0"}
"""What the examples name, and what there is."""


def asked_of(command: str) -> tuple[str, str, bytes | None, dict[str, str]]:
    """Method, path below /api/v1, body and headers of a command."""
    words = iter(shlex.split(command.partition(" > ")[0])[1:])
    method, body, headers, url = "", None, {}, ""
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-d":
                body = next(words).encode()
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name.replace("-", "_")] = value
            case "--no-buffer":
                pass
            case _:
                url = word
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}" == "http://127.0.0.1:9480"
    path = parts.path.removeprefix("/api/v1") + (f"?{parts.query}" if parts.query else "")
    for written, there in KNOWN.items():
        path = path.replace(written, there)
    return method or ("GET" if body is None else "POST"), path, body, headers


async def test_the_examples_work_one_after_the_other() -> None:
    """With the real inventory, which knows what a target may say."""
    journal, world = MemoryJournal(), World()
    published = FakePublished(world)
    edits = PageInventory(journal, published, FakeWrites(world), FakePauses(world), PARTITIONS)
    own, acts = Api(journal=journal, edits=edits, teams=()), Api()
    acts.fleet.add_job("nightly-backup", team="db")
    await published.caught_up()
    refused = []
    for command in COMMANDS:
        method, path, body, headers = asked_of(command)
        if path == "/events":
            continue
        is_own = "/entry" in path or path in {"/targets", "/inventory.yaml"}
        answer = await (own if is_own else acts).ask(method, path, body, **headers)
        if answer.status_code not in {200, 201, 204}:
            refused.append((command, answer.text))
    assert refused == []


def test_there_are_examples() -> None:
    assert len(COMMANDS) > 12
