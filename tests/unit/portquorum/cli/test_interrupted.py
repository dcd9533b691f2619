"""Ctrl-C ends a command without a traceback, whatever it is at."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

INTERRUPTED_AT_AN_IMPORT = """
import os, signal, sys

MODULE = sys.argv[1]

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == MODULE:
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupts())
from portquorum.cli.main import main
sys.argv[0:2] = ["portquorum"]
main()
"""


@pytest.mark.parametrize(
    ("module", "codes"),
    [
        ("portquorum.cli.app", {-signal.SIGINT}),
        ("typer", {-signal.SIGINT}),
        ("portquorum.inventory", {-signal.SIGINT, 128 + signal.SIGINT}),
        ("portquorum.inventory.publish", {-signal.SIGINT, 128 + signal.SIGINT}),
    ],
)
def test_during_an_import(module: str, codes: set[int], tmp_path: Path) -> None:
    (tmp_path / "inv.yaml").write_text("targets: []\n")
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT_AN_IMPORT, module, "inventory", "check", "inv.yaml"],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in codes, done
    assert b"Traceback" not in done.stderr


def test_a_shell_that_ignores_it_for_a_command_in_the_background(tmp_path: Path) -> None:
    (tmp_path / "inv.yaml").write_text("targets: []\n")
    ignoring = INTERRUPTED_AT_AN_IMPORT.replace("default_int_handler", "SIG_IGN")
    done = subprocess.run(
        [sys.executable, "-c", ignoring, "portquorum.cli.app", "inventory", "check", "inv.yaml"],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done
