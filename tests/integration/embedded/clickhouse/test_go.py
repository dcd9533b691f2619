# ruff: noqa: S608 (a name of the test's own)
"""clickhouse-go v2 over HTTP, two versions of it, against the embedded ClickHouse; needs Go."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.integration.embedded.clickhouse.http_calls import Server
from tests.toolchains import go_program

pytestmark = pytest.mark.wide

HERE = Path(__file__).parent / "golang"

TYPED = [
    *("18446744073709551615", "-9223372036854775808", str(-(1 << 255)), "0.1"),
    *("-1234567890.123456789", "true", "a\0b", "abc\0\0"),
    *("2026-11-29T00:00:00Z", "1925-01-02T00:00:00Z", "2026-11-29T01:02:03+09:00"),
    *("2026-11-29T01:02:03.456789Z", "61f0c404-5cb3-11e7-907b-a6006ad3dba0", "10.0.0.1"),
    *("2001:db8::1", "b", "NULL", "7", "low", "[x NULL x]", "[[1 2] [] [3]]", "map[k:1 l:2]"),
    *("[1 two [3]]", "[]"),
]
READ = {
    "tables": [["given"]],
    "columns": [["a", "UInt8", "", "", "of a (test)", "", ""]],
    "created": True,
    "nothing": None,
    "typed": [TYPED] * 3,
    "parameters": [["200", "it's {here}"]],
    "bound": [["3", "it's"]],
    "settings": [["1"]],
    # The numbers, and the letters of their texts.
    "million": [1_000_000, 499_999_500_000 + 5_888_890],
    "cancelled": True,
    "external": [["name 1"], ["name 2"]],
    "standard": ["given"],
}
WRITTEN = {
    "made": [TYPED] * 3,
    "other": [["0"]],
    "inserted": [["100000", str(sum(range(100_000))), "100000"]],
}


@pytest.fixture(scope="module", params=["newest", "older"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("go")
    source = shutil.copytree(HERE / request.param, folder / "source" / request.param)
    shutil.copy(HERE / "main.go", source)
    return go_program(source, folder)


@pytest.fixture
def given(owner: Server, database: str) -> str:
    """A database with a table."""
    table = f"{database}.given"
    owner.value(f"CREATE TABLE {table} (a UInt8 COMMENT 'of a (test)') ENGINE = Memory")
    owner.value(f"INSERT INTO {table} VALUES (1)")
    return database


def run(program: list[str], *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [*program, *arguments], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def names_the_error(found: dict[str, Any]) -> None:
    assert "UNKNOWN_TABLE" in found.pop("error")
    assert "on purpose" in found.pop("late")


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd", "gzip"])
def test_a_reader_reads(
    program: list[str], owner: Server, clickhouse: str, given: str, compression: str
) -> None:
    address = urlsplit(clickhouse).netloc.rpartition("@")[2]
    found = run(program, address, "default", "", given, compression)
    names_the_error(found)
    assert owner.value("SELECT version()").startswith(found.pop("version"))
    # What this version makes of any error of `Exec` under these two, a server's too: it takes it
    # for blocks, which it did not ask for.
    lost = compression in {"lz4", "zstd"} and "older" in program[0]
    text = "failed to read response" if lost else "CREATE is not for readers"
    assert text in found.pop("refused")
    assert "Cannot execute query in readonly mode" in found.pop("insert")
    assert found == READ


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_an_owner_writes(program: list[str], clickhouse: str, given: str, compression: str) -> None:
    parts = urlsplit(clickhouse)
    assert parts.username
    assert parts.password
    address = f"{parts.hostname}:{parts.port}"
    found = run(program, address, parts.username, parts.password, given, compression, "write")
    names_the_error(found)
    del found["version"]
    assert found == READ | WRITTEN
