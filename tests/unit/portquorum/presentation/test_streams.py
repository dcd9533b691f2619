"""Terminals that are not UTF-8: every text is printed, JSON and documents keep their values."""

import io
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from portquorum.presentation import streams
from portquorum.presentation.output import STATUS_STYLE, table
from portquorum.presentation.plain_console import PlainConsole

ENCODINGS = ("ascii", "latin-1", "cp1252", "utf-8", "koi8-r", "euc-jp")
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)))

INVENTORY = """
regions: {local: {internal: true}}
targets:
  - id: big-db
    name: "Größe ✓ 中 – 𐍈"
    host: 127.0.0.1
    port: 5432
    purpose: "ö ✓"
"""


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=streams.ERRORS, newline="")


@pytest.fixture(autouse=True)
def _prepared() -> None:
    streams.prepare()


def run(*arguments: str, env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    return subprocess.run(
        [sys.executable, "-m", "portquorum", *arguments],
        env=kept | env,
        cwd=cwd,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_our_signs_have_an_ascii_form() -> None:
    signs = "●–…✓─│╭┼━▇█▌·×→≥µ"
    assert streams.printable(signs, stream("ascii")) == "*-...+-|++-*#=.x->>=u"
    assert streams.printable("a ö ✓", stream("latin-1")) == "a ö +"
    assert streams.printable("a ö 中", stream("ascii")) == r"a \xf6 \u4e2d"
    assert streams.printable(signs, stream("utf-8")) == signs


@given(ANY_TEXT, st.sampled_from(ENCODINGS))
def test_any_text_can_be_printed(text: str, encoding: str) -> None:
    to = stream(encoding)
    to.write(text)
    to.flush()
    console = PlainConsole()
    console.file = to
    console.print(text)
    console.print(table((text, "b"), [(text, text)], title=text))


@given(ANY_TEXT, st.sampled_from(ENCODINGS))
def test_json_has_the_same_value_in_every_encoding(text: str, encoding: str) -> None:
    document = msgspec.json.encode({text: text}).decode()
    shown = streams.printable_json(document, stream(encoding))
    assert msgspec.json.decode(shown) == {text: text}
    assert encoding == "utf-8" or shown.isascii()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_columns_stay_in_line(encoding: str) -> None:
    console = PlainConsole()
    console.file = stream(encoding)
    names = ("Größe ✓", "中", "plain")
    console.print(table(("name", "status"), [(name, next(iter(STATUS_STYLE))) for name in names]))
    console.file.flush()
    lines = console.file.buffer.getvalue().decode(encoding).splitlines()  # type: ignore[attr-defined]
    ends = {cell_len(line.rstrip()) for line in lines if line.rstrip().endswith("up")}
    assert len(ends) == 1, lines


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=lambda env: next(iter(env.values())),
)
def test_commands(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "inv.yaml").write_text(INVENTORY, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("targets:\n  - id: ö✓\n", encoding="utf-8")
    for arguments, code in (
        (("check", "127.0.0.1:1"), 1),
        (("inventory", "check", "bad.yaml"), 1),
        (("inventory", "check", "absent.yaml"), 2),
        (("nonsense–✓",), 2),
    ):
        done = run(*arguments, env=env, cwd=tmp_path)
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        assert b"Traceback" not in said
        assert b"codec" not in said, said
    checked = run("inventory", "check", "--json", "inv.yaml", env=env, cwd=tmp_path)
    assert checked.stdout.isascii()
    (target,) = msgspec.json.decode(checked.stdout)["targets"]
    assert target["name"] == "Größe ✓ 中 – 𐍈"
    done = run("inventory", "doc", "--format", "html", "inv.yaml", env=env, cwd=tmp_path)
    assert "Größe ✓ 中" in done.stdout.decode("utf-8"), "a document is UTF-8 in a pipe"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams(closed: str, tmp_path: Path) -> None:
    (tmp_path / "inv.yaml").write_text(INVENTORY, encoding="utf-8")
    for arguments, code in (
        ("inventory doc inv.yaml", 0),
        ("inventory check inv.yaml --json", 0),
        ("inventory check absent.yaml", 2),
    ):
        done = subprocess.run(
            ["/bin/sh", "-c", f"{sys.executable} -m portquorum {arguments} {closed}"],
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert b"Traceback" not in done.stderr
        assert b"unexpected" not in done.stderr


def test_a_current_folder_that_was_removed(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    done = subprocess.run(
        ["/bin/sh", "-c", f"rmdir ../gone; {sys.executable} -m portquorum check 127.0.0.1:1"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[4])},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == b"portquorum: the current folder was removed: change to one that exists\n"
