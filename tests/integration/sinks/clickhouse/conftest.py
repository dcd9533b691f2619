"""The kinds of ClickHouse that the sink's contract is held against."""

import os

import pytest

SERVER = "PORTQUORUM_TEST_CLICKHOUSE"
"""Names a real server: `http[s]://user:password@host:port/`; its user may make databases."""


@pytest.fixture(scope="session")
def chdb(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of the engine in this process."""
    return f"chdb://{tmp_path_factory.mktemp('chdb')}/portquorum"


IN_PROCESS = pytest.param("chDB in process", marks=pytest.mark.wide)


@pytest.fixture(params=["embedded server", IN_PROCESS, "real server"])
def any_clickhouse(request: pytest.FixtureRequest) -> str:
    """URL of each kind of ClickHouse."""
    if request.param == "embedded server":
        return str(request.getfixturevalue("clickhouse"))
    if request.param == "chDB in process":
        return str(request.getfixturevalue("chdb"))
    if not os.environ.get(SERVER):
        pytest.skip(f"{SERVER} names no server")
    return os.environ[SERVER]
