"""The broker goes away between a send and its record, and comes back."""

import asyncio
import threading
from pathlib import Path

from foundation import kafka as clients
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas.policy import Route
from sinks.notifier.channels.problem import problem
from sinks.notifier.channels.send import send
from sinks.notifier.lease import LEASE_S
from sinks.notifier.main import again_and_again
from sinks.notifier.outbox import Outbox
from tests.integration.sinks.notifier.rig import (
    NotifierProcess,
    hook,
    incident_event,
    publish,
    publish_policy,
    send_log,
    settings_for,
    until,
)


async def test_what_was_sent_while_the_broker_was_away_is_recorded_and_not_sent_again(
    tmp_path: Path,
) -> None:
    asked, gone = threading.Event(), threading.Event()

    def answer_when_the_broker_is_gone(post: dict[str, str]) -> bool:
        if "db1" in post["title"]:
            asked.set()
            gone.wait(30)
        return False

    with hook() as channel:
        channel.refuse = answer_when_the_broker_is_gone
        with EmbeddedKafka(tmp_path, "127.0.0.1:0") as broker:
            settings = settings_for(broker.bootstrap_servers)
            await clients.create_topics(settings)
            await publish_policy(settings, Route(name="ops", urls=(channel.url,)))
            process = await NotifierProcess.start(settings, tmp_path / "log")
            first = incident_event("db1")
            await publish(settings, first)
            await until(asked.is_set, "the channel is asked")
        try:
            gone.set()
            await until(lambda: len(channel.posts) == 1, "the channel confirmed")
            with EmbeddedKafka(tmp_path, settings.kafka):

                async def recorded() -> bool:
                    return [r.status for r in await send_log(settings)] == ["sent"]

                await until(recorded, "the send is recorded")
                await publish(settings, first, incident_event("db2"))
                await until(lambda: len(channel.posts) >= 2, "the next one is told")
                assert await process.terminate() == 0
        finally:
            await process.kill()
    assert [subject.split()[3] for subject in channel.subjects] == ["db1", "db2"]


async def test_while_the_broker_is_away_no_send_begins_and_then_it_goes_on(tmp_path: Path) -> None:
    with hook() as channel:
        channel.refuse = lambda _post: True
        with EmbeddedKafka(tmp_path, "127.0.0.1:0") as broker:
            settings = settings_for(broker.bootstrap_servers)
            await clients.create_topics(settings)
            await publish_policy(settings, Route(name="ops", urls=(channel.url,)))
            outbox = Outbox(settings, send, problem)
            stop = asyncio.Event()
            role = asyncio.create_task(again_and_again(settings, outbox, stop))
            await publish(settings, incident_event("db1"))
            await until(lambda: len(channel.asked) >= 2, "the channel refuses and is tried again")
        try:
            lease = outbox.lease
            await until(lambda: lease.age_s > LEASE_S, "the coordinator does not answer")
            # Sends that had begun before may still reach the channel.
            await until(lambda: outbox.sending.running == 0, "no send is on its way")
            asked = len(channel.asked)
            # By now another attempt would be due.
            await until(lambda: lease.age_s > LEASE_S + 10, "time goes by")
            assert len(channel.asked) == asked
            channel.refuse = lambda _post: False
            with EmbeddedKafka(tmp_path, settings.kafka):
                await until(lambda: len(channel.posts) == 1, "it is told when the broker is back")
                stop.set()
                await asyncio.wait_for(role, 60)
                assert [row.status for row in await send_log(settings)][-1] == "sent"
        finally:
            stop.set()
            await asyncio.wait({role}, timeout=15)
            await outbox.close()
    assert len(channel.posts) == 1
