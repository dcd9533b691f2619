import sys
from pathlib import Path

import pytest

from portquorum.supervisor.called import called


def test_a_hint_can_be_copied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = tmp_path / "clone"
    program = here / ".venv" / "bin" / "portquorum"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    monkeypatch.chdir(here)
    monkeypatch.setenv("PATH", "")
    assert called() == ".venv/bin/portquorum"
    monkeypatch.chdir(tmp_path / "clone" / ".venv" / "bin")
    assert called() == "portquorum"
    monkeypatch.chdir("/")
    monkeypatch.setenv("PATH", str(program.parent))
    assert called() == "portquorum"
