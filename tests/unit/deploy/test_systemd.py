"""Units of deploy/systemd, by systemd's own tool."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
from typer.main import get_command

from portquorum.cli.app import app
from tests.installed import missing

FOLDER: Final = Path(__file__).parents[3] / "deploy" / "systemd"
UNITS: Final = sorted(FOLDER.glob("*.service"))
MOST_EXPOSED: Final = 20
"""Tenths of the exposure that `systemd-analyze security` may find: 2.0 of 10."""

every_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)


def analyze(*words: str, unit_path: Path | None = None) -> tuple[int, str]:
    tool = shutil.which("systemd-analyze") or missing("systemd-analyze")
    environment = {"SYSTEMD_UNIT_PATH": f"{unit_path}:"} if unit_path else {}
    done = subprocess.run(
        [tool, *words], capture_output=True, text=True, check=False, env=environment
    )
    return done.returncode, done.stdout + done.stderr


def test_systemd_understands_them(tmp_path: Path) -> None:
    names = []
    for path in [*UNITS, FOLDER / "portquorum.target"]:
        # The program is not installed here; that its command is one, another test holds.
        text = re.sub(
            r"^ExecStart=\S+", "ExecStart=/bin/true", path.read_text(), flags=re.MULTILINE
        )
        (tmp_path / path.name).write_text(text)
        names.append(path.name.replace("@.", "@eu-west."))
    code, said = analyze("verify", *names, unit_path=tmp_path)
    ours = [line for line in said.splitlines() if "portquorum" in line]
    assert code == 0, said
    assert ours == []


@every_unit
def test_a_role_may_little(unit: Path) -> None:
    code, said = analyze(
        "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(unit)
    )
    assert code == 0, said


@every_unit
def test_a_unit_runs_a_command_that_there_is(unit: Path) -> None:
    started = re.search(
        r"^ExecStart=/opt/portquorum/bin/portquorum (.*)$", unit.read_text(), re.MULTILINE
    )
    assert started is not None
    words = started[1].replace("%i", "eu-west").split()
    command = get_command(app)
    name, *rest = words
    found = command.commands[name]  # type: ignore[attr-defined]
    found.make_context(name, rest, resilient_parsing=False)
