"""A thousand targets from three regions: what lies in ClickHouse is what lies on the log."""

import pytest

from tests.system.conftest import REGIONS
from tests.system.ground import Listener, Mailbox
from tests.system.stack import Stack, eventually

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

TARGETS = 1000
ROUNDS = 6  # a minute at 10 s


async def test_rows_are_the_decoded_lines(stack: Stack, mailbox: Mailbox) -> None:
    assert mailbox.messages == []
    listeners = [Listener(f"127.0.3.{number}", 7200) for number in range(1, 11)]
    targets = [
        {
            "id": f"load-{number}",
            "name": f"load {number}",
            "host": f"127.0.3.{number % 10 + 1}",
            "port": 7200,
            "regions": ["a", "b", "c"],
            "interval": "10s",
        }
        for number in range(TARGETS)
    ]
    regions = {name: {"internal": True, "source": source} for name, source in REGIONS.items()}
    try:
        await stack.apply({"regions": regions, "targets": targets}, "load")

        async def enough() -> bool:
            rows = await stack.sql("SELECT count() FROM results")
            return bool(rows[0][0] >= TARGETS * 3 * ROUNDS)

        await eventually("a minute of results", enough, 240)
        await stack.apply({"regions": regions, "targets": targets[:1]}, "load")
        for region in REGIONS:
            assert stack.roles[f"probe-{region}"].stop() == 0
        lines = await stack.results()
        identities = {one.identity for one in lines}
        assert len(identities) == len(lines)

        async def same() -> bool:
            rows = await stack.sql(
                "SELECT count(), uniqExact(target, region, prober, started_at, attempt) "
                "FROM results"
            )
            return rows == [(len(lines), len(lines))]

        await eventually(f"{len(lines)} rows", same, 60)
        assert stack.records == []
        missed = sum(one.status == "missed" for one in lines)
        assert missed < len(lines) / 100
    finally:
        for listener in listeners:
            listener.close()
