"""One broker of the cluster, with a controller in its JVM (KRaft): its files and its process."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from portquorum.embedded.kafka import jars, java
from tests.kafka_cluster.places import Place

_STOP_S: Final = 40.0
_AWAKE_S: Final = 0.05
_QUICK: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
"""For a JVM that lives for a minute: half of the CPU of a start is compiling."""


class Broker:
    """A broker in a folder of its own."""

    def __init__(self, number: int, place: Place, folder: Path, java_command: list[str]) -> None:
        """Starts nothing. `number` is the node id, from 1."""
        self.number = number
        self.place = place
        self.folder = folder
        self._java = java_command
        self._process: subprocess.Popen[bytes] | None = None
        self._slowness: _Slowness | None = None

    @property
    def address(self) -> str:
        """Of the listener for users with passwords (SASL_SSL)."""
        return str(self.place.clients)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def write(self, properties: Mapping[str, str]) -> None:
        """Writes the configuration, for the next start."""
        text = "".join(f"{key}={value}\n" for key, value in properties.items())
        (self.folder / "server.properties").write_text(text, encoding="ascii")

    def format(self, cluster: str, *arguments: str) -> None:
        """Makes the storage."""
        command = [*self._java, "-Xmx128m", "kafka.tools.StorageTool", "format"]
        command += ["--cluster-id", cluster, "--config", "server.properties", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Starts the JVM, which does not answer yet."""
        assert not self.alive
        with (self.folder / "kafka.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.place.within, *self._java, "-Xmx320m", "kafka.Kafka", "server.properties"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """kill -9; returns when it is gone."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """A shutdown in order, in which partitions get other leaders; returns when it is gone."""
        self._end(signal.SIGTERM)

    def suspend(self) -> None:
        """Stops its clock: it holds its connections and answers nothing (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """The end of `suspend` or `slow`."""
        if self._slowness is not None:
            self._slowness.end()
            self._slowness = None
        if self.alive:
            self._signal(signal.SIGCONT)

    def slow(self, held_s: float) -> None:
        """Lets it work for 50 ms after each `held_s` of standing still, until `resume`.

        A request waits up to `held_s`; so do the followers of its partitions, and what it follows.
        """
        assert self._slowness is None
        assert self._process is not None
        self._slowness = _Slowness(self._process, held_s)

    def said(self, lines: int = 30) -> str:
        """The end of its log."""
        text = (self.folder / "kafka.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: int) -> None:
        if not self.alive:
            return
        assert self._process is not None
        self.resume()
        self._signal(number)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _Slowness:
    """A thread that stops a process again and again."""

    def __init__(self, process: subprocess.Popen[bytes], held_s: float) -> None:
        self._process = process
        self._held_s = held_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Returns when the process runs again."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set() and self._process.poll() is None:
            self._process.send_signal(signal.SIGSTOP)
            self._over.wait(self._held_s)
            self._process.send_signal(signal.SIGCONT)
            time.sleep(_AWAKE_S)


def java_command() -> list[str]:
    """`java` with the jars of this version of portquorum."""
    classes = os.pathsep.join(map(str, jars.class_path(jars.cache_dir(), lambda _: None)))
    return [str(java.find()), *_QUICK, "-cp", classes]
