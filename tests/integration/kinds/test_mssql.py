"""`mssql`, against FreeTDS's tdspool: not SQL Server, but nobody of us wrote what it answers."""

from collections.abc import Iterator

import pytest

from tests.integration.kinds.checking import assert_down, assert_up, check
from tests.integration.kinds.servers import folder, free_port, program, running

# It connects to the server behind it when somebody has logged in, which a check does not.
_CONFIG = """
[global]
    min pool conn = 0
    max pool conn = 1
    max member age = 60
[pool]
    server = nowhere
    port = {port}
    user = u
    password = p
    database = d
    server user = u
    server password = p
"""


@pytest.fixture(scope="module")
def pool() -> Iterator[int]:
    tdspool, port = program("tdspool"), free_port()
    with folder() as home:
        (home / "conf").write_text(_CONFIG.format(port=port))
        with running([tdspool, "-c", str(home / "conf"), "pool"], port, home / "log"):
            yield port


async def test_a_server_answers_prelogin_with_its_version(pool: int) -> None:
    for _ in range(3):  # and goes on to do so
        outcome = await check("mssql", pool)
        assert_up(outcome)
        assert outcome.banner is not None
        assert outcome.banner.startswith("Microsoft SQL Server ")


async def test_another_protocol_is_not_taken_for_it(pool: int) -> None:
    assert_down(await check("postgres", pool, timeout_s=1), "protocol_mismatch", "PostgreSQL")
