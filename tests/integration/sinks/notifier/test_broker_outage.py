"""The broker goes away between a send and its record, and comes back."""

import threading
from pathlib import Path

from foundation import kafka as clients
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas.policy import Route
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
