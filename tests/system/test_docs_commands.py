"""Every command that a page or a help text shows does what it should, in a real installation.

What stands for what only an installation knows is in docs_commands/stand_ins.py; the order, what is
typed and the exit codes in ways.py; the tests of what is not run here in elsewhere.py.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.system.docs_commands import running, stand_ins, ways
from tests.system.docs_commands.elsewhere import ELSEWHERE, STARTED, Elsewhere, Started
from tests.system.docs_commands.installation import Installation
from tests.system.docs_commands.installation import running as up
from tests.system.program import DEADLINE_S
from tests.unit.docs.command_lines import (
    Line,
    called_by,
    is_a_mention,
    lines_of_help,
    lines_of_pages,
    lines_of_text,
)

pytestmark = pytest.mark.timeout(600)

ROOT: Final = Path(__file__).parents[2]
WHAT_TO_DO: Final = (
    "no way to run it is known: put a pattern for it into FILES, READING or CHANGING of "
    "tests/system/docs_commands/ways.py, or into ELSEWHERE of elsewhere.py with the test of it"
)


def distinct_lines() -> dict[tuple[str, ...], Line]:
    """By its words, each command and the first place where it stands."""
    found: dict[tuple[str, ...], Line] = {}
    for line in (*lines_of_pages(), *lines_of_help()):
        found.setdefault(line.words, line)
    for line in lines_of_text():
        if line.words not in found and not is_a_mention(line):
            found[line.words] = line
    return found


LINES: Final = distinct_lines()
CHAINS: Final = {pattern: name for name, some in ways.CHANGING.items() for pattern in some}
ALL_PATTERNS: Final = (
    *(*ways.FILES, *ways.READING, *CHAINS, *(one.pattern for one in STARTED)),
    *(one.pattern for one in ELSEWHERE),
)


def of(patterns: tuple[str, ...]) -> list[Line]:
    """The commands whose pattern is one of these."""
    return [one for one in LINES.values() if ways.fitting(one.words, ALL_PATTERNS) in patterns]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with up(tmp_path_factory.mktemp("installation")) as found:
        yield found


def test_each_command_has_one_way_to_be_run() -> None:
    assert len(ALL_PATTERNS) == len(set(ALL_PATTERNS))
    without = [f"{one}: {WHAT_TO_DO}" for one in LINES.values() if not known(one)]
    assert without == []
    assert len(LINES) > 250


def known(line: Line) -> bool:
    return ways.fitting(line.words, ALL_PATTERNS) is not None


def test_every_entry_of_the_tables_is_used() -> None:
    used = {ways.fitting(words, ALL_PATTERNS) for words in LINES}
    assert set(ALL_PATTERNS) - used == set()
    tables = (*(one.pattern for one in ways.CODES), *ways.SILENT, *ways.GIVEN, *ways.TYPED)
    assert [one for one in tables if not any(ways.fitting(words, (one,)) for words in LINES)] == []
    standing = {one[:2] for words in LINES for one in stand_ins.entries(words)}
    assert [one[:2] for one in stand_ins.STAND_INS if one[:2] not in standing] == []


@pytest.mark.parametrize("entry", ELSEWHERE, ids=lambda one: one.pattern)
def test_what_is_not_run_here_is_run_by_another_test(entry: Elsewhere) -> None:
    file, _, name = entry.test.partition("::")
    text = (ROOT / file).read_text()
    assert re.search(rf"^(async )?def {re.escape(name)}\(", text, re.MULTILINE), entry.test
    text += "".join((ROOT / one).read_text() for one in entry.helpers)
    for line in of((entry.pattern,)):
        path, _, words = called_by(line.own_words)
        names = [*path.split()[1:], *(word for word in words if word.startswith("-"))]
        missing = [word for word in names if not is_in(word, text) and word not in entry.known_as]
        assert missing == [], f"{line}: {entry.test} does not seem to run it"


def is_in(word: str, text: str) -> bool:
    """Whether a text of Python has the word, as a text of its own or within one."""
    return re.search(rf"""["' .]{re.escape(word)}["' =.]""", text) is not None


def test_commands_that_read_files_or_ask_one_host(installation: Installation) -> None:
    said = running.all_of(of(ways.FILES), installation)
    assert said == [], "\n".join(said)


def test_commands_that_show_what_there_is(installation: Installation) -> None:
    said = running.all_of(of(ways.READING), installation)
    assert said == [], "\n".join(said)


def test_commands_that_change_something(installation: Installation) -> None:
    ordered: dict[str, list[Line]] = defaultdict(list)
    for pattern, chain in CHAINS.items():
        ordered[chain] += of((pattern,))
    said = running.chains(ordered.values(), installation)
    assert said == [], "\n".join(said)


@pytest.mark.parametrize("started", STARTED, ids=lambda one: one.pattern)
def test_commands_that_a_signal_ends(installation: Installation, started: Started) -> None:
    for line in of((started.pattern,)):
        with subprocess.Popen(
            [sys.executable, "-m", "portquorum.cli", *line.words],
            env=installation.env,
            cwd=installation.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            said = ""
            while started.says not in said.lower() and (text := process.stdout.readline()):
                said += text
            process.send_signal(signal.SIGTERM)
            said += process.stdout.read()
        assert started.says in said.lower(), f"{line}: {said}"
        assert process.returncode == started.code, f"{line}: {said}"


def test_completion_is_installed_for_the_shell(tmp_path: Path) -> None:
    """`--install-completion`, which writes into the home directory."""
    bash = shutil.which("bash")
    assert bash is not None
    command = f"{sys.executable} -m portquorum.cli --install-completion; echo done with $?"
    done = subprocess.run(
        [bash, "-c", command],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert "done with 0" in done.stdout, done.stderr
    script = next((tmp_path / ".bash_completions").iterdir())
    assert str(script) in (tmp_path / ".bashrc").read_text()
    assert "portquorum" in script.read_text()
