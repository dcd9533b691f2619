"""The limit of open files, in a process of its own: a limit once lowered stays low."""

import subprocess
import sys

import pytest

_ASK = """
import resource, sys
soft, hard, wanted = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
from producers.engine.file_descriptors import in_flight_limit
print(in_flight_limit(wanted), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "granted"),
    [
        (256, 1000, 500, 500),
        (256, 1000, 2000, 600),
        (1000, 1000, 2000, 600),
        (100, 150, 2000, 1),
    ],
)
def test_checks_in_flight_stay_below_the_limit_of_open_files(
    soft: int, hard: int, wanted: int, granted: int
) -> None:
    arguments = [str(soft), str(hard), str(wanted)]
    told = subprocess.run(
        [sys.executable, "-c", _ASK, *arguments], check=True, capture_output=True, text=True
    )
    assert told.stdout.splitlines()[-1].split() == [str(granted), str(hard)]
