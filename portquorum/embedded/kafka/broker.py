"""One Kafka node in a folder: its configuration, its storage, its JVM.

The JVM works in the folder and gets relative names only: a property of Java is ISO 8859-1, that of
`log.dirs` a list with commas, and Log4j reads `%`, `$` and `#` of a path in its own way.
"""

import asyncio
import base64
import os
import re
import shutil
import signal
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from portquorum.embedded.service.addresses import ListenAddress, reserve
from portquorum.embedded.service.directory import ServiceDirectory
from portquorum.embedded.service.errors import (
    EmbeddedServiceError,
    PortTakenError,
    disk_full,
    storage_error,
)
from portquorum.embedded.service.lifeline import tie_to_parent

_IN_ORDER_S: Final = 7.0
_MEMORY: Final = ("-Xmx384m", "-XX:+UseSerialGC")

_LOG_SETTINGS: Final = "log4j2.properties"
_PORT_TAKEN: Final = "Address already in use"

_LOGGING: Final = """\
status = warn
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd HH:mm:ss,SSS}} %p %m (%c{{1}})%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


class BrokerProcess:
    """A broker and its controller in one JVM (KRaft combined mode)."""

    def __init__(self, directory: ServiceDirectory, java: Path, class_path: Sequence[Path]) -> None:
        """Starts nothing yet."""
        self._directory = directory
        self._java = java.absolute()
        self._class_path = [jar.absolute() for jar in class_path]
        self._log = directory.logs / "kafka.log"
        self._output = directory.logs / "jvm.log"
        self._process: asyncio.subprocess.Process | None = None

    def prepare(self, listen: ListenAddress) -> None:
        """Writes the configuration and, the first time, formats the storage.

        Raises:
            EmbeddedServiceError: the folder can't be written, the disk is full, Java fails.
        """
        try:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary.mkdir()
            text = _LOGGING.format(log=self._log.relative_to(self._directory.path))
            (self._directory.path / _LOG_SETTINGS).write_text(text, encoding="ascii")
            self._write_properties("server.properties", _properties(listen, self._storage.name))
            if not self._storage.exists():
                self._format(listen)
        except OSError as error:
            raise storage_error(error, self._directory.path) from error

    async def start(self) -> None:
        """Starts the JVM; it does not answer yet.

        Call it in the main thread: the JVM ends with the thread that forked it.
        """
        # The log of an earlier run would be read as this one's cause of death.
        self._log.unlink(missing_ok=True)
        try:
            with self._output.open("wb") as output:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command("-Xms64m", *_MEMORY, main="kafka.Kafka"),
                    "server.properties",
                    cwd=self._directory.path,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=_environment(os.environ),
                    preexec_fn=tie_to_parent,
                    # Ctrl-C in a terminal reaches the service process alone, which ends this one.
                    process_group=0,
                    # The folder stays locked until the JVM has let go of it.
                    pass_fds=(self._directory.lock_fd,),
                )
        except OSError as error:
            raise storage_error(error, self._directory.path) from error

    async def ended(self) -> EmbeddedServiceError:
        """Waits for the JVM's end; returns its cause."""
        assert self._process is not None  # noqa: S101 (after start)
        code = await self._process.wait()
        return self._cause(code)

    async def stop(self) -> None:
        """Ends the JVM in order (within 7 s, otherwise by force); returns when it has ended."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), _IN_ORDER_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    @property
    def _storage(self) -> Path:
        return self._directory.path / "log"

    @property
    def _temporary(self) -> Path:
        return self._directory.path / "tmp"

    def _format(self, listen: ListenAddress) -> None:
        # Renamed when it is whole: an interrupted format is never taken for storage.
        unfinished = self._directory.path / "log.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._write_properties("format.properties", _properties(listen, unfinished.name))
        # C1 alone: this JVM lives for less than a second.
        flags = ("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
        done = subprocess.run(  # noqa: S603 (our own command)
            [
                *self._command(*flags, main="kafka.tools.StorageTool"),
                *("format", "--cluster-id", cluster_id()),
                *("--config", "format.properties"),
            ],
            cwd=self._directory.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(os.environ),
            preexec_fn=tie_to_parent,
            check=False,
        )
        self._output.write_bytes(done.stdout)
        if done.returncode != 0 or not unfinished.exists():
            raise self._cause(done.returncode)
        unfinished.rename(self._storage)

    def _command(self, *flags: str, main: str) -> list[str]:
        return [
            str(self._java),
            *flags,
            # Native libraries are unpacked here: /tmp may be mounted noexec, and a killed JVM
            # would leave them there.
            f"-Djava.io.tmpdir={self._temporary.name}",
            f"-Dlog4j2.configurationFile={_LOG_SETTINGS}",
            "-cp",
            os.pathsep.join(str(jar) for jar in self._class_path),
            main,
        ]

    def _write_properties(self, name: str, properties: Mapping[str, str]) -> None:
        text = "".join(f"{key}={value}\n" for key, value in properties.items())
        (self._directory.path / name).write_text(text, encoding="ascii")

    def _cause(self, code: int) -> EmbeddedServiceError:
        text = "".join(
            path.read_text(encoding="utf-8", errors="replace")
            for path in (self._log, self._output)
            if path.exists()
        )
        if "No space left on device" in text:
            return disk_full(self._directory.path)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        kind = PortTakenError if _PORT_TAKEN in text else EmbeddedServiceError
        return kind(
            f"Kafka's JVM ended ({how}): {cause_of_death(text)}; the whole log is in "
            f"{self._directory.logs}"
        )


def cause_of_death(log: str) -> str:
    """The most informative line of a log about the end of a JVM."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    for pattern in (r"^Caused by: ", r"^[\w.$]+(Exception|Error)\b", r"\b(FATAL|ERROR)\b"):
        found = [line for line in lines if re.search(pattern, line)]
        if found:
            return found[-1].removeprefix("Caused by: ")[:300]
    return lines[-1][:300] if lines else "it said nothing"


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment without variables that change the JVM.

    Java takes the names of files, and the words of the system's errors, from the locale.
    """
    meddlers = {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH"}
    kept = {name: value for name, value in env.items() if name not in meddlers}
    return kept | {"LC_ALL": "C.UTF-8"}


def cluster_id() -> str:
    """A new random cluster id in Kafka's form: base64 of a UUID, without a leading dash.

    `StorageTool` would read a dash as an option (`org.apache.kafka.common.Uuid` avoids it too).
    """
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


def _properties(listen: ListenAddress, storage: str) -> dict[str, str]:
    # A port of its own at every start: the quorum's only voter is named here, not in the storage,
    # so nothing breaks when another program has taken yesterday's port.
    controller = reserve(ListenAddress("127.0.0.1", 0))
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{listen},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{listen}",
        "log.dirs": storage,
        # One node.
        "default.replication.factor": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # Topics are made on purpose, with the partitions that the fleet agreed on.
        "auto.create.topics.enable": "false",
        # Groups form at once, and a member that died is noticed by the session timeout that it
        # asked for, however short.
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        # A machine of its own has cores and memory for more than a laptop should give.
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.num.partitions": "4",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "4",
        # 128 MB by default, a third of this heap.
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        "log.retention.check.interval.ms": "60000",
    }
