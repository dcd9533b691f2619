"""Runs a role as users do: `portquorum …` in its own process."""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from foundation.settings import Settings
from portquorum.bench.process import started

_TOLD: Final = ("kafka", "clickhouse", "topic_prefix", "partitions")


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """This process's environment with the given settings; `more` by their full names."""
    told = {f"PORTQUORUM_{name.upper()}": str(getattr(settings, name)) for name in _TOLD}
    return dict(os.environ) | told | more


def running(
    arguments: list[str], env: Mapping[str, str], log: Path, module: str = "portquorum.cli"
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Runs the role (or another module), ended by SIGTERM, with its output in `log`."""
    return started([sys.executable, "-m", module, *arguments], env, log)
