"""The arguments of `portquorum beat`."""

from pathlib import Path

import pytest
import typer

from portquorum.beat.words import Wanted, WrongWordsError, wanted
from portquorum.cli.app import app
from portquorum.cli.main import _is_beat


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["T"], Wanted("http://127.0.0.1:9480/ping/T")),
        (["K/job", "--fail"], Wanted("http://127.0.0.1:9480/ping/K/job", "/fail")),
        (["T", "--url=https://m.example/"], Wanted("https://m.example/ping/T")),
        (["T", "--url", "https://m.example/ping"], Wanted("https://m.example/ping/T")),
        (["https://hc.example/ping/T/"], Wanted("https://hc.example/ping/T")),
        (["T", "--log", "--x"], Wanted("http://127.0.0.1:9480/ping/T", "/log", "--x")),
        (["T", "--start", "--run", "R"], Wanted("http://127.0.0.1:9480/ping/T", "/start", "", "R")),
        (
            ["T", "--", "a", "--fail", "--"],
            Wanted("http://127.0.0.1:9480/ping/T", command=("a", "--fail", "--")),
        ),
    ],
)
def test_what_they_mean(words: list[str], found: Wanted) -> None:
    assert wanted(words, {}) == found


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--fail"],
        ["T", "make"],
        ["T", "--"],
        ["T", "--start", "--fail"],
        ["T", "--fail", "--", "make"],
        ["T", "--run", "R", "--", "make"],
        ["T", "--url"],
        ["T", "--url", "ftp://x"],
        ["T", "--nothing"],
        ["T\n"],
        ["T?create=1"],
        ["@/nowhere/at-all"],
    ],
)
def test_what_is_wrong(words: list[str]) -> None:
    with pytest.raises(WrongWordsError):
        wanted(words, {})


def test_the_variable_and_the_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("T\n")
    env = {"PORTQUORUM_BEAT_URL": "https://m.example"}
    assert wanted([f"@{tmp_path / 'token'}"], env).address == "https://m.example/ping/T"


def test_the_help_has_the_same_options() -> None:
    command = typer.main.get_command(app).commands["beat"]  # type: ignore[attr-defined]
    told = {name for one in command.params for name in one.opts if name.startswith("--")}
    assert told - {"--help"} == {"--url", "--start", "--fail", "--log", "--run"}
    assert not _is_beat(["beat", "--help"])
    assert not _is_beat(["status"])
    assert _is_beat(["beat", "T", "--", "make", "--help"])
