"""KILL QUERY by the ids that clients gave: one's own, and nobody else's."""

import threading
import time
import uuid

import pytest

from tests.integration.embedded.clickhouse.http_calls import Answer, Server
from tests.integration.embedded.processes import wait_until

SLOW = "SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = 1"


class Running:
    """A statement without end, in a thread."""

    def __init__(self, server: Server, query_id: str, **params: str) -> None:
        self._params = params
        self.answer: Answer | None = None
        self._server = server
        self._query_id = query_id
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        wait_until(lambda: self.is_there, 20, "it runs")

    @property
    def is_there(self) -> bool:
        sql = f"SELECT count() FROM system.processes WHERE query_id = '{self._query_id}'"  # noqa: S608
        return self._server.value(sql) == "1"

    def end(self) -> Answer:
        self._thread.join(20)
        assert self.answer is not None
        return self.answer

    def _run(self) -> None:
        self.answer = self._server.post(SLOW, query_id=self._query_id, **self._params)


@pytest.fixture(params=["owner", "reader"])
def server(request: pytest.FixtureRequest, owner: Server, reader: Server) -> Server:
    return owner if request.param == "owner" else reader


@pytest.mark.parametrize(
    "kill",
    [
        "KILL QUERY WHERE query_id = '{id}'",
        "KILL QUERY WHERE query_id='{id}' SYNC",
        "kill query where `query_id` IN ('{id}', 'x') ASYNC",
        "KILL QUERY WHERE user = currentUser() AND query_id = '{id}'",
        "KILL QUERY WHERE user = user() AND initial_query_id LIKE '{id}%' SYNC",
        (
            "KILL QUERY WHERE query_id = (SELECT any(query_id) FROM system.processes "
            "WHERE query_id = '{id}')"
        ),
        "KILL QUERY WHERE query_id = {{id:String}}",
        "KILL QUERY WHERE query_id = '{id}' OR Settings['log_comment'] = '{id}' ASYNC",
    ],
)
def test_a_query_is_killed_by_the_id_that_its_client_gave(server: Server, kill: str) -> None:
    name = uuid.uuid4().hex
    running = Running(server, name)
    answer = server.post(kill.format(id=name), param_id=name, default_format="TSVWithNames")
    assert answer.status == 200, answer.body
    head, row, *rest = answer.body.decode().splitlines()
    assert head == "kill_status\tquery_id\tuser\tquery"
    status, query_id, user, query = row.split("\t")
    assert status == ("finished" if kill.endswith("SYNC") and "ASYNC" not in kill else "waiting")
    assert (query_id, user) == (
        name,
        server.user["X-ClickHouse-User"] if server.headers else "default",
    )
    assert query.startswith("SELECT count() FROM numbers")
    assert rest == []
    assert running.end().code == "394"


def test_a_test_kills_nothing_and_no_query_is_no_table(server: Server) -> None:
    name = uuid.uuid4().hex
    running = Running(server, name)
    answer = server.post(f"KILL QUERY WHERE query_id = '{name}' TEST FORMAT JSONCompactEachRow")
    assert answer.body.startswith(f'["unknown", "{name}"'.encode())
    assert running.is_there
    server.value(f"KILL QUERY WHERE query_id = '{name}'")
    assert running.end().code == "394"
    nothing = server.post("KILL QUERY WHERE query_id = 'nobody'", default_format="TSVWithNames")
    assert (nothing.status, nothing.body) == (200, b"")


@pytest.mark.parametrize(
    "kill",
    [
        "KILL QUERY WHERE query_id = '{id}' SYNC",
        "KILL QUERY WHERE user = 'portquorum'",
        "KILL QUERY WHERE Settings['log_comment'] = '{id}'",
        "KILL QUERY WHERE 1 = 1 OR user != ''",
        "KILL QUERY WHERE query LIKE '%sipHash64%'",
        "KILL QUERY WHERE ('{id}' AS query_id) != '' AND ('portquorum' AS user) != ''",
        "KILL QUERY WHERE (SELECT count() FROM system.processes_of_clients) > 0",
        "KILL QUERY WHERE query_id IN (SELECT query_id FROM merge('system', 'processes'))",
        "KILL QUERY WHERE file('/etc/passwd') != ''",
        "KILL QUERY WHERE 1 ASYNC; KILL QUERY WHERE 1",
        "KILL QUERY ON CLUSTER x WHERE 1",
        "KILL MUTATION WHERE 1",
    ],
)
def test_readers_kill_nothing_of_the_owners(owner: Server, reader: Server, kill: str) -> None:
    name = uuid.uuid4().hex
    running = Running(owner, name)
    try:
        answer = reader.post(kill.format(id=name))
        assert name.encode() not in answer.body or answer.status >= 400
        assert running.is_there
    finally:
        owner.post(f"KILL QUERY WHERE query_id = '{name}'")
    assert running.end().code == "394"


@pytest.mark.parametrize(
    "condition",
    [
        "client_hostname != ''",
        "os_user != ''",
        "(SELECT count() FROM system.disks WHERE path != '') > 0",
        "(SELECT count() FROM system.processes WHERE user != 'default') > 0",
    ],
)
def test_a_condition_sees_no_more_than_its_user(reader: Server, condition: str) -> None:
    name = uuid.uuid4().hex
    running = Running(reader, name)
    answer = reader.post(f"KILL QUERY WHERE {condition} TEST")
    assert (answer.status, answer.body) == (200, b"")
    reader.value(f"KILL QUERY WHERE query_id = '{name}'")
    assert running.end().code == "394"


def test_a_reader_whose_threads_are_all_taken_can_kill(reader: Server) -> None:
    names = [uuid.uuid4().hex for _ in range(3)]
    running = [Running(reader, name) for name in names]
    threads = [threading.Thread(target=reader.post, args=(SLOW,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for name in names:
        assert reader.value(f"KILL QUERY WHERE query_id = '{name}'").startswith("waiting")
    assert {one.end().code for one in running} == {"394"}
    wait_until(
        lambda: (
            reader.value("KILL QUERY WHERE query LIKE '%sipHash64%'") == ""
            and not any(thread.is_alive() for thread in threads)
        ),
        30,
        "the others have ended",
    )


def test_a_busy_session_kills_its_own_query(server: Server) -> None:
    """As drivers do it (DBeaver's `cancel` comes with the `session_id` of the connection)."""
    session = {"session_id": uuid.uuid4().hex}
    name = uuid.uuid4().hex
    running = Running(server, name, **session)
    answer = server.post(f"KILL QUERY WHERE query_id = '{name}'", **session)
    assert answer.body.startswith(b"waiting")
    assert running.end().code == "394"


def test_what_only_reads_kills_nothing(server: Server) -> None:
    assert server.get(query="KILL QUERY WHERE 1").code == "164"


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("(SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = 1) > 0", "159"),
        ("(SELECT length(groupArray(number)) FROM numbers(1e8)) > 0", "241"),
    ],
)
def test_a_condition_is_no_query_beside_the_others(
    server: Server, condition: str, code: str
) -> None:
    started = time.monotonic()
    assert server.post(f"KILL QUERY WHERE {condition}").code == code
    # A reader's query has 30 s.
    assert time.monotonic() - started < 20


def test_each_user_has_query_ids_of_its_own(owner: Server, reader: Server) -> None:
    name = uuid.uuid4().hex
    of_owner, of_reader = Running(owner, name), Running(reader, name)
    assert owner.post("SELECT 1", query_id=name).code == "216"
    assert reader.post("SELECT 1", query_id=name).code == "216"
    assert reader.value(f"KILL QUERY WHERE query_id = '{name}' SYNC").startswith("finished")
    assert of_reader.end().code == "394"
    assert of_owner.is_there
    assert owner.value(f"KILL QUERY WHERE query_id = '{name}' SYNC").startswith("finished")
    assert of_owner.end().code == "394"
