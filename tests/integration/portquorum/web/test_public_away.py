"""The role `web` while nothing else is there: what was last known is shown, with its age."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from portquorum.web.public.snapshot_files import SnapshotFiles
from tests.unit.portquorum.status_pages.pages import page
from tests.unit.portquorum.web.public.public_pages import built

ROOT = Path(__file__).parents[4]
AGE_MS = 600_000
_PORT = re.compile(
    r"page served\b[^\n]*http://127\.0\.0\.1:(\d+)/|http://127\.0\.0\.1:(\d+)/[^\n]*page served"
)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A `portquorum web` that was started 10 min after everything else was last seen."""
    folder = tmp_path_factory.mktemp("data")
    now = time.time_ns() // 1_000_000
    SnapshotFiles(folder).write(built(seen_at=now - AGE_MS, now=now - AGE_MS))
    SnapshotFiles(folder).write(built(page(slug="staff", access="locked"), seen_at=now, now=now))
    (folder / "status-pages" / "bad.snapshot").write_bytes(b"\x93nothing")
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "portquorum", "web", "--listen", "127.0.0.1:0"],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PORTQUORUM_DATA_DIR": str(folder),
                "PORTQUORUM_KAFKA": "127.0.0.1:1",
                "PORTQUORUM_CLICKHOUSE": "http://127.0.0.1:1/none",
            },
            stdout=out,
            stderr=out,
        )
    try:
        deadline = time.monotonic() + 60
        while (found := _PORT.search(log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield int(found[1] or found[2])
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()


def ask(port: int, path: str) -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers={"Host": "status.example.com"})
    answer = connection.getresponse()
    return answer, answer.read().decode()


def test_the_page_is_there_and_says_how_old_it_is(port: int) -> None:
    answer, text = ask(port, "/status/shop")
    twin = json.loads(ask(port, "/status/shop.json")[1])

    assert answer.status == 200
    assert re.search(r"As of .* UTC, 1\d min ago: our own monitoring can&#39;t be reached", text)
    assert AGE_MS // 1000 <= int(answer.headers["Age"]) < AGE_MS // 1000 + 180
    assert twin["state"] == "operational"
    assert twin["age_s"] >= AGE_MS // 1000
    assert '"message":"no data"' in ask(port, "/status/shop/badge/web/status.json")[1]


def test_what_is_locked_stays_so_and_what_is_not_believed_is_not_there(port: int) -> None:
    for path in ("/status/staff.json", "/status/bad", "/badge/web/status.svg?key=x"):
        assert (path, ask(port, path)[0].status) == (path, 404)
    # Whether it has a password is not known yet: it asks for one, and says no name.
    answer, text = ask(port, "/status/staff")
    assert (answer.status, page(slug="staff").title in text) == (403, False)
    # The door is another's: it refuses the name that only status pages answer to.
    assert ask(port, "/")[0].status == 403
