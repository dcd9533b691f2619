"""No secret of a source is in what an import writes, prints or says, wherever it stood.

The files of `planted/` have a mark wherever such a file may have a secret, in right places and in
wrong ones; each becomes a secret of its own.
"""

import base64
import itertools
import re
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from portquorum.cli.app import app

PLANTED: Final = Path(__file__).parent / "planted"
MARK: Final = "GEHEIM"
SHAPES: Final = ("Geheim{:04}", "{:04}-geheim-wort", "Geheim{:04}!+/x==")
"""Words, and what only looks like one: no shape is told by itself from other text."""


def planted(folder: Path, kind: str, shape: str) -> list[Path]:
    """The files of a kind, each mark a secret of its own."""
    numbers = itertools.count(1)
    found = []
    for source in sorted(PLANTED.glob(f"{kind}-*")):
        path = folder / source.name.removeprefix(f"{kind}-")
        text = re.sub(MARK, lambda _: shape.format(next(numbers)), source.read_text())
        path.write_text(text)
        found.append(path)
    return found


def leaked(folder: Path, kind: str, *arguments: str) -> list[str]:
    """The lines of the inventory, both reports, the terminal and JSON with a secret."""
    lines: list[str] = []
    for index, report in enumerate(("report.md", "report.json")):
        written = [folder / f"out{index}.yaml", folder / report]
        options = ["--output", str(written[0]), "--report", str(written[1]), *["--json"] * index]
        ended = CliRunner().invoke(app, ["import", kind, *arguments, *options])
        assert ended.exception is None or isinstance(ended.exception, SystemExit)
        assert f"of {kind}" in ended.output or index
        lines += ended.output.splitlines()
        lines += [
            line for path in written if path.exists() for line in path.read_text().split("\n")
        ]
    return [line[:150] for line in lines if re.search("geheim", line, re.IGNORECASE)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["gatus", "kuma", "prometheus", "alertmanager", "nagios", "nmap"])
def test_nothing_planted_is_found_again(kind: str, shape: str, tmp_path: Path) -> None:
    if "/" in shape and kind not in {"gatus", "kuma", "alertmanager"}:
        shape = shape.replace("/", "")  # it would be two words there
    files = planted(tmp_path, kind, shape)
    if kind == "prometheus":
        modules = [str(one) for one in files if one.name == "bb.yml"]
        others = [str(one) for one in files if one.name != "bb.yml"]
        assert leaked(tmp_path, kind, *others, "--blackbox", *modules) == []
    else:
        assert leaked(tmp_path, kind, *map(str, files)) == []


@pytest.mark.parametrize("file", ["csv-x.csv", "csv-l.txt", "csv-q.csv"])
def test_nothing_of_a_table_either(file: str, tmp_path: Path) -> None:
    files = planted(tmp_path, "csv", SHAPES[0])
    mine = [str(one) for one in files if one.name == file.removeprefix("csv-")]
    assert leaked(tmp_path, "csv", *mine) == []


def test_a_secret_of_kubernetes_is_opened_and_nothing_of_it_is_found_again(tmp_path: Path) -> None:
    (source,) = planted(tmp_path, "alertmanager", SHAPES[0])
    packed = base64.b64encode(source.read_bytes()).decode()
    path = tmp_path / "secret.yaml"
    path.write_text(f"apiVersion: v1\nkind: Secret\ndata:\n  alertmanager.yaml: {packed}\n")
    assert leaked(tmp_path, "alertmanager", str(path)) == []


@pytest.mark.parametrize(
    "text",
    [
        "endpoints:\n  - name: a\n    password:GEHEIM\n    url: x\n",
        "endpoints:\n\t- password: GEHEIM\n",
        'endpoints:\n  - password: "GEHEIM\n',
        "endpoints:\n  - password: a: GEHEIM\n",
        "a: *GEHEIM\n",
        "a: !GEHEIM x\n",
        "a: @GEHEIM\n",
        "a: %GEHEIM\n",
        'a: "\\qGEHEIM"\n',
        "a: [GEHEIM, b\n",
        "a: {<<: GEHEIM}\n",
        "a: GEHEIM\x01\n",
        "a: }GEHEIM\n",
        "a: 'x\nGEHEIM\nb: 'y'\n",
        "a:\n  -GEHEIM\n  - b\n",
        "a: |\n  x\n GEHEIM\n",
        "a: ? GEHEIM\n",
        "a: b,GEHEIM: c\n",
        "- a\nGEHEIM\n",
    ],
)
def test_what_is_no_yaml_is_not_repeated(text: str, tmp_path: Path) -> None:
    path = tmp_path / "gatus.yaml"
    path.write_text(text.replace(MARK, "Geheim0001"))
    assert leaked(tmp_path, "gatus", str(path)) == []


@pytest.mark.parametrize("cut", [10, 500, 5_000, 20_000])
@pytest.mark.parametrize("kind", ["gatus", "kuma", "prometheus", "alertmanager", "nagios", "csv"])
def test_a_file_that_ends_anywhere(kind: str, cut: int, tmp_path: Path) -> None:
    path = max(planted(tmp_path, kind, SHAPES[0]), key=lambda one: one.stat().st_size)
    text = path.read_text()
    path.write_text(text[: text.find("eheim", min(cut, len(text) - 200)) + 9])
    assert leaked(tmp_path, kind, str(path)) == []
