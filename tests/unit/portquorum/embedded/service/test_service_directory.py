import os
import subprocess
import sys
from pathlib import Path

import pytest

from portquorum.embedded.service.directory import ServiceDirectory
from portquorum.embedded.service.errors import EmbeddedServiceError

HOLD = """
import sys
from pathlib import Path
from portquorum.embedded.service.directory import ServiceDirectory
directory = ServiceDirectory(Path(sys.argv[1]), "kafka")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_the_pid_of_the_first(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(
            EmbeddedServiceError, match=rf"in use by process {holder.pid}, since 20"
        ):
            ServiceDirectory(tmp_path, "kafka")
        holder.kill()
    # The lock ended with its process: nothing to clean up.
    ServiceDirectory(tmp_path, "kafka").close()


def test_services_of_one_data_directory_do_not_meet(tmp_path: Path) -> None:
    kafka = ServiceDirectory(tmp_path, "kafka")
    ServiceDirectory(tmp_path, "clickhouse").close()
    kafka.close()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "kafka").write_text("")
    with pytest.raises(EmbeddedServiceError, match=str(tmp_path / "kafka")):
        ServiceDirectory(tmp_path, "kafka")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(EmbeddedServiceError, match="can't be written"):
        ServiceDirectory(tmp_path, "kafka")


@pytest.mark.root
def test_a_full_disk_is_named(small_disk: Path) -> None:
    with pytest.raises(EmbeddedServiceError, match=rf"{small_disk}/kafka is full"):
        ServiceDirectory(small_disk, "kafka")
