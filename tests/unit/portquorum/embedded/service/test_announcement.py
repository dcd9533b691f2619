import json
import stat
from pathlib import Path

import pytest

from portquorum.embedded.service.announcement import FILE, announce, withdraw


def found(data_dir: Path) -> dict[str, str]:
    return json.loads((data_dir / FILE).read_text())


def test_each_service_keeps_its_own_key(tmp_path: Path) -> None:
    announce(tmp_path, "kafka", "a:1")
    announce(tmp_path, "clickhouse", "http://b:2/d")
    assert found(tmp_path) == {"kafka": "a:1", "clickhouse": "http://b:2/d"}
    withdraw(tmp_path, "kafka", "a:1")
    assert found(tmp_path) == {"clickhouse": "http://b:2/d"}


def test_only_its_owner_reads_the_password_in_it(tmp_path: Path) -> None:
    announce(tmp_path, "clickhouse", "http://u:p@b:2/d")
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_the_last_one_removes_the_file(tmp_path: Path) -> None:
    announce(tmp_path, "kafka", "a:1")
    withdraw(tmp_path, "kafka", "a:1")
    assert not (tmp_path / FILE).exists()


def test_a_successor_is_not_withdrawn(tmp_path: Path) -> None:
    announce(tmp_path, "kafka", "a:1")
    announce(tmp_path, "kafka", "a:2")
    withdraw(tmp_path, "kafka", "a:1")
    assert found(tmp_path) == {"kafka": "a:2"}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"kafka":"\xff"}', b"[" * 100_000])
def test_a_broken_file_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    announce(tmp_path, "kafka", "a:1")
    assert found(tmp_path) == {"kafka": "a:1"}
