"""Two sinks with the same pending range: whichever comes first or last, each row is there once."""

import signal
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from msgspec import structs

from foundation.settings import Settings
from schemas import topics
from sinks.clickhouse.pending_block import Pending, from_metadata
from tests.integration.sinks.clickhouse import rig
from tests.integration.sinks.clickhouse.gate import Call, Held, gate

FINISHING = "finishing a pending block"


async def promised(settings: Settings) -> Pending | None:
    """What the commit of the only partition of [results] has pending."""
    found = (await rig.committed(settings)).get(TopicPartition(settings.topic("results"), 0))
    return None if found is None else from_metadata(found.metadata)


async def committed_up_to(settings: Settings) -> int:
    """The offset before which all is done; -1 while a block is pending."""
    where = TopicPartition(settings.topic("results"), 0)
    found = (await rig.committed(settings))[where]
    return -1 if found.metadata else int(found.offset)


def said(log: Path, event: str) -> int:
    return sum(line["event"] == event for line in rig.log_of(log))


@pytest.mark.parametrize("second_waits", [False, True], ids=["late", "both at once"])
async def test_an_insert_of_a_stopped_sink_lands_once_with_that_of_its_successor(
    kafka: str, clickhouse: str, tmp_path: Path, second_waits: bool
) -> None:
    """Stopped while its insert is on its way, which arrives when another has taken over."""
    settings = rig.used_place(kafka, clickhouse, "heirs", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    first_log, second_log = tmp_path / "first", tmp_path / "second"
    try:
        with gate(settings.clickhouse) as first_gate, gate(settings.clickhouse) as second_gate:
            first_gate.rule = late = Held()
            heir = Held()
            if second_waits:
                second_gate.rule = heir
            ways = [
                structs.replace(settings, clickhouse=there.url)
                for there in (first_gate, second_gate)
            ]
            with rig.SinkProcess(ways[0], first_log) as first:
                await rig.send_results(producer, settings, rig.results(0, 1_000))
                await rig.until(lambda: late.token)
                first.signal(signal.SIGSTOP)
                pending = await promised(settings)
                assert pending is not None
                token = pending.token(settings.topic("results"), 0, "results")
                assert late.token == token
                with rig.SinkProcess(ways[1], second_log) as second:
                    if second_waits:
                        await rig.until(lambda: heir.token)
                        assert heir.token == token
                        heir.let_go()
                    else:
                        await rig.until(lambda: rig.stored(client, settings) == 1_000)
                    late.let_go()
                    await rig.until(lambda: (token, "") in first_gate.answered)
                    await rig.until(lambda: (token, "") in second_gate.answered)
                    assert said(second_log, FINISHING) == 1
                    first.signal(signal.SIGCONT)
                    # Woken it is no member any more, and becomes one again.
                    await rig.until(lambda: said(first_log, "partitions assigned") >= 2)
                    await rig.send_results(producer, settings, rig.results(1_000, 500))
                    await rig.until(lambda: rig.stored(client, settings) >= 1_500)
                    assert second.end() == 0
                await rig.send_results(producer, settings, rig.results(1_500, 500))
                await rig.until(lambda: rig.stored(client, settings) >= 2_000)
                assert first.end() == 0
        rig.counts_agree(client, settings, 2_000)
        assert await committed_up_to(settings) == 20
    finally:
        await producer.stop()


async def test_a_sink_that_was_stopped_before_its_insert_sends_none_when_it_is_woken(
    kafka: str, clickhouse: str, tmp_path: Path
) -> None:
    """Stopped between the pending commit and the insert: what it knew then is too old."""
    settings = rig.used_place(kafka, clickhouse, "woken", partitions=1)
    producer = await rig.ready(settings)
    client = rig.client_of(settings)
    first_log, second_log = tmp_path / "first", tmp_path / "second"
    # With a commit everywhere no lane asks ClickHouse where to begin: the sink's first connection
    # is for its first insert, and is opened after the pending commit.
    for topic in topics.read_by("sink"):
        for partition in range(topic.partition_count(settings.partitions)):
            await rig.commit(settings, topic.name, partition, 0, "")
    try:
        with gate(settings.clickhouse) as there:
            held = _AnyCall()
            way = structs.replace(settings, clickhouse=there.url)
            with rig.SinkProcess(way, first_log) as first:
                # The migrations have been looked at by then, through the gate.
                await rig.until(lambda: said(first_log, "partitions assigned"))
                there.rule = held
                await rig.send_results(producer, settings, rig.results(0, 1_000))
                pending = await rig.until(lambda: promised(settings))
                await rig.until(lambda: held.calls)
                first.signal(signal.SIGSTOP)
                assert there.came == []
                with rig.SinkProcess(settings, second_log) as second:
                    await rig.until(lambda: rig.stored(client, settings) == 1_000)
                    assert said(second_log, FINISHING) == 1
                    held.let_go()
                    first.signal(signal.SIGCONT)
                    await rig.until(lambda: said(first_log, "partitions assigned") >= 2)
                    assert second.end() == 0
                await rig.send_results(producer, settings, rig.results(1_000, 500))
                await rig.until(lambda: rig.stored(client, settings) >= 1_500)
                assert first.end() == 0
            why = [line.get("because", "") for line in rig.log_of(first_log)]
            assert any("the pending range was committed too long ago" in text for text in why)
            # Of all that it inserted nothing was of the range that it had promised and not begun.
            token = pending.token(settings.topic("results"), 0, "results")
            assert there.came
            assert token not in [came for _, came in there.came]
        rig.counts_agree(client, settings, 1_500)
        assert await committed_up_to(settings) == 15
    finally:
        await producer.stop()


class _AnyCall(Held):
    """Holds whatever comes, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __call__(self, _call: Call) -> None:
        self.calls += 1
        self._free.wait(60)
