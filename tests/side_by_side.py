"""Runs pytest with files side by side, and what failed there once more with the machine to itself.

Several files at once save an hour of waiting, and starve each other now and then. A test tells
something of the code only if nothing else takes its processor, so the second word counts. A test
that failed in the first run is printed there with all that it said, and named at the end: it is a
fault to find, of the code or of the test, even if it holds alone.

    python -m tests.side_by_side -m "not root" -n 3 tests/integration
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

MOST_AGAIN: Final = 10
"""So many failures are no accident of load: nothing is run again."""

_TESTS_FAILED: Final = 1
"""Exit code of pytest: it ran all, and some failed (docs.pytest.org, "Exit codes")."""


def main(arguments: list[str]) -> int:
    """Runs pytest with these arguments; returns its exit code, that of the second run if any."""
    with tempfile.TemporaryDirectory() as folder:
        own = [*arguments, "-o", f"cache_dir={folder}"]
        code = _pytest(own)
        failed = failed_in(Path(folder))
        if code != _TESTS_FAILED or not 0 < len(failed) <= MOST_AGAIN:
            return code
        _say(f"{len(failed)} failed side by side: once more, with the machine to itself", failed)
        code = _pytest([*own, "--last-failed", "-n", "0"])
        if code == 0:
            _say("failed side by side and held alone: each is a fault to find", failed)
        return code


def failed_in(cache: Path) -> list[str]:
    """The ids of the tests that failed in the run with this cache folder, sorted."""
    try:
        return sorted(json.loads((cache / "v/cache/lastfailed").read_bytes()))
    except FileNotFoundError:
        return []


def _pytest(arguments: list[str]) -> int:
    with subprocess.Popen([sys.executable, "-m", "pytest", *arguments]) as run:
        while True:
            try:
                return run.wait()
            except KeyboardInterrupt:  # pytest has it too, and ends its tests
                continue


def _say(heading: str, failed: list[str]) -> None:
    print(f"\n=== {heading}", *failed, sep="\n    ", flush=True)  # noqa: T201 - for whoever waits


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
