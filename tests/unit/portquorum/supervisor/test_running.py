"""`up.json`, as it was written and as it should never be."""

from pathlib import Path

import pytest

from portquorum.supervisor import running
from portquorum.supervisor.running import FILE, Running


def test_what_was_written_is_read(tmp_path: Path) -> None:
    here = Running(pid=1, inventory="i.yaml", kafka="h:1", clickhouse="h:2")
    running.write(tmp_path, here)
    assert running.read(tmp_path) == here


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b'{"pid":1}', b'{"inventory":"\xff"}', b'{"x":' + b"[" * 100_000],
    ids=["empty", "cut", "list", "incomplete", "no utf-8", "deep"],
)
def test_a_broken_file_is_no_running_fleet(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert running.read(tmp_path) is None


def test_no_file_is_no_running_fleet(tmp_path: Path) -> None:
    assert running.read(tmp_path) is None
