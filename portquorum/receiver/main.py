"""The role `receiver`: takes reports of jobs, and nothing else."""

import asyncio
import gc
import socket
from functools import partial
from typing import Final

from foundation import telemetry
from foundation.kafka import RightsWatch
from foundation.kafka.rights import rights_of
from foundation.lifecycle import stop_on_signals
from foundation.loopback_listener import inherited_listener, loopback_listener, place_of
from foundation.settings import PREFIX, Settings
from portquorum.access.rules import access_rules
from portquorum.journal.journal import KafkaJournal
from portquorum.journal.protocol import Journal
from portquorum.receiver.followed_jobs import FollowedJobs
from portquorum.receiver.receiver import Receiver
from portquorum.serving.beside import Worker, serve_beside
from portquorum.serving.front import Front, only_lifespan
from portquorum.serving.server import MOST_CONNECTIONS, serve
from portquorum.serving.tls import renewed, tls_context
from portquorum.sharing.share_keys import ShareKeys

_OTHERS: Final = 100
"""Connections for requests that wait for no broker."""

_log: Final = telemetry.logger(__name__)


async def run(settings: Settings, *, listen: str | None = None, fd: int | None = None) -> None:
    """Takes reports until SIGTERM or SIGINT; ends within 10 s.

    It answers at once: 503 until [web] and [targets] are read. What was accepted is answered
    before the end. `listen` goes before the setting, `fd` before both: a listening socket that was
    inherited. With the page's certificate it speaks TLS.

    Raises:
        foundation.settings.SettingsError: where it should listen can't be used.
        foundation.kafka.TopicMismatchError: the topics are not those of the settings.
        Exception: a fault of ours; the process should end with it and be started again.
    """
    telemetry.configure_logging("receiver", settings)
    certificate = access_rules(settings).tls
    tls = None if certificate is None else tls_context(certificate)
    listening = _listening(settings, listen, fd)
    stop, closing = stop_on_signals(), asyncio.Event()
    telemetry.serve_metrics("receiver", settings)
    journal = KafkaJournal(settings, cleans=False)
    jobs = FollowedJobs(settings)
    most = MOST_CONNECTIONS - _OTHERS
    receiver = Receiver(settings, journal, ShareKeys(journal), jobs, most_waiting=most)
    scheme = "http" if tls is None else "https"
    _log.info(
        "reports are taken",
        address=f"{scheme}://{place_of(listening)}/ping/",
        prober=receiver.prober,
    )
    workers: list[Worker] = [partial(receiver.run, closing), journal.run, jobs.run]
    workers.append(partial(_settled, journal, jobs))
    workers.append(RightsWatch(settings, rights_of("receiver", settings)).whole)
    if certificate is not None and tls is not None:
        workers.append(partial(renewed, tls, certificate))
    app = Front([receiver.app], only_lifespan)
    await serve_beside(serve(app, listening, closing, stop, tls=tls), workers, stop)


async def _settled(journal: Journal, jobs: FollowedJobs) -> None:
    """Keys and jobs stay: no collection of garbage is to visit them again and again."""
    await journal.is_present.wait()
    await jobs.present.wait()
    gc.collect()
    gc.freeze()
    await asyncio.Event().wait()


def _listening(settings: Settings, listen: str | None, fd: int | None) -> socket.socket:
    if fd is not None:
        return inherited_listener(fd, "--fd", elsewhere=True)
    if listen is not None:
        return loopback_listener(listen, "--listen", elsewhere=True)
    return loopback_listener(settings.receiver_listen, f"{PREFIX}RECEIVER_LISTEN", elsewhere=True)
