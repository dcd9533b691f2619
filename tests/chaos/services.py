"""A Kafka and a ClickHouse of a run's own, which can be killed, stopped and cut off."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from portquorum.embedded.kafka.main import EmbeddedKafka
from portquorum.embedded.service.child import ServiceProcess
from portquorum.embedded.service.errors import EmbeddedServiceError

_STARTS: Final = 5


class Service:
    """One of the two; at the same address after each start."""

    def __init__(self, make: Callable[[str], ServiceProcess], place: Callable[[str], str]) -> None:
        """`make` gives one that listens on a place; `place` is the `host:port` of its address."""
        self._make = make
        self._one = make("127.0.0.1:0").start()
        self.address = self._one.address
        self.place = place(self.address)

    @property
    def port(self) -> int:
        return int(self.place.rpartition(":")[2])

    def _family(self) -> list[psutil.Process]:
        assert self._one.pid is not None
        whole = psutil.Process(self._one.pid)
        return [whole, *whole.children(recursive=True)]

    def kill(self) -> None:
        """-9, for all of its processes at once."""
        family = self._family()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, 30)
        self._one.kill()

    def suspend(self) -> None:
        for process in self._family():
            process.suspend()

    def resume(self) -> None:
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    async def start_again(self) -> None:
        """Starts it where it was; its port may need a moment."""
        for attempt in range(_STARTS):
            self._one = self._make(self.place)
            try:
                await asyncio.to_thread(self._one.start)
            except EmbeddedServiceError:
                if attempt + 1 == _STARTS:
                    raise
                await asyncio.sleep(1)
            else:
                return

    def stop(self) -> None:
        self._one.stop()


def kafka(folder: Path) -> Service:
    return Service(lambda place: EmbeddedKafka(folder, place), lambda address: address)


def clickhouse(folder: Path) -> Service:
    def place(url: str) -> str:
        return url.partition("@")[2].partition("/")[0]

    return Service(lambda listen: EmbeddedClickHouse(folder, listen), place)
