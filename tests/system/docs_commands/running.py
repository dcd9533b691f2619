"""Runs a command of a page and says what is wrong with what it did."""

import contextlib
import json
import os
import pty
import select
import shlex
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.commands import Said
from tests.system.docs_commands import ways
from tests.system.docs_commands.installation import Installation, fill
from tests.system.docs_commands.stand_ins import instead
from tests.system.program import DEADLINE_S
from tests.unit.docs.command_lines import Line

AT_ONCE: Final = 4
"""Commands beside each other; most of their time they wait for Kafka and ClickHouse."""
_OWN_FOLDER: Final = ("import ", "inventory schema")
"""They write files whose names others have, too."""


def all_of(lines: Iterable[Line], installation: Installation) -> list[str]:
    """What is wrong with the commands, which run beside each other: nothing if all went well."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [one for one in pool.map(lambda line: problem(line, installation), lines) if one]


def chains(of: Iterable[Sequence[Line]], installation: Installation) -> list[str]:
    """Likewise of chains, in each of which a command begins when the one before has ended."""

    def chain(lines: Sequence[Line]) -> list[str]:
        return [said for line in lines if (said := problem(line, installation))]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [said for found in pool.map(chain, of) for said in found]


def problem(line: Line, installation: Installation) -> str:
    """What is wrong with the command, with its page and its words; nothing if it did well."""
    words = instead(line.words, installation)
    try:
        said = _said(line, words, installation)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{line}\n    {error}"
    wrong = wrong_with(line.words, said)
    if not wrong:
        return ""
    ran = f"ran: portquorum {shlex.join(words)}"
    return "\n    ".join((str(line), ran, wrong, f"{said.stdout[-600:]}{said.stderr[-1200:]}"))


def wrong_with(words: Sequence[str], said: Said) -> str:
    """What is wrong with the end of a command; nothing if it is as it should be."""
    expected = ways.code_of(words)
    if said.returncode != expected:
        return f"it ended with {said.returncode}, expected {expected}"
    if "Traceback" in said.stderr:
        return "it shows a traceback"
    if not said.stdout + said.stderr and not ways.fitting(words, ways.SILENT):
        return "it says nothing"
    if "--json" in words or "--format json" in " ".join(words):
        return _no_json(said.stdout)
    return ""


def _no_json(text: str) -> str:
    with contextlib.suppress(json.JSONDecodeError):
        json.loads(text)
        return ""
    try:
        for line in text.splitlines():
            json.loads(line)
    except json.JSONDecodeError as error:
        return f"it prints no JSON, neither a document nor one on each line: {error}"
    return "" if text else "it prints no JSON"


def _said(line: Line, words: Sequence[str], installation: Installation) -> Said:
    pattern = ways.fitting(line.words, ways.TYPED)
    if pattern is not None:
        return typed(words, ways.TYPED[pattern], installation)
    given = ways.GIVEN.get(" ".join(line.words), "")
    with _folder(line.words, installation) as folder:
        return installation.call(*words, folder=folder, given=given)


@contextlib.contextmanager
def _folder(words: Sequence[str], installation: Installation) -> Iterator[Path]:
    if not " ".join(words).startswith(_OWN_FOLDER):
        yield installation.home
        return
    with tempfile.TemporaryDirectory(dir=installation.home) as name:
        fill(Path(name))
        yield Path(name)


def typed(words: Sequence[str], answers: Sequence[str], installation: Installation) -> Said:
    """The command at a terminal of its own, on which somebody answers what it asks."""
    ours, theirs = pty.openpty()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, ours)
        process = subprocess.Popen(
            [sys.executable, "-m", "portquorum.cli", *words],
            env=installation.env,
            cwd=installation.home,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,  # so that it asks there, and not at the terminal of the tests
        )
        os.close(theirs)
        stack.callback(process.wait)
        stack.callback(process.kill)
        left, shown = list(answers), b""
        while part := _read(ours):
            shown += part
            if left and shown.endswith(b": "):
                os.write(ours, left.pop(0).encode() + b"\n")
        return Said(process.wait(DEADLINE_S), shown.decode(), "")


def _read(terminal: int) -> bytes:
    """What comes next; nothing at the end."""
    with contextlib.suppress(OSError, termios.error):  # EIO: nobody has it open any more
        if not select.select([terminal], [], [], DEADLINE_S)[0]:
            raise subprocess.TimeoutExpired("a command at a terminal", DEADLINE_S)
        return os.read(terminal, 65536)
    return b""
