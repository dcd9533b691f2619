"""`portquorum sql` as people use it: in a pipe, into a file, on a terminal, and interrupted."""

import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import pyarrow.parquet
import pytest
from clickhouse_connect.driver.models import SettingDef

from foundation.clickhouse import connection_options
from foundation.settings import Settings
from portquorum.cli import query_progress
from portquorum.cli.errors import WrongUseError

ROWS = "SELECT number AS n, concat('row ', toString(number)) AS name FROM numbers(3)"
SLOW = "SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = {mark}"


@pytest.fixture
def command(clickhouse: str, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def make(*arguments: str) -> dict[str, Any]:
        env = {k: v for k, v in os.environ.items() if not k.startswith("PORTQUORUM_")}
        env |= {"PORTQUORUM_CLICKHOUSE": clickhouse, "COLUMNS": "100", "TERM": "xterm"}
        program = [sys.executable, "-m", "portquorum.cli", "sql", *arguments]
        return {"args": program, "env": env, "cwd": tmp_path}

    return make


@pytest.fixture
def sql(
    command: Callable[..., dict[str, Any]],
) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            **command(*arguments), input=given, capture_output=True, timeout=60, check=False
        )

    return run


Sql = Callable[..., subprocess.CompletedProcess[bytes]]


def test_each_format_is_what_it_says(sql: Sql) -> None:
    expected = [{"n": number, "name": f"row {number}"} for number in range(3)]
    found = sql(ROWS, "--format", "csv").stdout.decode()
    assert list(csv.reader(found.splitlines())) == [
        ["n", "name"],
        *([str(row["n"]), row["name"]] for row in expected),
    ]
    assert json.loads(sql(ROWS, "-f", "json").stdout)["data"] == expected
    assert [json.loads(line) for line in sql(ROWS, "-f", "jsonl").stdout.splitlines()] == expected
    parquet = pyarrow.parquet.read_table(BytesIO(sql(ROWS, "-f", "parquet").stdout))
    assert parquet.to_pylist() == expected
    table = sql(ROWS, "-f", "table").stdout.decode()
    assert "row 2" in table
    assert "┌" in table
    assert sql(ROWS).stdout == b"n\tname\n0\trow 0\n1\trow 1\n2\trow 2\n"
    assert (
        sql(f"{ROWS} FORMAT Values", "-f", "csv").stdout == b"(0,'row 0'),(1,'row 1'),(2,'row 2')"
    )


def test_a_reader_asks_like_everybody(clickhouse: str, tmp_path: Path) -> None:
    parts = urlsplit(clickhouse)
    reader = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    env = {k: v for k, v in os.environ.items() if not k.startswith("PORTQUORUM_")}

    def ask(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "portquorum.cli", "sql", *arguments],
            env=env | {"PORTQUORUM_CLICKHOUSE": reader},
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            check=False,
        )

    assert ask("SELECT currentUser() AS x").stdout != b""
    assert ask(ROWS).stdout == b"n\tname\n0\trow 0\n1\trow 1\n2\trow 2\n"
    assert "row 2" in ask(ROWS, "-f", "table").stdout.decode()
    refused = ask("CREATE TABLE x (a Int8) ENGINE = Memory")
    assert refused.returncode == 1
    assert b"readonly mode" in refused.stderr


@pytest.mark.parametrize(
    ("value", "fixed", "sent"),
    [("0", 0, {"readonly": 2}), ("1", 1, {}), ("2", 1, {}), ("2", 0, {}), ("0", 1, {})],
    ids=["may write", "readonly=1", "readonly=2", "readonly=2, open", "may not set it"],
)
def test_no_user_is_sent_a_setting_that_is_refused(
    clickhouse: str, value: str, fixed: int, sent: dict[str, int]
) -> None:
    options = connection_options(Settings(clickhouse=clickhouse))
    with clickhouse_connect.get_client(**options, autogenerate_session_id=False) as client:
        client.server_settings["readonly"] = SettingDef("readonly", value, fixed)
        client.server_settings["max_threads"] = SettingDef("max_threads", "1", fixed)
        assert query_progress._reading(client, "SELECT 1") == sent
        changed = query_progress._changeable(client, {"max_threads": 2, "of_another_version": 1})
        assert changed == {"of_another_version": 1} | ({} if fixed else {"max_threads": 2})
        if (value, fixed) == ("0", 1):
            for text in ("DROP TABLE x", "with y as (select 1) insert into x select * from y"):
                with pytest.raises(WrongUseError, match="expected a question"):
                    query_progress._reading(client, text)


def test_the_question_is_utf8_in_every_locale(sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    assert sql("-", "-f", "csv", given="SELECT 'ö' AS x".encode()).stdout == '"x"\n"ö"\n'.encode()
    wrong = sql("-", given=b"SELECT '\xe4'")
    assert wrong.returncode == 2
    assert b"expected UTF-8 on standard input" in wrong.stderr


def test_the_question_may_come_from_standard_input(sql: Sql) -> None:
    assert sql("-", given=b"SELECT 1;\n").stdout == b"1\n1\n"


def test_it_may_only_read(sql: Sql) -> None:
    done = sql("CREATE TABLE t (a UInt8) ENGINE = Memory")
    assert done.returncode == 1
    assert b"portquorum: ClickHouse refused: " in done.stderr


def test_an_answer_that_breaks_off_is_said_and_has_no_tail(sql: Sql) -> None:
    done = sql("SELECT throwIf(number = 5000000) AS x FROM numbers(6000000)", "-f", "jsonl")
    assert done.returncode == 1
    assert b"what was written is not all" in done.stderr
    assert b"throwIf" in done.stderr
    assert b"__exception__" not in done.stdout
    assert set(done.stdout.splitlines()) == {b'{"x":0}'}


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self.said = ""
        self._descriptor = descriptor
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                part = os.read(self._descriptor, 4096)
            except OSError:  # the other end is closed
                return
            if not part:
                return
            self.said += part.decode(errors="replace")

    def wait_for(self, pattern: str) -> None:
        deadline = time.monotonic() + 60
        while not re.search(pattern, self.said):
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)

    def end(self) -> int:
        code = self.process.wait(30)
        self._reader.join(10)
        return code


@contextmanager
def on_a_terminal(command: dict[str, Any]) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        **command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    terminal = Terminal(process, ours)
    try:
        yield terminal
    finally:
        process.kill()
        terminal.end()
        os.close(ours)


def test_a_terminal_gets_a_table_and_no_binary(command: Callable[..., dict[str, Any]]) -> None:
    with on_a_terminal(command(ROWS)) as terminal:
        assert terminal.end() == 0
        assert "row 2" in terminal.said
        assert "┌" in terminal.said
    with on_a_terminal(command(f"{ROWS} FORMAT Parquet")) as terminal:
        assert terminal.end() == 2
        assert "not for a terminal" in terminal.said


def test_a_long_query_shows_how_far_it_is_and_ctrl_c_ends_it_at_the_server(
    clickhouse: str,
    command: Callable[..., dict[str, Any]],
) -> None:
    slow = SLOW.format(mark=77)
    running = (
        "SELECT count() FROM system.processes "
        "WHERE query LIKE '%= 77%' AND query NOT LIKE '%system.processes%'"
    )
    with (
        clickhouse_connect.get_client(
            **connection_options(Settings(clickhouse=clickhouse))
        ) as client,
        on_a_terminal(command(slow)) as terminal,
    ):
        terminal.wait_for(r"[\d,]+ rows of about 1,000,000,000,000")
        assert client.command(running) == 1
        os.kill(terminal.process.pid, signal.SIGINT)
        assert terminal.end() == 130
        assert "the query is ended" in terminal.said
        assert "Traceback" not in terminal.said
        deadline = time.monotonic() + 10
        while client.command(running) != 0:
            assert time.monotonic() < deadline
