"""`portquorum` called as a user calls it, without the second that each start of Python takes.

A process (multiprocessing's fork server, one for each process of the tests) has imported what
commands need and becomes each of them by a fork: a process of its own, with its own environment,
folder and files. For commands that come to an end. What is loaded, how Python was started (streams,
signals), and the roles need a start of their own.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

_TIMEOUT_S: Final = 120
_LOADED: Final = (
    "aiokafka",
    "clickhouse_connect",
    "clickhouse_connect.driver",
    "portquorum.backtest",
    "portquorum.cli.app",
    "portquorum.inventory",
    "producers.kinds.registry",
    "sinks.clickhouse.fleet_queries",
    "sinks.clickhouse.incident_queries",
    "sinks.notifier.main",
)
"""Nothing of it reads the environment or begins a thread when it is imported."""


class Said(NamedTuple):
    """The end of a command."""

    returncode: int
    stdout: str
    stderr: str


def called(folder: Path, env: Mapping[str, str], *arguments: str | Path, given: str = "") -> Said:
    """`portquorum` with `arguments` in `folder`; `given` is its standard input.

    Of the settings (PORTQUORUM_…) and COLUMNS it has those in `env` alone, of other variables also
    ours.

    Raises:
        subprocess.TimeoutExpired: it has not ended after 120 s, and is killed.
    """
    ours = ("PORTQUORUM_", "COLUMNS")
    others = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    words = ["portquorum", *map(str, arguments)]
    with TemporaryDirectory(prefix="portquorum-command-") as name:
        files = [Path(name) / one for one in ("stdin", "stdout", "stderr")]
        files[0].write_text(given, encoding="utf-8")
        given_to = (words, others | dict(env), str(folder), [str(file) for file in files])
        process = _server().Process(target=_become, args=given_to)
        process.start()
        process.join(_TIMEOUT_S)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, _TIMEOUT_S)
        # What is no text (Parquet) has its other bytes replaced.
        out, errors = (file.read_text("utf-8", "replace") for file in files[1:])
        return Said(process.exitcode, out, errors)


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_LOADED))
    return context


def _become(words: list[str], env: dict[str, str], folder: str, files: list[str]) -> None:
    """The command in this new process."""
    modes = (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT] * 2)
    for number, (file, mode) in enumerate(zip(files, modes, strict=True)):
        os.dup2(os.open(file, mode, 0o600), number)
    encoding = env.get("PYTHONIOENCODING", "utf-8")
    sys.stdin = open(0, encoding=encoding, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding=encoding, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding=encoding, closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    sys.argv = words
    from portquorum.cli import main

    try:
        main()
    except Exception:  # noqa: BLE001 - as Python itself ends, multiprocessing does not
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        sys.exit(1)
