"""Range and HEAD: an answer is a run of a statement, and is whole (RFC 9110, 9.3.2 and 14.2)."""

import io
from urllib.parse import quote, urlencode
from urllib.request import urlopen

import pandas as pd
import pyarrow.parquet
import pytest

from tests.integration.embedded.clickhouse.http_calls import Server
from tests.integration.embedded.processes import wait_until

PARQUET = "SELECT number AS n, toString(number) AS s FROM numbers(300000) FORMAT Parquet"


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-0"},
        {"Range": "bytes=-262144"},
        {"Range": "bytes=4-"},
        {"Range": "bytes=0-1,3-4"},
        {"Range": "bytes=99999999-"},
        {"Range": "bytes=x"},
        {"Range": "bytes=0-0", "If-Range": '"x"'},
    ],
)
@pytest.mark.parametrize("sql", ["SELECT 'a short one'", PARQUET])
def test_a_range_is_answered_with_the_whole(
    reader: Server, headers: dict[str, str], sql: str
) -> None:
    with reader.connection() as connection:
        connection.request("GET", f"/?{urlencode({'query': sql})}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    assert answer.status == 200
    assert answer.headers["Accept-Ranges"] == "none"
    assert answer.headers["Content-Range"] is None
    if sql == PARQUET:
        assert pyarrow.parquet.read_table(io.BytesIO(body)).num_rows == 300_000
    else:
        assert body == b"a short one\n"


def test_head_has_the_headers_of_get(reader: Server) -> None:
    short = {"query": "SELECT 'a short one' FORMAT CSV"}
    with reader.connection() as connection:
        found = []
        for method in ("HEAD", "GET"):
            connection.request(method, f"/?{urlencode(short)}")
            answer = connection.getresponse()
            found.append(
                (answer.status, answer.headers["Content-Length"], answer.headers["Content-Type"])
            )
            assert (answer.read() == b"") == (method == "HEAD")
    assert found[0] == found[1]
    assert found[0][:2] == (200, "14")


@pytest.mark.parametrize("who", ["owner", "reader"])
def test_head_of_much_ends_at_once(owner: Server, reader: Server, who: str) -> None:
    server = owner if who == "owner" else reader
    sql = "SELECT number FROM system.numbers"
    with server.connection() as connection:
        connection.request("HEAD", f"/?query={quote(sql)}&query_id=head", headers=server.headers)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Content-Length"], answer.read()) == (200, None, b"")
        # The connection goes on, and the statement does not.
        connection.request("GET", "/?query=SELECT+1", headers=server.headers)
        assert connection.getresponse().read() == b"1\n"
    running = "SELECT count() FROM system.processes WHERE query_id = 'head'"
    wait_until(lambda: server.value(running) == "0", 20, "the statement has ended")


def test_head_of_an_error_has_its_status(reader: Server) -> None:
    with reader.connection() as connection:
        connection.request("HEAD", "/?query=SELECT+x")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (404, b"")
        assert answer.headers["X-ClickHouse-Exception-Code"] == "47"


def test_pandas_and_pyarrow_read_parquet_by_url(reader: Server) -> None:
    url = f"{reader.base}/?{urlencode({'query': PARQUET})}"
    assert int(pd.read_parquet(url)["n"].sum()) == sum(range(300_000))
    with urlopen(url) as answer:  # noqa: S310 (our own server's)
        assert pyarrow.parquet.read_table(io.BytesIO(answer.read())).num_rows == 300_000
