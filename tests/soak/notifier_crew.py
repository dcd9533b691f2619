"""Three notifiers as processes of their own, of which one is active; who it is, their log says."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from foundation.settings import Settings

ACTIVE: Final = "active"
STANDING_BY: Final = "standing by"
DEADLINE_S: Final = 60.0

_KILLED: Final = -signal.SIGKILL


class Member:
    """One notifier process."""

    def __init__(
        self, number: int, settings: Settings, folder: Path, more: Mapping[str, str]
    ) -> None:
        self.number = number
        self.log = folder / f"notifier-{number}.log"
        env = os.environ | {
            "PORTQUORUM_KAFKA": settings.kafka,
            "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
            "PORTQUORUM_PARTITIONS": str(settings.partitions),
            "PORTQUORUM_GROUP_WAIT_S": str(settings.group_wait_s),
            "PORTQUORUM_GROUP_INTERVAL_S": str(settings.group_interval_s),
            "PORTQUORUM_METRICS": "127.0.0.1:0",
            "PORTQUORUM_LOG_FORMAT": "json",
            "PORTQUORUM_DATA_DIR": str(folder),
            # The code that is tested, also from a clone beside the one that is installed.
            "PYTHONPATH": str(Path(__file__).parents[2]),
            **more,
        }
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "portquorum", "notify"],
                env=env,
                cwd=folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._read = 0
        self._rest = b""
        self.active = False
        self.terms = 0
        """How often it has become active."""
        self.critical: list[str] = []

    def look(self) -> None:
        """Reads what it has said since the last look."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            said = json.loads(line)
            event, level = said.get("event"), said.get("level")
        except (ValueError, AttributeError):
            if line.startswith((b"Traceback", b"Fatal")):
                self.critical.append(line.decode(errors="replace"))
            return
        if event == ACTIVE:
            self.active, self.terms = True, self.terms + 1
        elif event == STANDING_BY:
            self.active = False
        if level == "critical" or "exception" in said:
            self.critical.append(line.decode(errors="replace")[:2000])

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


class Crew:
    """All of them; a process that is killed is replaced by `fill`."""

    def __init__(
        self, settings: Settings, folder: Path, more: Mapping[str, str], size: int = 3
    ) -> None:
        self._settings, self._folder, self._more, self._size = settings, folder, more, size
        self.members: list[Member] = []
        self.all: list[Member] = []
        self.ended: list[str] = []
        self.fill()

    def fill(self) -> None:
        """Starts as many as are missing."""
        while len(self.members) < self._size:
            one = Member(len(self.all), self._settings, self._folder, self._more)
            self.members.append(one)
            self.all.append(one)

    def look(self) -> None:
        """Reads all logs; a process that ended by itself is noted and replaced."""
        for one in list(self.members):
            one.look()
            code = one.process.poll()
            if code is not None:
                self.members.remove(one)
                if code != _KILLED:
                    tail = one.log.read_text(errors="replace")[-1500:]
                    self.ended.append(f"notifier {one.number} ended with {code}: {tail}")
        if self.ended:
            self.fill()

    async def active(self, without: Member | None = None) -> Member:
        """Waits for an active one that is not `without`."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            self.look()
            for one in self.members:
                if one.active and one is not without:
                    return one
            if time.monotonic() > deadline:
                raise TimeoutError(f"no notifier became active within {DEADLINE_S:g} s")
            await asyncio.sleep(0.02)

    def drop(self, victim: Member) -> None:
        """Forgets a process that was killed."""
        victim.process.wait()
        victim.look()
        self.members.remove(victim)

    async def stop(self) -> list[int]:
        """Ends them as a user would; their exit codes."""
        for one in self.members:
            one.send(signal.SIGTERM)
        codes = [await asyncio.to_thread(one.process.wait, 15) for one in self.members]
        for one in self.members:
            one.look()
        return codes

    def kill(self) -> None:
        """Ends whatever still runs."""
        for one in self.all:
            if one.process.poll() is None:
                one.process.kill()
                one.process.wait()
