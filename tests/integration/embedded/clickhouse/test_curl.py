# ruff: noqa: S608 (statements of the tests themselves)
"""curl, as in ClickHouse's own documentation, against the embedded ClickHouse."""

import gzip
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.installed import missing

Curl = Callable[..., str]


@pytest.fixture
def curl(clickhouse: str) -> Curl:
    """curl as the owner: its arguments after those, the parameters of the URL by name."""
    if shutil.which("curl") is None:
        missing("curl")
    parts = urlsplit(clickhouse)
    base = f"http://{parts.hostname}:{parts.port}/"

    def call(*arguments: str | Path, **params: str) -> str:
        query = [part for pair in params.items() for part in ("--url-query", "=".join(pair))]
        user = ["--user", f"{parts.username}:{parts.password}"]
        command = ["curl", "-sS", "--max-time", "60", *user, *query, *map(str, arguments), base]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    return call


def test_a_short_program_works(curl: Curl, database: str, tmp_path: Path) -> None:
    assert curl(query="SELECT 1") == "1\n"
    assert curl("--data-binary", "SELECT 2") == "2\n"
    curl("-d", f"CREATE TABLE {database}.t (a UInt32, b String) ENGINE = MergeTree ORDER BY a")
    # curl asks "Expect: 100-continue" before a body of more than 1 MB.
    data = "".join(f"{number}\trow {number}\n" for number in range(200_000))
    plain, packed = tmp_path / "plain.tsv", tmp_path / "packed.gz"
    plain.write_text(data)
    packed.write_bytes(gzip.compress(data.encode()))
    insert = f"INSERT INTO {database}.t FORMAT TSV"
    curl("--data-binary", f"@{plain}", query=insert)
    curl("--data-binary", f"@{packed}", "-H", "Content-Encoding: gzip", query=insert)
    curl("--data-binary", f"@{plain}", "-H", "Transfer-Encoding: chunked", query=insert)
    assert curl("-d", f"SELECT count(), max(b) FROM {database}.t") == "600000\trow 99999\n"
    rows = f"SELECT b FROM {database}.t WHERE a = {{a:UInt32}} LIMIT 1"
    assert curl("--compressed", query=rows, param_a="7", enable_http_compression="1") == "row 7\n"
    assert curl("-F", f"query={rows}", "-F", "param_a=8") == "row 8\n"
    session = {"session_id": database, "session_timeout": "30"}
    curl("-d", "CREATE TEMPORARY TABLE x AS SELECT 5 AS n", **session)
    assert curl("-d", "SELECT n FROM x FORMAT CSVWithNames", **session) == '"n"\n5\n'
    headers = curl("-D", "-", "-o", "/dev/null", "-d", "SELECT nope")
    assert "404 Not Found" in headers
    assert "X-ClickHouse-Exception-Code: 47" in headers
