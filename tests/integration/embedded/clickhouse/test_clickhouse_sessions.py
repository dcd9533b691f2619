"""`session_id`: what lives in a session, for how long, and what does not."""

import threading
import uuid
from collections.abc import Iterator

import pytest

from tests.integration.embedded.clickhouse.http_calls import Server
from tests.integration.embedded.processes import wait_until

SLOW = "SELECT count() FROM numbers(1e13) WHERE sipHash64(number) = 5"
RUNNING = "SELECT count() FROM system.processes WHERE Settings['log_comment'] = {id:String}"


@pytest.fixture
def session() -> str:
    return uuid.uuid4().hex


def test_temporary_tables_live_in_a_session(owner: Server, session: str) -> None:
    owner.value("CREATE TEMPORARY TABLE kept (x UInt8)", session_id=session)
    owner.value("1\n2\n", query="INSERT INTO kept FORMAT TSV", session_id=session)
    assert owner.value("SELECT sum(x) FROM kept", session_id=session) == "3"
    assert owner.post("SELECT * FROM kept").code == "60"
    assert owner.post("SELECT * FROM kept", session_id=f"{session}2").code == "60"


def test_set_and_use_last_as_long_as_the_session(owner: Server, session: str) -> None:
    owner.value("SET max_block_size = 77", session_id=session)
    owner.value("USE system", session_id=session)
    sql = "SELECT getSetting('max_block_size'), currentDatabase()"
    assert owner.value(sql, session_id=session) == "77\tsystem"
    assert owner.value(sql) == "65409\tportquorum"


def test_what_the_url_says_is_for_one_request(owner: Server, session: str) -> None:
    sql = "SELECT getSetting('max_block_size'), getSetting('max_threads'), currentDatabase()"
    owner.value("SET max_block_size = 77", session_id=session)
    before = owner.value(sql, session_id=session)
    changed = owner.value(
        sql, session_id=session, max_block_size="5", max_threads="3", database="system"
    )
    assert changed == "5\t3\tsystem"
    assert owner.value(sql, session_id=session) == before
    failed = owner.post("SELECT throwIf(1)", session_id=session, max_block_size="6")
    assert failed.code == "395"
    assert owner.value(sql, session_id=session) == before


def test_a_get_in_a_session_only_reads(owner: Server, session: str, database: str) -> None:
    create = f"CREATE TABLE {database}.t (a UInt8) ENGINE = Memory"
    assert owner.get(query=create, session_id=session).code == "164"
    assert owner.get(query="SET max_block_size = 9", session_id=session).status == 200
    # The session is as free as before.
    assert owner.post(create, session_id=session).status == 200
    assert owner.value("SELECT getSetting('max_block_size')", session_id=session) == "9"


def test_a_session_is_checked_for(owner: Server, reader: Server, session: str) -> None:
    for server in (owner, reader):
        assert server.post("SELECT 1", session_id=session, session_check="1").code == "372"
        assert server.value("SELECT 1", session_id=session) == "1"
        assert server.value("SELECT 1", session_id=session, session_check="1") == "1"


def test_a_session_ends_by_its_timeout_or_when_told(owner: Server, session: str) -> None:
    def there() -> bool:
        answer = owner.post("SELECT 1", session_id=session, session_check="1", session_timeout="0")
        assert answer.code in {None, "372"}
        return answer.code is None

    for ending in ({"session_timeout": "0"}, {"close_session": "1"}):
        owner.value("CREATE TEMPORARY TABLE kept (x UInt8)", session_id=session)
        owner.value("SELECT 1", session_id=session, **ending)
        wait_until(lambda: not there(), 5, "the end of the session")
        assert owner.post("SELECT * FROM kept", session_id=session).code == "60"


@pytest.mark.parametrize("timeout", ["x", "3601", "-1"])
def test_a_wrong_timeout_is_an_error(owner: Server, session: str, timeout: str) -> None:
    assert owner.post("SELECT 1", session_id=session, session_timeout=timeout).code == "374"


@pytest.fixture
def busy(owner: Server, session: str) -> Iterator[str]:
    """The name of a statement that runs in the session until it is killed."""
    name = uuid.uuid4().hex
    codes: list[str | None] = []

    def select() -> None:
        codes.append(owner.post(SLOW, session_id=session, query_id=name).code)

    thread = threading.Thread(target=select)
    thread.start()
    wait_until(lambda: owner.value(RUNNING, param_id=name) == "1", 10, "the statement")
    yield name
    owner.value(f"KILL QUERY WHERE query_id = '{name}' SYNC")
    thread.join()
    assert codes == ["394"]  # QUERY_WAS_CANCELLED


def test_a_session_does_one_thing_at_a_time(owner: Server, session: str, busy: str) -> None:
    assert busy
    assert owner.post("SELECT 1", session_id=session).code == "373"
    assert owner.value("SELECT 1") == "1"


def test_the_id_of_a_running_query_is_not_taken_twice(owner: Server, busy: str) -> None:
    assert owner.post("SELECT 1", query_id=busy).code == "216"


def test_sessions_of_two_users_are_two(owner: Server, reader: Server, session: str) -> None:
    owner.value("CREATE TEMPORARY TABLE kept (x UInt8)", session_id=session)
    assert reader.post("SELECT * FROM kept", session_id=session).code == "60"
    assert reader.post("SET max_threads = 1", session_id=session).code == "164"
