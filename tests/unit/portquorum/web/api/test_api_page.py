"""The examples of docs/api.md are asked."""

import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.unit.portquorum.web.api.test_changes import ENTRY, Api

PAGE = Path(__file__).parents[5] / "docs" / "api.md"
COMMANDS = re.findall(r"^(curl .*)$", re.sub(r"\\\n\s*", "", PAGE.read_text()), re.MULTILINE)
KNOWN = {"db1-5432": "db-0", "0b51c0de": "inc-0", "shop/entry": "other/entry"}
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


@pytest.mark.parametrize("command", [one for one in COMMANDS if "/events" not in one])
async def test_an_example_works(command: str) -> None:
    method, path, body, headers = asked_of(command)
    api = Api()
    await api.ask("PUT", "/targets/other/entry", ENTRY)
    answer = await api.ask(method, path, body, **headers)
    assert answer.status_code in {200, 201, 204}, answer.text


def test_there_are_examples() -> None:
    assert len(COMMANDS) > 12
