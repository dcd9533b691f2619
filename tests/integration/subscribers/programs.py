"""The programs of examples/subscribers/, ready to run."""

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.installed import missing
from tests.integration.subscribers.story import ROOT
from tests.toolchains import go_program, java_program, node_program

Program = Callable[[Path], Sequence[str]]
"""Builds a program in a folder; gives its command without the arguments SERVERS and STATE."""

SUBSCRIBERS: Final = ROOT / "examples" / "subscribers"


def python(_: Path) -> list[str]:
    return [sys.executable, str(SUBSCRIBERS / "python" / "subscriber.py")]


def javascript(folder: Path) -> list[str]:
    return node_program(SUBSCRIBERS / "javascript", folder, "subscriber.mjs")


def java(folder: Path) -> list[str]:
    return java_program(SUBSCRIBERS / "java", folder, "Subscriber")


def go(folder: Path) -> list[str]:
    return go_program(SUBSCRIBERS / "go", folder)


def shell(_: Path) -> list[str]:
    for tool in ("kcat", "jq"):
        if not shutil.which(tool):
            missing(tool)
    return ["bash", str(SUBSCRIBERS / "shell" / "subscriber.sh")]


PROGRAMS: Final = [
    pytest.param(one, id=one.__name__, marks=() if one in {python, shell} else pytest.mark.wide)
    for one in (python, javascript, java, go, shell)
]
"""Each for a test; those in languages that are not ours are strangers."""
