"""What went wrong elsewhere once: each case is a public report of a check's false answer.

`-k NAME` plays one case. peers.json is the first list, trackers.json and reports.json are of our
own finding; case.py has the format.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.cases.case import Answer, Case, cases_of, shortfalls

pytestmark = [pytest.mark.root, pytest.mark.timeout(120)]

HERE = Path(__file__).parent
CASES = [
    case for name in ("peers", "trackers", "reports") for case in cases_of(HERE / f"{name}.json")
]


class Player:
    """The stage's process, in namespaces of its own (stage.py)."""

    def __init__(self, folder: Path) -> None:
        stage = [sys.executable, "-m", "tests.system.cases.stage", str(folder)]
        self._process = subprocess.Popen(
            ["unshare", "--net", "--mount", *stage],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE.parents[2],
        )
        assert self._line() == "ready"

    def play(self, case: Case) -> Answer:
        assert self._process.stdin is not None
        print(json.dumps(case), file=self._process.stdin, flush=True)
        answer: Answer = json.loads(self._line())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(30) == 0

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the stage ended with {self._process.wait(30)}"
        return line.strip()


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    if os.geteuid() != 0:
        pytest.fail("run this as root: make test-root")
    player = Player(tmp_path_factory.mktemp("stage"))
    yield player
    player.close()


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_answer_is_right(player: Player, case: Case) -> None:
    answer = player.play(case)
    told = {key: value for key, value in answer.items() if key != "output" and value is not None}
    wrong = shortfalls(answer, case["want"])
    assert not wrong, "\n".join([case["why"], *wrong, str(told or answer["output"])])


def test_no_two_cases_share_a_name() -> None:
    names = [case["name"] for case in CASES]
    assert sorted(set(names)) == sorted(names)
