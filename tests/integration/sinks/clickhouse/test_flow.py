"""From the topics into the tables."""

from pathlib import Path

from schemas import batch
from tests.integration.sinks.clickhouse import rig


async def test_every_decoded_line_is_one_row(kafka: str, clickhouse: str, tmp_path: Path) -> None:
    settings = rig.used_place(kafka, clickhouse, "flow")
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    found = rig.results(0, 5_000)
    try:
        await rig.send_results(producer, settings, found[:3_000])
        with rig.SinkProcess(settings, tmp_path / "log") as sink:
            await rig.until(lambda: rig.stored(client, settings) == 3_000)
            await rig.send_results(producer, settings, found[3_000:])
            await rig.until(lambda: rig.stored(client, settings) == 5_000)
            assert sink.end() == 0
        rig.counts_agree(client, settings, 5_000)
        rows = rig.ask(
            client,
            settings,
            "SELECT target, toUnixTimestamp64Milli(started_at), status, reason, connect_ms, "
            "log_partition, log_offset, log_line FROM {db}.results",
        )
        stored = {row[:2]: row for row in rows}
        for number, result in enumerate(found):
            row = stored[(result.target, result.started_at)]
            assert row[2:5] == (result.status, result.reason or "", result.connect_ms)
            assert row[5] == (number % 3_000 if number < 3_000 else number - 3_000) // 100 % 3
            assert row[7] == number % 100
        assert batch.decode(b"") == ([], [])
    finally:
        await producer.stop()
