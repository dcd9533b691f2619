"""Why Kafka can't be used: tries it step by step after aiokafka has failed, and says the reason."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from typing import Final

from aiokafka.conn import collect_hosts
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    LeaderNotAvailableError,
    NoBrokersAvailable,
    NodeNotReadyError,
    RequestTimedOutError,
    SaslAuthenticationFailed,
    StaleMetadata,
)
from msgspec import structs

from foundation.kafka import dial
from foundation.kafka import trouble_words as words
from foundation.kafka.clients import client_options
from foundation.kafka.dial import STEP_S
from foundation.kafka.server_try import Broker, ServerTry, place
from foundation.kafka.trouble_words import Trouble, TroubleKind
from foundation.settings import Settings

WITHIN_S: Final = 20.0
"""Longest time of all tries together, in s; most take some milliseconds."""

MOST_SERVERS: Final = 20
"""Bootstrap servers, and brokers of a cluster, that are tried."""

AWAY_ERRORS: Final = (
    KafkaConnectionError,
    NodeNotReadyError,
    NoBrokersAvailable,
    KafkaTimeoutError,
    RequestTimedOutError,
    StaleMetadata,
    IncompatibleBrokerVersion,
    LeaderNotAvailableError,
    GroupCoordinatorNotAvailableError,
    SaslAuthenticationFailed,
)
"""Errors of aiokafka that say that a cluster can't be used, but not why."""

_LAST_RESORT: Final[tuple[TroubleKind, ...]] = ("silent", "unreachable", "name_unknown", "refused")
"""Of several servers the trouble of one that answered is said, else the first of these."""

_Server = tuple[str, int]


class KafkaTroubleError(KafkaError):  # type: ignore[misc]
    """Kafka can't be used; the text is the sentence of a `Trouble`."""

    def __str__(self) -> str:
        """The sentence, without the name of the class that aiokafka puts in front."""
        return " ".join(map(str, self.args))


def is_away(error: BaseException) -> bool:
    """Whether an error of aiokafka is one that `why_not` explains."""
    return isinstance(error, (*AWAY_ERRORS, OSError, TimeoutError))


async def why_not(settings: Settings, within_s: float = WITHIN_S) -> Trouble | None:
    """Why Kafka can't be used; None: it can now.

    Tries each server of the settings, then each broker that the cluster names, then whether its
    controllers answer. Asks for nothing that needs a right, and changes nothing. Call it only
    after a client has failed: each try is a new connection, and a wrong password costs the broker
    a refusal.

    Raises:
        SettingsError: a file of the settings can't be used.
    """
    return await asyncio.create_task(_why_not(settings, within_s))  # for a context of its own


async def explained(settings: Settings, error: BaseException, within_s: float = WITHIN_S) -> str:
    """The sentence for an error of aiokafka: why Kafka can't be used, or the error's own text."""
    if isinstance(error, KafkaTroubleError):
        return str(error)
    trouble = await why_not(settings, within_s) if is_away(error) else None
    if trouble is not None:
        return trouble.sentence
    if isinstance(error, KafkaConnectionError):
        return f"no connection to Kafka at {settings.kafka} a moment ago, and now there is one"
    return f"{type(error).__name__} {error}".strip()


async def _why_not(settings: Settings, within_s: float) -> Trouble | None:
    dial.IS_TRYING.set(True)
    context: ssl.SSLContext | None = client_options(settings).get("ssl_context")
    servers = [(str(host), int(port)) for host, port, _ in collect_hosts(settings.kafka, False)]
    trying = ServerTry(settings, context)
    try:
        async with asyncio.timeout(within_s):
            return await _cluster(trying, servers[:MOST_SERVERS])
    except TimeoutError:
        return words.silent(settings.kafka, "answer", within_s)


async def _cluster(trying: ServerTry, servers: Sequence[_Server]) -> Trouble | None:
    found = await asyncio.gather(*(trying.brokers(*one) for one in servers))
    working = {
        one: brokers
        for one, brokers in zip(servers, found, strict=True)
        if not isinstance(brokers, Trouble)
    }
    if not working:
        return _nearest([one for one in found if isinstance(one, Trouble)])
    first = next(iter(working))
    named = max(working.values(), key=len)
    if not named:
        return words.no_brokers(place(*first))
    trouble = await _named(trying, place(*first), named, working)
    if trouble is not None and trouble.kind != "brokers_away":
        return trouble
    if await trying.has_controller(*first):
        return trouble
    return words.no_controller(place(*first), STEP_S, None if trouble is None else trouble.cause)


async def _named(
    trying: ServerTry,
    where: str,
    brokers: Sequence[Broker],
    working: Mapping[_Server, Sequence[Broker]],
) -> Trouble | None:
    """Tries the addresses that the cluster names for its brokers."""
    others = [one for one in brokers if (one.host, one.port) not in working][:MOST_SERVERS]
    tried = await asyncio.gather(*(trying.brokers(one.host, one.port) for one in others))
    bad = [(one, it) for one, it in zip(others, tried, strict=True) if isinstance(it, Trouble)]
    if not bad:
        return None
    first, inner = bad[0]
    if len(bad) == len(brokers):
        return words.advertised_unreachable(where, first.node, inner)
    nodes = tuple(sorted(one.node for one, _ in bad))
    return words.brokers_away(where, nodes, len(brokers), inner)


def _nearest(troubles: Sequence[Trouble]) -> Trouble:
    """The trouble of the server that got furthest, with the places of all that are alike."""
    best = min(
        troubles,
        key=lambda one: 1 + _LAST_RESORT.index(one.kind) if one.kind in _LAST_RESORT else 0,
    )
    alike = [one.where for one in troubles if (one.kind, one.cause) == (best.kind, best.cause)]
    return structs.replace(best, where=", ".join(alike))
