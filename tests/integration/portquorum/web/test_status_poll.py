"""What is asked of a real ClickHouse: each target once, with the words of the view."""

import pytest

from foundation.clickhouse import connect
from foundation.settings import Settings
from portquorum.web.following.status_poll import StatusPoll
from sinks.clickhouse.errors import FAILURES
from sinks.clickhouse.fleet_queries import region_trouble
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.past import Past, write


async def test_each_target_is_told_once_as_the_view_has_it(clickhouse: str) -> None:
    settings = rig.used_place(rig.NO_KAFKA, clickhouse, "poll")
    asking = StatusPoll(settings)
    assert await asking.ask() == []
    client = connect(settings)
    write(Past(client, settings))
    silent = [one.region for one in region_trouble(client)]
    assert [one.region for one in await asking.region_trouble()] == silent
    groups = await asking.ask()
    asking.close()
    told = {
        target: (one.status, one.since, one.is_resolved, dict(one.regions))
        for one in groups
        for target in one.targets
    }
    rows = client.query(
        "SELECT target, status, toUnixTimestamp64Milli(since), is_resolved, regions "
        "FROM status_now ORDER BY target"
    ).result_rows
    client.close()
    assert rows
    assert sum(len(one.targets) for one in groups) == len(rows)
    assert told == {target: (status, *rest) for target, status, *rest in rows}


async def test_a_clickhouse_that_is_away_is_an_error_and_asked_again() -> None:
    away = StatusPoll(Settings(clickhouse="http://127.0.0.1:9/portquorum"))
    for _ in range(2):
        with pytest.raises(FAILURES):
            await away.ask()
