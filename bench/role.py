"""A role as anybody starts it: `portquorum …` in a process of its own."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from portquorum.settings import Settings

_STOP_S: Final = 20.0
_TOLD: Final = ("kafka", "clickhouse", "topic_prefix", "partitions")


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """This process's environment with those settings; `more` by their full names."""
    told = {f"PORTQUORUM_{name.upper()}": str(getattr(settings, name)) for name in _TOLD}
    return dict(os.environ) | told | more


@contextlib.contextmanager
def running(
    arguments: list[str], env: Mapping[str, str], log: Path, module: str = "portquorum.cli"
) -> Iterator[subprocess.Popen[bytes]]:
    """The role (or another module), ended by SIGTERM; its words go to `log`."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], env=env, stdout=out, stderr=out
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
