"""`portquorum import`: exit codes, where what is written goes, and wrong use."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from portquorum.cli.app import app
from portquorum.cli.errors import WrongUseError, explain

FINE = """endpoints:
  - {name: api, url: "https://${DOMAIN:-example.org}/x", conditions: ["[STATUS] == 200"]}
"""
SCTP = """  - {name: no, url: "sctp://example.org:1", conditions: ["[CONNECTED] == true"]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gatus.yaml").write_text(FINE)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["import", "gatus", "gatus.yaml", *arguments])


def test_all_was_taken(folder: Path) -> None:
    found = run()
    assert found.exit_code == 0
    assert "1 entry of gatus: 1 exact, 0 nearly, 0 left out" in found.stdout
    assert "portquorum inventory check inventory.yaml" in found.stdout
    text = (folder / "inventory.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=.portquorum.schema.json\n")
    assert (folder / ".portquorum.schema.json").exists()
    checked = CliRunner().invoke(app, ["inventory", "check", "inventory.yaml"])
    assert checked.exit_code == 0


def test_something_was_left_out_and_both_reports_name_it(folder: Path) -> None:
    (folder / "gatus.yaml").write_text(FINE + SCTP)
    found = run("--report", "report.md", "--output", "a.yaml")
    assert found.exit_code == 1
    assert "there is no kind for SCTP (sctp://): no" in found.stdout
    assert "| no | gatus.yaml:3 |" in (folder / "report.md").read_text()
    assert run("--report", "report.json", "--output", "b.yaml").exit_code == 1
    whole = json.loads((folder / "report.json").read_text())
    assert whole["counts"] == {"entries": 2, "exact": 1, "nearly": 0, "left_out": 1}
    assert whole["entries"][1]["place"] == {"file": "gatus.yaml", "line": 3}
    assert whole["entries"][0]["before"] == {
        "interval_s": 60.0,
        "timeout_s": 10.0,
        "told_after_s": None,
    }


@pytest.mark.parametrize("text", ["endpoints: [\n", "", "a: 1\n", "endpoints: []\n", "\x7fELF\x00"])
def test_where_nothing_was_taken_no_inventory_is_written(folder: Path, text: str) -> None:
    """An empty one would take the place of a good one, and `up` would watch nothing."""
    (folder / "gatus.yaml").write_text(text)
    (folder / "inventory.yaml").write_text("mine")
    found = run("--force")
    assert found.exit_code == 1
    assert (folder / "inventory.yaml").read_text() == "mine"
    assert "nothing was taken over, so no inventory is written" in found.stderr
    assert "portquorum up" not in found.stdout
    assert json.loads(run("--force", "--json").stdout)["output"] is None
    assert run("--output", "-").stdout == ""


def test_a_terminal_has_no_sentence_for_each_of_hundreds(folder: Path) -> None:
    """A file of another kind, or one whose entries all lack something: the report has them."""
    wrong = (
        f"  - {{name: n{one}, url: 'tcp://a:1', conditions: [x{one}]}}\n" for one in range(300)
    )
    (folder / "gatus.yaml").write_text(FINE + "".join(wrong))
    found = run("--report", "report.md")
    assert len(found.stdout.splitlines()) < 80
    assert "more, of 260 entries: --report FILE has them all" in found.stdout
    assert (folder / "report.md").read_text().count("left out |") == 300


def test_nothing_is_replaced_without_force(folder: Path) -> None:
    (folder / "inventory.yaml").write_text("mine")
    found = run()
    assert isinstance(found.exception, WrongUseError)
    assert (folder / "inventory.yaml").read_text() == "mine"
    assert run("--force").exit_code == 0
    assert "api" in (folder / "inventory.yaml").read_text()


def test_standard_output_has_the_inventory_alone(folder: Path) -> None:
    found = run("--output", "-")
    assert found.stdout.startswith("# yaml-language-server")
    assert "1 exact" not in found.stdout
    assert not (folder / "inventory.yaml").exists()
    whole = json.loads(run("--output", "-", "--json").stdout)
    assert whole["inventory"].startswith("# yaml-language-server")
    assert whole["counts"]["exact"] == 1


def test_variables_of_a_file_and_of_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("export DOMAIN='a.example.org'  # where\n")
    assert run("--env-file", ".env").exit_code == 0
    assert "host: a.example.org" in (folder / "inventory.yaml").read_text()
    monkeypatch.setenv("DOMAIN", "b.example.org")
    run("--force")
    assert "host: example.org" in (folder / "inventory.yaml").read_text()
    run("--force", "--env")
    assert "host: b.example.org" in (folder / "inventory.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--region", "EU West"), "expected a --region"),
        (("--region", "receiver"), "expected a --region"),
        (("--report", "report.txt"), "ends in .md or .json"),
        (("--env-file", "wrong.env"), "wrong.env:1: expected NAME=value"),
    ],
)
def test_wrong_use(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    (folder / "wrong.env").write_text("what\n")
    found = run(*arguments)
    assert isinstance(found.exception, WrongUseError)
    assert says in str(found.exception)
    assert not (folder / "inventory.yaml").exists()


def test_a_kind_that_nobody_knows(folder: Path) -> None:
    found = CliRunner().invoke(app, ["import", "gatos", str(folder / "gatus.yaml")])
    assert isinstance(found.exception, WrongUseError)
    assert "expected a KIND of gatus, " in str(found.exception)


def test_neither_a_source_nor_anything_else_is_written_over(folder: Path) -> None:
    (folder / "README.md").write_text("# Mine")
    (folder / "link.yaml").symlink_to("gatus.yaml")
    for arguments, says in (
        (("--force", "--output", "gatus.yaml"), "gatus.yaml is read: expected another file"),
        (("--force", "--output", "link.yaml"), "link.yaml is read: expected another file"),
        (("--report", "README.md"), "README.md is there and no report of an import"),
        (("--output", "a.json", "--report", "a.json"), "expected different files"),
    ):
        found = run(*arguments)
        assert isinstance(found.exception, WrongUseError)
        assert says in str(found.exception)
    assert (folder / "gatus.yaml").read_text() == FINE
    assert (folder / "README.md").read_text() == "# Mine"
    assert run("--report", "report.md").exit_code == 0
    assert run("--report", "report.md", "--force").exit_code == 0


def test_what_is_replaced_keeps_its_permissions_and_its_link(folder: Path) -> None:
    (folder / "real.yaml").write_text("mine")
    (folder / "real.yaml").chmod(0o640)
    (folder / "inventory.yaml").symlink_to("real.yaml")
    assert run("--force").exit_code == 0
    assert (folder / "inventory.yaml").is_symlink()
    assert (folder / "real.yaml").stat().st_mode & 0o777 == 0o640
    assert "api" in (folder / "real.yaml").read_text()


@pytest.mark.parametrize("name", ["/dev/full", "gatus.yaml/inventory.yaml", "no/inventory.yaml"])
def test_where_nothing_can_be_written_one_sentence_says_so(folder: Path, name: str) -> None:
    found = run("--force", "--output", name)
    assert isinstance(found.exception, OSError)
    sentence, code = explain(found.exception)
    assert (len(sentence.splitlines()), code) == (1, 1)
    assert sorted(one.name for one in folder.iterdir()) == ["gatus.yaml"]
    assert not Path("/dev/.portquorum.schema.json").exists()


def test_an_interrupted_import_leaves_what_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run().exit_code == 0
    before = {one.name: one.read_text() for one in folder.iterdir()}

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    (folder / "gatus.yaml").write_text(before["gatus.yaml"].replace("api", "other"))
    assert run("--force").exit_code != 0
    after = {one.name: one.read_text() for one in folder.iterdir()}
    assert after | {"gatus.yaml": before["gatus.yaml"]} == before
