"""What `portquorum heartbeat list` shows: definitions of Kafka, reports of ClickHouse."""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foundation.settings import Settings
    from portquorum.web.history.job_reports import JobReports
    from schemas.target import Target

_STATES = "SELECT target, toString(status) FROM status_now WHERE kind = 'heartbeat'"
_ANSWER_S = 5.0

Row = dict[str, Any]


def heartbeats(teams: Collection[str], tags: Collection[str]) -> tuple[list[Row], list[str]]:
    """Heartbeats by id, as JSON has them, and notes on what is not known of them.

    Raises:
        aiokafka.errors.KafkaError, OSError: Kafka can't be reached.
    """
    from foundation.settings import load

    settings = load()
    targets, keys, paused = asyncio.run(_read(settings))
    shown = [
        one
        for one in targets
        if (not teams or one.team in teams) and (not tags or set(tags) & set(one.tags))
    ]
    reports, states, notes = _reported(settings, [one.id for one in shown])
    return [
        _row(one, reports, "paused" if one.id in paused else states.get(one.id), keys[one.id])
        for one in shown
    ], notes


def _row(
    target: "Target", reports: "Mapping[str, JobReports] | None", state: str | None, keys: int
) -> Row:
    import msgspec

    from portquorum.inventory.heartbeats import how_often
    from portquorum.web.heartbeats import row_of
    from schemas.probe import HeartbeatProbe

    is_paused = state == "paused"
    row = row_of(target, "paused" if is_paused else "up", None, reports, keys)
    plain: Row = msgspec.to_builtins(row)
    del plain["since"]
    often = how_often(target.probe) if isinstance(target.probe, HeartbeatProbe) else ""
    return plain | {"state": state, "how_often": often}


async def _read(settings: "Settings") -> "tuple[list[Target], Counter[str], set[str]]":
    """Heartbeats by id, how many keys each has, and which are paused or not enabled."""
    from foundation import kafka
    from portquorum.cli.completion import contact
    from portquorum.inventory import present
    from portquorum.inventory.heartbeats import is_job
    from portquorum.journal.journal import opened
    from schemas.web import ShareKey

    await kafka.create_topics(settings)  # at once an error if Kafka is away
    found = await present.read(settings)
    contact.seen_present(found)
    targets = [one.target for _, one in sorted(found.targets().items()) if is_job(one.target)]
    paused = set(found.pauses(round(time.time() * 1000)))
    paused |= {one.id for one in targets if not one.enabled}
    async with opened(settings) as journal:
        about = (one.about for one in journal.book.all(ShareKey).values() if one.use == "ping")
        return targets, Counter(one for one in about if one is not None), paused


def _reported(
    settings: "Settings", targets: list[str]
) -> "tuple[Mapping[str, JobReports] | None, dict[str, str], list[str]]":
    """The newest reports and the states of `status_now`; None while ClickHouse is away."""
    from foundation import clickhouse
    from portquorum.cli.errors import explain
    from portquorum.web.history.job_reports import job_reports
    from sinks.clickhouse.errors import FAILURES

    if not targets:
        return {}, {}, []
    try:
        client = clickhouse.connect(
            settings, connect_timeout=_ANSWER_S, send_receive_timeout=_ANSWER_S, query_retries=0
        )
        try:
            states = {f"{one[0]}": f"{one[1]}" for one in client.query(_STATES).result_rows}
            return job_reports(client, targets), states, []
        finally:
            client.close()
    except FAILURES as error:
        return None, {}, [f"reports and states are not known: {explain(error)[0]}"]
