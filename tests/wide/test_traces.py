"""What servers note of our checks is what docs/kinds.md says."""

import pytest

from tests.wide.log_servers import EVERY, Server
from tests.wide.traces import CHECKS, traces

pytestmark = [pytest.mark.wide, pytest.mark.root, pytest.mark.timeout(300)]


@pytest.mark.parametrize("server", EVERY, ids=lambda server: server.name)
async def test_a_server_notes_no_more_of_us_than_the_page_says(server: Server) -> None:
    found = await traces(server)
    assert found.up == CHECKS, found.others
    assert found.lines == server.lines * CHECKS, found.kinds
    assert found.counted == server.counted
