from urllib.parse import urlsplit

import clickhouse_connect


def test_the_usual_client_connects_and_queries(clickhouse: str) -> None:
    url = urlsplit(clickhouse)
    client = clickhouse_connect.get_client(
        host=url.hostname,
        port=url.port,
        username=url.username,
        password=url.password,
        database=url.path.strip("/"),
    )
    assert client.query("SELECT 1 AS one, currentDatabase()").result_rows == [(1, "portquorum")]
