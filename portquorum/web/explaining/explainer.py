"""Asks a process of its own for an explanation: one at a time, within a limit."""

import asyncio
import os
import subprocess
import sys
from typing import Final

import msgspec

from foundation.redact import redact
from foundation.settings import Settings
from foundation.telemetry import logger
from portquorum.web.explaining.answers import Asked, Read, TargetExplained, encoded
from schemas.partition import host_key, partition_for
from schemas.target import Target

LIMIT_S: Final = 20.0
"""Time for one answer, the start of the process included (1 s on a quiet machine)."""
MOST_WAITING: Final = 4
KEEP_S: Final = 3.0
_KEPT: Final = 32
_SAID_CHARS: Final = 2_000

_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "TZDIR", "SYSTEMROOT")
_log: Final = logger(__name__)


class ExplainUnavailableError(Exception):
    """Nothing can be explained now; the text is a sentence for people."""


class NoExplainer:
    """Explains nothing: there is no stream behind this page."""

    async def explain(self, target: Target) -> TargetExplained:
        """Raises ExplainUnavailableError."""
        raise ExplainUnavailableError(f"There is no stream here that knows {target.id[:99]}.")


class Explainer:
    """Explanations of targets, for one event loop."""

    def __init__(self, settings: Settings, *, limit_s: float = LIMIT_S) -> None:
        """Starts nothing yet."""
        self._settings = settings
        self._limit_s = limit_s
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._kept: dict[str, tuple[float, TargetExplained]] = {}

    async def explain(self, target: Target) -> TargetExplained:
        """Why the target has an incident or none, as of some seconds ago at most.

        Raises:
            ExplainUnavailableError: Kafka is away, it takes too long, or too many ask.
        """
        if (kept := self._fresh(target.id)) is not None:
            return kept
        if self._waiting >= MOST_WAITING:
            raise ExplainUnavailableError("Too many ask for an explanation; try again in a moment.")
        self._waiting += 1
        try:
            async with self._turn:
                if (kept := self._fresh(target.id)) is not None:
                    return kept
                found = await self._read(target)
                self._keep(target.id, found)
                return found
        finally:
            self._waiting -= 1

    def _fresh(self, target: str) -> TargetExplained | None:
        at, kept = self._kept.get(target, (0.0, None))
        return kept if asyncio.get_running_loop().time() - at < KEEP_S else None

    def _keep(self, target: str, found: TargetExplained) -> None:
        self._kept.pop(target, None)
        self._kept[target] = asyncio.get_running_loop().time(), found
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]

    async def _read(self, target: Target) -> TargetExplained:
        partition = partition_for(host_key(target.host, target.id), self._settings.partitions)
        question = encoded(Asked(self._settings, target.id, partition))
        try:
            process = await _reader()
        except OSError as error:
            raise ExplainUnavailableError(
                f"No process can be started that reads the stream's state: {error.strerror}."
            ) from error
        try:
            async with asyncio.timeout(self._limit_s):
                said, complaint = await process.communicate(question)
        except TimeoutError:
            raise ExplainUnavailableError(
                f"Reading the stream's state took longer than {self._limit_s:.0f} s."
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return self._answer(process.returncode, said, complaint)

    def _answer(self, code: int | None, said: bytes, complaint: bytes) -> TargetExplained:
        try:
            read = msgspec.json.decode(said, type=Read)
        except msgspec.DecodeError:
            told = redact(complaint.decode(errors="replace")[-_SAID_CHARS:])
            _log.error("reading the stream's state failed", code=code, said=told)
            raise ExplainUnavailableError(
                "Reading the stream's state failed; the log of portquorum web says why."
            ) from None
        if read.found is None:
            raise ExplainUnavailableError(read.trouble)
        return read.found


async def _reader() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        # -P: nothing is imported from the folder in which the page happens to run.
        *(sys.executable, "-P", "-m", "portquorum.web.explaining.read_state"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        start_new_session=True,
    )
