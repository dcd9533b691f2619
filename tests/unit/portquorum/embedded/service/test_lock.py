"""A lock tells who holds it, and is gone with its process."""

import os
import subprocess
import sys
from pathlib import Path

from portquorum.embedded.service import lock

HOLD = """
import os, sys
from pathlib import Path
from portquorum.embedded.service import lock
assert lock.try_lock(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT))
print("held", flush=True)
sys.stdin.read()
"""


def test_one_process_holds_it_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert lock.held(path) is None
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        owner = lock.held(path)
        assert owner is not None
        assert owner.pid == other.pid
        assert lock.alive(owner)
        assert str(owner).startswith(f"process {other.pid}, since 20")
        descriptor = os.open(path, os.O_RDWR)
        assert not lock.try_lock(descriptor)
        other.kill()
    assert lock.held(path) is None, "a killed owner leaves nothing behind"
    assert not lock.alive(owner)
    assert lock.try_lock(descriptor)
    os.close(descriptor)


def test_what_a_file_may_say(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    for content, pid in ((b"", None), (b"x", None), (b"12\n", 12), (b"9" * 31, int("9" * 31))):
        path.write_bytes(content)
        descriptor = os.open(path, os.O_RDONLY)
        found = lock.owner(descriptor)
        os.close(descriptor)
        assert found.pid == pid
        assert pid == 12 or not lock.alive(found)
