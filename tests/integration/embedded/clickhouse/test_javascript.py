"""JavaScript's @clickhouse/client against the embedded ClickHouse; needs node and npm."""

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.installed import missing

pytestmark = pytest.mark.wide

HERE = Path(__file__).parent / "javascript"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program beside the packages that it imports; npm fetches them once a machine."""
    if not (shutil.which("node") and shutil.which("npm")):
        missing("node or npm")
    package = (HERE / "package.json").read_bytes()
    version = json.loads(package)["dependencies"]["@clickhouse/client"]
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = Path(home) / "portquorum" / f"clickhouse-js-{version}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (cache / "whole").exists():
            (cache / "package.json").write_bytes(package)
            install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(install, cwd=cache, check=True, timeout=150)
            (cache / "whole").touch()
    folder = tmp_path_factory.mktemp("javascript")
    (folder / "node_modules").symlink_to(cache / "node_modules")
    return Path(shutil.copy(HERE / "program.mjs", folder))


def test_a_short_program_works(program: Path, clickhouse: str, database: str) -> None:
    parts = urlsplit(clickhouse)
    assert parts.username
    assert parts.password
    url = f"http://{parts.hostname}:{parts.port}"
    done = subprocess.run(
        ["node", program, url, parts.username, parts.password, database],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "ping": True,
        "pingSelect": True,
        "written": "1000",
        "json": [{"n": "2000", "s": str(sum(range(2000)))}],
        "typed": [
            ["id", "name"],
            ["UInt64", "String"],
            *([number, f"row {number} \"'\\\n"] for number in (1, 2, 3)),
        ],
        "streamed": 300_000,
        "csv": ['"n"', 300_001, 1],
        "session": [{"x": 7, "size": 77}],
        "multipart": [{"n": 100000}],
        "error": ["60", "UNKNOWN_TABLE"],
        "broken": ["395", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"],
        "ran": True,
        "ended": True,
    }
