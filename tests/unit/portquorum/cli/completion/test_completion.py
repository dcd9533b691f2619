"""How a line goes on: in each shell's own words, from a file and from the last contact, at once."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from portquorum.cli.completion import answer, memory
from portquorum.cli.completion.names import MOST_BYTES, read
from portquorum.cli.completion_tree import main as generate
from portquorum.cli.completion_tree import tree
from portquorum.inventory import check

INVENTORY: Final = """\
regions: {eu: {}, us: {}}
teams: {Web Team: {}, database: {routes: [mail]}}
routes: {mail: {urls: ["console://"]}}
targets:
  - &base {name: Orders DB, kind: postgres, host: db1.example.com, tags: [prod]}
  - {<<: *base, name: Other DB, tags: [rack-7]}
  - {id: core-switch, host: 10.0.0.1, port: 22}
  - {kind: redis, host: Cache.example.com}
  - {kind: icmp, host: gw.example.com}
"""
KINDS: Final = tree()["kinds"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PORTQUORUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    return tmp_path


def words(line: str) -> list[str]:
    """The choices for a line; its last word is the one that was begun."""
    *before, begun = line.split(" ")
    return [word for word, _ in answer.choices(before, begun)]


def test_the_tree_is_that_of_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate(["--check"]) == 0, f"make generate: {capsys.readouterr().out}"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("exp", ["explain"]),
        ("target re", ["resume", "remove"]),
        ("inventory s", ["schema"]),
        ("status --te", ["--team"]),
        ("status --json --js", []),  # once is enough
        ("status --team d", ["database"]),
        ("status --team x --team W", ["Web Team"]),
        ("status --region ", ["eu", "us"]),
        ("status --tag ra", ["rack-7"]),
        ("explain o", ["orders-db", "other-db"]),
        ("explain --json c", ["cache.example.com-6379", "core-switch"]),
        ("target pause orders-db g", ["gw.example.com"]),
        ("notify test ", ["mail"]),
        ("check db1:5432 --kind po", ["pop3", "postgres"]),
        ("report uptime --format j", ["json"]),
        ("target add --id o", []),
        ("explain orders-db o", []),
        ("nothing like that ", []),
        ("import x --region ", []),
    ],
)
def test_a_line_goes_on(line: str, expected: list[str]) -> None:
    assert words(line) == expected


def test_the_ids_are_those_of_the_loader(folder: Path) -> None:
    loaded = [target.id for target in check([folder / "inventory.yaml"]).targets]
    assert words("explain ") == sorted(loaded)


def test_the_ids_of_templates_and_ports_are_those_of_the_loader(folder: Path) -> None:
    file = folder / "inventory.yaml"
    file.write_text(
        "regions: {eu: {}}\n"
        "templates: {a: {ports: [25, 8000-8002]}, web: {kind: http, extends: b}, b: {port: 8443}}\n"
        "targets:\n"
        "  - {id: mail, host: m.example.com, ports: [25, '587']}\n"
        "  - {name: All of it, host: n.example.com, extends: a}\n"
        "  - {host: w.example.com, extends: [web]}\n"
    )
    assert words("explain ") == sorted(target.id for target in check([file]).targets)


def test_another_file_is_named_on_the_line(folder: Path) -> None:
    (folder / "other.yaml").write_text("teams: {elsewhere: {}}\n")
    assert words("target add x:1 -i other.yaml --team ") == ["elsewhere"]


@pytest.mark.parametrize(
    "text", ["{", "targets: [[", "- a", "targets: {a: 1}", "\0", "", "a: &a *a"]
)
def test_a_file_that_is_none_has_no_names(folder: Path, text: str) -> None:
    (folder / "inventory.yaml").write_text(text)
    assert words("explain ") == []


def test_of_a_large_file_the_beginning_is_read(folder: Path) -> None:
    file = folder / "inventory.yaml"
    lines = (f"  - {{id: db-{number}, host: a, port: 1}}\n" for number in range(2_500))
    file.write_text("targets:\n" + "".join(lines))
    assert file.stat().st_size > MOST_BYTES
    found = read(file, KINDS)["target"]
    assert found[:2] == ["db-0", "db-1"]
    assert len(found) > 1_500


def test_a_file_is_read_again_when_it_has_changed(folder: Path) -> None:
    assert "core-switch" in words("explain ")
    (folder / "inventory.yaml").write_text("targets: [{id: new, host: a, port: 1}]\n")
    assert words("explain ") == ["new"]


def test_the_last_contact_is_remembered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "inventory.yaml").unlink()
    memory.remember({"target": ["a", "b"], "team": ["x"]}, all_of=True)
    memory.remember({"incident": ["0a1b"]})
    memory.remember({"incident": ["0c2d"]})
    assert words("explain ") == ["a", "b"]
    assert words("ack ") == ["0a1b", "0c2d"]
    assert words("ack 0a1b 0") == ["0a1b", "0c2d"]
    memory.remember({"target": ["c"]}, all_of=True)
    assert words("explain ") == ["c"]
    monkeypatch.setenv("PORTQUORUM_KAFKA", "other:9092")
    assert words("explain ") == [], "another cluster"
    monkeypatch.setenv("PORTQUORUM_CACHE", "/dev/null")
    memory.remember({"target": ["d"]})
    assert words("explain ") == [], "nothing can be kept there, and nobody minds"


def asked(shell: str, line: str, **env: str) -> tuple[int, str]:
    """The exit code and output of `portquorum` for a shell that has typed this line."""
    typed = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }
    done = subprocess.run(
        [sys.executable, "-m", "portquorum.cli"],
        env={**os.environ, "_PORTQUORUM_COMPLETE": f"complete_{shell}", **typed[shell], **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_each_shell_is_answered_in_its_own_way() -> None:
    assert asked("bash", "portquorum status --team W") == (0, "Web\\ Team\n")
    code, said = asked("fish", "portquorum expl")
    assert (code, said.partition("\t")[0]) == (0, "explain")
    assert asked("zsh", "portquorum explain core") == (
        0,
        "_arguments '*: :((\"core-switch\"))'\n",
    )
    nothing = {"_TYPER_COMPLETE_FISH_ACTION": "is-args"}
    assert asked("fish", "portquorum inventory check ", **nothing) == (1, "")  # files are next


def test_no_error_stands_in_the_line(folder: Path) -> None:
    assert asked("bash", "portquorum 'explain", COMP_CWORD="x") == (1, "")
    (folder / "inventory.yaml").unlink()
    (folder / "inventory.yaml").mkdir()
    assert asked("bash", "portquorum explain ") == (0, "")


def test_no_command_is_imported_for_an_answer() -> None:
    code = (
        "import sys; from portquorum.cli.completion.answer import choices;"
        "choices(['explain'], ''); heavy = {'typer', 'msgspec', 'aiokafka', 'rich'};"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
