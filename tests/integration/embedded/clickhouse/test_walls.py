# ruff: noqa: S608 (paths of the tests themselves)
"""The engine's process, without anything that looks at its statements: what the kernel forbids."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from portquorum.embedded.clickhouse.engine import EngineGoneError, EngineProcess, QueryError
from tests.integration.embedded.clickhouse.http_calls import Server
from tests.integration.embedded.processes import python, wait_until

SECRET = "hunter2"  # noqa: S105


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("walls") / "clickhouse"


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[EngineProcess]:
    folder.mkdir()
    (folder / "password").write_text(SECRET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORTQUORUM_OWNER_PASSWORD", SECRET)
        engine = EngineProcess(folder)
    yield engine
    engine.close()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "secret.csv"
    path.write_text(SECRET)
    return path


def refused(engine: EngineProcess, sql: str) -> str:
    with engine.session({}) as session, pytest.raises(QueryError) as error:
        session.run(sql)
    assert SECRET not in str(error.value)
    return str(error.value)


def test_this_kernel_has_them(engine: EngineProcess) -> None:
    assert engine.without_walls is None
    status = Path(f"/proc/{engine._process.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"


def test_the_process_has_nothing_that_is_secret(engine: EngineProcess) -> None:
    process = psutil.Process(engine._process.pid)
    assert set(process.environ()) <= {
        *("PYTHONPATH", "PYTHONSAFEPATH", "PYTHONNOUSERSITE", "TMPDIR", "LANG", "TZ", "LC_CTYPE")
    }
    assert SECRET not in " ".join(process.cmdline())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM file('{path}', 'LineAsString')",
        "SELECT file('{path}')",
        "SELECT y FROM values('x String, y String ALIAS file(\\'{path}\\')', ('a'))",
        "SELECT y FROM generateRandom('x UInt8, y String ALIAS file(\\'{path}\\')') LIMIT 1",
        "SELECT * FROM sqlite('{path}', 't')",
        "SELECT 'x' INTO OUTFILE '{path}' TRUNCATE FORMAT TSVRaw",
        "SELECT 'x' INTO OUTFILE '{path}' APPEND FORMAT TSVRaw",
        "SELECT 'x' INTO OUTFILE '{path}.new' FORMAT TSVRaw",
        "INSERT INTO FUNCTION file('{path}.new', 'TSV', 'x String') SELECT 'x'",
        "SELECT * FROM file('{folder}/../password', 'LineAsString')",
        "SELECT * FROM file('/proc/self/environ', 'LineAsString')",
        "SELECT * FROM file('/proc/1/environ', 'LineAsString')",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "BACKUP DATABASE default TO File('{path}.backup')",
        "SELECT 1 FORMAT Template SETTINGS format_template_resultset = '{path}'",
        (
            "SELECT * FROM format(TSV, 'x UInt8', 'a') SETTINGS input_format_allow_errors_num = 1, "
            "input_format_record_errors_file_path = '{path}.errors'"
        ),
    ],
)
def test_no_file_outside_is_read_or_written(
    engine: EngineProcess, folder: Path, outside: Path, sql: str
) -> None:
    text = sql.format(path=outside, folder=folder / "data")
    # A text may fail by itself or give rows of its own: never those of the file.
    with engine.session({}) as session:
        try:
            answer = session.run(text).data
        except QueryError as error:
            answer = str(error).encode()
    assert SECRET.encode() not in answer
    assert [path.name for path in outside.parent.iterdir()] == [outside.name]
    assert outside.read_text() == SECRET


def test_nothing_is_connected_to(engine: EngineProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        once = "SETTINGS http_max_tries = 1, connect_timeout = 1"
        for sql in (
            f"SELECT * FROM url('http://127.0.0.1:{port}/', 'LineAsString') {once}",
            f"SELECT * FROM s3('http://127.0.0.1:{port}/b/k', 'LineAsString', 'x String') {once}",
            f"SELECT * FROM remote('127.0.0.1:{port}', 'system', 'one') {once}",
            f"SELECT * FROM mysql('127.0.0.1:{port}', 'd', 't', 'u', 'p') {once}",
        ):
            refused(engine, sql)
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


def test_no_name_is_looked_up(engine: EngineProcess) -> None:
    """A name in a question to a name server carries data out; Landlock lets UDP pass."""
    said = refused(
        engine,
        "SELECT * FROM url('http://a.example/', 'LineAsString') SETTINGS http_max_tries = 1",
    )
    assert "a.example" in said


def test_no_program_is_started(engine: EngineProcess, folder: Path) -> None:
    refused(engine, "SELECT * FROM executable('id', 'LineAsString', 'x String')")
    scripts = folder / "data" / "user_scripts"
    scripts.mkdir(exist_ok=True)
    script = scripts / "id"
    script.write_text("#!/bin/sh\nid\n")
    script.chmod(0o700)
    assert "uid=" not in refused(
        engine, "SELECT * FROM executable('id', 'LineAsString', 'x String')"
    )


def test_a_table_lives_its_whole_life(engine: EngineProcess) -> None:
    with engine.session({}) as session:
        for sql in (
            "CREATE DATABASE whole ENGINE = Atomic",
            "CREATE TABLE whole.t (a UInt64, b String) ENGINE = MergeTree ORDER BY a",
            "INSERT INTO whole.t SELECT number, toString(number) FROM numbers(300000)",
            "INSERT INTO whole.t SELECT number, toString(number) FROM numbers(300000)",
            "OPTIMIZE TABLE whole.t FINAL",
            "ALTER TABLE whole.t DELETE WHERE a >= 200000 SETTINGS mutations_sync = 1",
            "ALTER TABLE whole.t DETACH PARTITION tuple()",
            "ALTER TABLE whole.t ATTACH PARTITION tuple()",
            "ALTER TABLE whole.t FREEZE WITH NAME 'kept'",
            "RENAME TABLE whole.t TO whole.u",
        ):
            session.run(sql)
        counted = "SELECT count(), sum(a) FROM whole.u FORMAT TSVRaw"
        assert session.run(counted).data == b"400000\t39999800000\n"
        spilled = (
            "SELECT count() FROM (SELECT b FROM whole.u GROUP BY b) SETTINGS "
            "max_bytes_before_external_group_by = 100000, "
            "max_bytes_ratio_before_external_group_by = 0"
        )
        assert session.run(spilled).data == b"200000\n"
        assert session.run("SELECT toHour(toDateTime(0, 'Asia/Tokyo'))").data == b"9\n"
        session.run("DROP DATABASE whole SYNC")


def test_a_statement_of_an_engine_that_is_killed_fails_in_words(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path)
    session = engine.session({})
    found: list[BaseException] = []

    def ask() -> None:
        try:
            session.run("SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1")
        except QueryError as error:
            found.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    engine.abort()
    asking.join(10)
    assert [type(error) for error in found] == [EngineGoneError]
    with pytest.raises(EngineGoneError):
        engine.session({})
    session.close()
    engine.close()


SERVICE = "portquorum.embedded.clickhouse.main"


def test_without_landlock_readers_need_a_password_and_it_says_so(tmp_path: Path) -> None:
    program = str(Path(__file__).with_name("no_landlock.py"))
    arguments = [program, SERVICE, "--listen", "127.0.0.1:0", "--data", str(tmp_path)]
    with python(arguments, PORTQUORUM_OWNER_PASSWORD="owns") as service:  # noqa: S106
        try:
            wait_until((tmp_path / "services.json").exists, 60, "the service")
            assert service.stderr is not None
            said = [service.stderr.readline() for _ in range(2)]
            assert any("no Landlock" in line and "readers" in line for line in said), said
            url = (tmp_path / "services.json").read_text()
            address = url.partition("@")[2].partition("/")[0]
            server = Server(f"http://portquorum:owns@{address}/portquorum")
            assert server.value("SELECT 1") == "1"
            assert Server(f"http://x:y@{address}/", owner=False).post("SELECT 1").code == "516"
        finally:
            service.terminate()


def test_without_landlock_it_listens_on_loopback_alone(tmp_path: Path) -> None:
    program = str(Path(__file__).with_name("no_landlock.py"))
    arguments = [program, SERVICE, "--listen", "0.0.0.0:0", "--data", str(tmp_path)]
    with python(arguments) as service:
        _, said = service.communicate(timeout=60)
        assert service.returncode == 1
    assert "only behind the kernel's walls" in said
    assert "Traceback" not in said
