"""A command ends in a sentence where ClickHouse takes connections and answers nothing."""

import socket

import pytest
from clickhouse_connect.driver.exceptions import Error

from foundation.settings import Settings
from portquorum.cli import asking
from portquorum.cli.errors import explain


def test_a_server_that_answers_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Error) as error:
            asking.connect(Settings(clickhouse=f"http://127.0.0.1:{port}"), answer_s=1)
    said, code = explain(error.value)
    assert said == (
        "ClickHouse takes connections, but has not answered within 1 s; "
        "`portquorum health` says what runs"
    )
    assert code == 1
