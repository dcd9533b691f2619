"""Which roles run, by the members of our consumer groups, and whether another may begin."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Final, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, for_code

from foundation import upgrade_order
from foundation.kafka.clients import SESSION_TIMEOUT_MS, admin
from foundation.settings import Settings
from foundation.telemetry import logger
from foundation.upgrade_order import Member, Role

PATIENCE_S: Final = SESSION_TIMEOUT_MS / 1000 + 6
"""How long a refusal waits: a role that was killed is a member until its session is over."""

LOOK_WITHIN_S: Final = 15.0
"""Longest time for a look at all groups; after it the role begins without one."""

_ANSWER_S: Final = 5.0
_AGAIN_S: Final = 0.5

_log = logger(__name__)
_Answer = TypeVar("_Answer")


class VersionOrderError(Exception):
    """Roles of other versions run that must be upgraded, or ended, before this one starts."""


async def in_order(settings: Settings, role: Role, *, region: str = "") -> None:
    """Returns when this role may begin beside those that run; says once that it waits.

    A cluster that can't be asked stops nobody: a monitor that does not run is worse than one of
    another version. Nor does a group that this principal may not see (DESCRIBE). Cancel it to give
    up.

    Raises:
        VersionOrderError: it may not, and `PATIENCE_S` later still not.
    """
    own = upgrade_order.own_version()
    until = time.monotonic() + PATIENCE_S
    said = False
    while True:
        found = await _look(settings)
        refused = upgrade_order.refusal(role, own, found, region)
        if refused is None:
            return
        if time.monotonic() >= until:
            raise VersionOrderError(refused)
        if not said:
            _log.warning("waiting for roles of other versions to end", reason=refused)
            said = True
        await asyncio.sleep(_AGAIN_S)


async def _look(settings: Settings) -> list[Member]:
    """The running roles; none if the cluster does not say within `LOOK_WITHIN_S`."""
    try:
        async with asyncio.timeout(LOOK_WITHIN_S):
            return await running_roles(settings)
    except (KafkaError, OSError) as error:
        _log.warning("the versions of the other roles are not known", error=repr(error))
        return []


async def running_roles(settings: Settings) -> list[Member]:
    """All running roles of this installation that this principal may see.

    Asks again while a coordinator loads its groups: bound it in time.

    Raises:
        aiokafka.errors.KafkaError: the cluster does not answer.
    """
    client = admin(settings)
    await client.start()
    try:
        found = await asyncio.gather(
            *(
                _members(client, group, role, region)
                for group in await _groups(client)
                if (known := upgrade_order.role_of(group, settings.group(""))) is not None
                for role, region in (known,)
            )
        )
    finally:
        await client.close()
    return [one for some in found for one in some]


async def _groups(client: AIOKafkaAdminClient) -> list[str]:
    """The names of all groups. A broker that does not answer has none: others took them over."""
    brokers = [broker.nodeId for broker in client._client.cluster.brokers()]  # noqa: SLF001
    found = await asyncio.gather(*(_groups_of(client, number) for number in brokers))
    return sorted({name for names in found for name in names})


async def _groups_of(client: AIOKafkaAdminClient, broker: int) -> list[str]:
    while True:
        try:
            async with asyncio.timeout(_ANSWER_S):
                listed = await client.list_consumer_groups([broker])
        except TimeoutError:
            return []
        except KafkaError as error:
            if not error.retriable:
                return []
            await asyncio.sleep(_AGAIN_S)
        else:
            return [str(name) for name, _ in listed]


async def _members(
    client: AIOKafkaAdminClient, group: str, role: Role, region: str
) -> list[Member]:
    while True:
        try:
            # One group a request: aiokafka (0.14) reads no answer with several.
            (answer,) = await _soon(client.describe_consumer_groups([group]))
            (entry,) = answer.to_object()["groups"]
            if entry["error_code"]:
                raise for_code(entry["error_code"])(f"group {group}")
        except GroupAuthorizationFailedError:
            return []
        except KafkaError as error:
            if not error.retriable:
                raise
            await asyncio.sleep(_AGAIN_S)
        else:
            made = (
                upgrade_order.member(
                    role, str(one["client_id"]), str(one["client_host"]).lstrip("/"), region
                )
                for one in entry["members"]
            )
            return [one for one in made if one is not None]


async def _soon(answer: Awaitable[_Answer]) -> _Answer:
    async with asyncio.timeout(_ANSWER_S):
        return await answer
