"""What fails beside others is run once more alone: that counts, and it is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.side_by_side import MOST_AGAIN, main

BESIDE = """
import os

import pytest

alone = "PYTEST_XDIST_WORKER" not in os.environ

def test_holds(): pass

def test_starves(): assert alone
"""
ALWAYS = "\ndef test_wrong(): assert not 'it is'\n"
MANY = f"\n@pytest.mark.parametrize('n', range({MOST_AGAIN}))\ndef test_many(n): assert alone\n"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a file of tests side by side; returns the exit code and what was printed."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # each takes time to load
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(text: str, *options: str) -> tuple[int, str]:
        (tmp_path / "test_it.py").write_text(text)
        beside = ["-c", "none.toml", "--rootdir", str(tmp_path), "-p", "xdist", "-n", "1", "-q"]
        code = main([*beside, *options])
        return code, capfd.readouterr().out

    (tmp_path / "none.toml").write_text("")
    return run


def test_what_holds_alone_is_green_and_named(run: Run) -> None:
    code, said = run(BESIDE)
    assert code == 0
    assert "1 failed, 1 passed" in said
    assert "1 passed" in said.rpartition("once more")[2]
    assert said.endswith("each is a fault to find\n    test_it.py::test_starves\n")


def test_what_fails_alone_too_is_a_failure(run: Run) -> None:
    code, said = run(BESIDE + ALWAYS)
    assert code == 1
    assert "2 failed side by side" in said
    assert "1 failed, 1 passed" in said.rpartition("once more")[2]


def test_many_are_no_accident(run: Run) -> None:
    code, said = run(BESIDE + MANY)
    assert code == 1
    assert "once more" not in said


def test_a_run_that_could_not_begin_is_not_repeated(run: Run) -> None:
    code, said = run(BESIDE, "--no-such-option")
    assert code == 4
    assert "once more" not in said
