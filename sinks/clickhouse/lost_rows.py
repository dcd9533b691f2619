"""ClickHouse without the rows that were committed: its folder is lost, or a backup came back.

The commits of the group `PREFIX-sink` then speak of rows that are not there. Without commits a
partition begins after its rows in the tables (`start_offset`), so the group is deleted.
"""

import asyncio
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupIdNotFound,
    KafkaError,
    NonEmptyGroup,
    for_code,
)
from aiokafka.protocol.admin import DeleteGroupsRequest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from foundation.backoff import Backoff
from foundation.clickhouse import connect, database
from foundation.kafka import admin
from foundation.settings import Settings
from foundation.telemetry import logger
from sinks.clickhouse.errors import FAILURES, in_words
from sinks.clickhouse.threads import in_thread

_BACKOFF: Final = Backoff(first_s=0.25, longest_s=5.0)


async def forget_commits(settings: Settings, *, reread: bool) -> None:
    """Deletes the commits if the database is a new one, or if `reread` asks for it.

    Call it before the migrations, after which a database is not new any more. Waits for Kafka and
    ClickHouse, and until no sink is a member of the group: what one has in hand is committed.
    """
    log = logger(__name__)
    said = ""
    wait_s: float | None = None
    while True:
        event = "waiting before rows are stored again"
        try:
            if not reread and not await in_thread(lambda: _is_new(settings)):
                return
            if await _forget(settings):
                log.warning(
                    "rows are stored again from the log, as far as ClickHouse lacks them",
                    because="reread" if reread else "the database is new",
                )
        except NonEmptyGroup:
            problem = "other sinks run: end them, and what ClickHouse lacks is stored again"
        except KafkaError as error:
            problem = in_words(error)
        except FAILURES as error:
            if isinstance(error, DatabaseError) and not isinstance(error, OperationalError):
                return  # a refusal is what the migrations say
            event, problem = "waiting for ClickHouse", in_words(error)
        else:
            return
        if problem != said:
            log.warning(event, problem=problem)
            said = problem
        wait_s = _BACKOFF.next(wait_s)
        await asyncio.sleep(wait_s)


def _is_new(settings: Settings) -> bool:
    """Whether no migration was applied yet. Blocks."""
    name = database(settings)
    client = connect(settings, database="default")
    try:
        there = client.query(
            "SELECT count() FROM system.tables WHERE database = %(name)s AND name = 'migrations'",
            parameters={"name": name},
        ).result_rows[0][0]
        if not there:
            return True
        applied = client.query(f"SELECT count() FROM `{name}`.migrations")  # noqa: S608
        return not applied.result_rows[0][0]
    finally:
        client.close()


async def _forget(settings: Settings) -> bool:
    """Deletes the sink's group; False if there is none.

    Raises:
        aiokafka.errors.NonEmptyGroup: a sink is a member of it.
        aiokafka.errors.KafkaError: the cluster can't be asked, or refuses.
    """
    group = settings.group("sink")
    client = admin(settings)
    await client.start()
    try:
        code = await _delete(client, group)
        if code == GroupIdNotFound.errno:
            return False
        # Without the right to DELETE it matters only if there is something to delete.
        refused = code == GroupAuthorizationFailedError.errno
        if refused and not await client.list_consumer_group_offsets(group):
            return False
    finally:
        await client.close()
    if code:
        raise for_code(code)(f"the group {group} can't be deleted: {for_code(code).__name__}")
    return True


async def _delete(client: AIOKafkaAdminClient, group: str) -> int:
    """The error code of the answer. aiokafka (0.14) has the request, but no method for it."""
    coordinator = await client.find_coordinator(group)
    answer = await client._send_request(DeleteGroupsRequest([group]), coordinator)  # noqa: SLF001
    ((_, code),) = answer.results
    return int(code)
