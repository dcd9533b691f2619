"""Apache Kafka on this machine: one real node on loopback.

`python -m portquorum.embedded.kafka.main --listen 127.0.0.1:9092 --data DIR` runs it in the
foreground;
`EmbeddedKafka` runs the same as a child of this process.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from portquorum.embedded.kafka import jars, java
from portquorum.embedded.kafka.broker import BrokerProcess
from portquorum.embedded.service import addresses, announcement, process
from portquorum.embedded.service.child import ServiceProcess
from portquorum.embedded.service.directory import ServiceDirectory
from portquorum.embedded.service.errors import EmbeddedServiceError, PortTakenError
from portquorum.embedded.service.reports import OnProgress, Progress, Reporter

DEFAULT_LISTEN: Final = "127.0.0.1:9092"
ANSWER_TIMEOUT_S: Final = 60.0
SERVICE: Final = "kafka"
_STARTS: Final = 3
"""Number of attempts with other ports."""


class EmbeddedKafka(ServiceProcess):
    """Kafka as a child of this process; `with` and `async with` start and stop it."""

    def __init__(
        self,
        data_dir: Path,
        listen: str = DEFAULT_LISTEN,
        on_progress: OnProgress | None = None,
    ) -> None:
        """Starts nothing yet.

        Args:
            data_dir: the data directory of portquorum; Kafka's part of it is the folder `kafka`.
            listen: `HOST:PORT`; port 0 takes a free one.
            on_progress: called in the thread that starts, while the first start fetches Kafka.
        """
        super().__init__(
            "portquorum.embedded.kafka.main",
            ["--listen", listen, "--data", str(data_dir.absolute())],
            data_dir / SERVICE / "logs" / "process.log",
            on_progress,
        )

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` for clients."""
        return self.address


def run_kafka(data_dir: Path, listen: str = DEFAULT_LISTEN) -> int:
    """Kafka in the foreground until SIGTERM or Ctrl-C; tells the terminal how to connect.

    Returns:
        The exit code: 0 after an end in order, 1 if it could not start or go on (and said why).
    """
    return _run(data_dir, listen, process.ToTerminal("Kafka", how_to_connect), None)


def how_to_connect(address: str) -> Sequence[str]:
    """Instructions for a Kafka at `address`."""
    return (
        f"Kafka {jars.KAFKA_VERSION} listens on {address} (Ctrl-C ends it).",
        "Other commands with the same data directory find it; elsewhere set",
        f"  PORTQUORUM_KAFKA={address}",
    )


def _run(data_dir: Path, listen: str, reporter: Reporter, parent: int | None) -> int:
    return process.run(partial(_serve, data_dir.absolute(), listen), reporter, parent)


async def _serve(data_dir: Path, listen: str, reporter: Reporter) -> None:
    address = addresses.parse(listen)
    if address.host in {"0.0.0.0", "::"}:
        raise EmbeddedServiceError(
            f"Kafka tells its clients where it is, and {address.host} is no place; give --listen "
            "an address of this machine"
        )
    directory = ServiceDirectory(data_dir, SERVICE)
    try:
        place = addresses.reserve(address)
        broker = BrokerProcess(
            directory, java.find(), jars.class_path(jars.cache_dir(), reporter.progress)
        )
        # Nothing holds the ports until the JVM has come: another program may take one meanwhile.
        for _ in range(_STARTS - 1):
            with contextlib.suppress(PortTakenError):
                await _start(broker, data_dir, place, reporter)
                return
            place = addresses.reserve(address)
        await _start(broker, data_dir, place, reporter)
    finally:
        directory.close()


async def _start(
    broker: BrokerProcess, data_dir: Path, place: addresses.ListenAddress, reporter: Reporter
) -> None:
    reporter.progress(Progress("starting"))
    broker.prepare(place)
    await _run_broker(broker, data_dir, str(place), reporter)


async def _run_broker(
    broker: BrokerProcess, data_dir: Path, address: str, reporter: Reporter
) -> None:
    stop = asyncio.create_task(process.stop_signal().wait())
    await broker.start()
    ended = asyncio.create_task(broker.ended())
    answers = asyncio.create_task(_until_it_answers(address))
    try:
        await asyncio.wait({stop, ended, answers}, return_when=asyncio.FIRST_COMPLETED)
        if answers.done():
            answers.result()
            announcement.announce(data_dir, SERVICE, address)
            reporter.ready(address)
            await asyncio.wait({stop, ended}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done() and not stop.done():
            raise ended.result()
    finally:
        answers.cancel()
        await broker.stop()
        announcement.withdraw(data_dir, SERVICE, address)


async def _until_it_answers(address: str) -> None:
    """Waits until the broker lists itself in the cluster's metadata."""
    from aiokafka.client import AIOKafkaClient  # noqa: PLC0415 (0.1 s, while the JVM starts)
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    # It reports each refused connection as an error.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    host, port = addresses.parse(address)
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while True:
                client = AIOKafkaClient(bootstrap_servers=f"{host}:{port}")
                try:
                    await client.bootstrap()
                    if client.cluster.brokers():
                        return
                except (OSError, KafkaError):
                    pass
                finally:
                    await client.close()
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise EmbeddedServiceError(
            f"Kafka did not answer on {address} within {ANSWER_TIMEOUT_S:g} s; its log is in the "
            "data directory under kafka/logs"
        ) from None


def main() -> int:
    """The command line of `python -m portquorum.embedded.kafka.main`."""
    given = process.arguments("portquorum.embedded.kafka.main", DEFAULT_LISTEN)
    if given.parent is None:
        return run_kafka(given.data, given.listen)
    return _run(given.data, given.listen, process.ToParent(), given.parent)


if __name__ == "__main__":
    sys.exit(main())
