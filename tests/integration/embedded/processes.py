"""Watching processes end."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil


def wait_until(condition: Callable[[], bool], timeout_s: float, what: str) -> float:
    """Seconds until the condition held."""
    begun_at = time.monotonic()
    while not condition():
        elapsed = time.monotonic() - begun_at
        assert elapsed < timeout_s, f"{what}: not within {timeout_s} s"
        time.sleep(0.02)
    return time.monotonic() - begun_at


def family(pid: int) -> list[psutil.Process]:
    """A process and all below it."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def gone(process: psutil.Process) -> bool:
    """Whether it has ended (a zombie has)."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def module(name: str, *arguments: str | Path, **env: str) -> subprocess.Popen[str]:
    """`python -m name`, standard error piped."""
    return python(["-m", name, *map(str, arguments)], **env)


def python(arguments: Sequence[str], **env: str) -> subprocess.Popen[str]:
    """Another Python, standard output and error piped."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | env,
    )
