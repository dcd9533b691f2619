import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from portquorum.status_pages.model import Snapshot
from portquorum.web.public.snapshot_files import FOLDER, MOST_FILES, SEEN, SnapshotFiles
from tests.unit.portquorum.status_pages.pages import MINUTE, NOW, post
from tests.unit.portquorum.web.public.public_pages import built

LATER = NOW + 10 * MINUTE


def test_what_was_written_is_read_and_as_old_as_it_is(tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path)
    page = built(None, post())

    files.write(page)
    assert files.read(LATER) == {"shop": page}
    files.confirm(NOW + MINUTE)

    assert files.read(LATER) == {"shop": replace(page, seen_at=NOW + MINUTE)}
    assert (tmp_path / FOLDER / "shop.snapshot").stat().st_mode & 0o777 == 0o600


def test_a_removed_page_is_gone_and_an_empty_folder_has_none(tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path)
    assert files.read(LATER) == {}

    files.write(built())
    files.remove("shop")
    files.remove("shop")

    assert files.read(LATER) == {}


def _written(folder: Path, page: Snapshot) -> Path:
    SnapshotFiles(folder).write(page)
    return folder / FOLDER / "shop.snapshot"


def test_a_file_that_is_not_what_its_name_says_is_not_believed(tmp_path: Path) -> None:
    path = _written(tmp_path, built())
    path.rename(path.with_name("bank.snapshot"))

    assert SnapshotFiles(tmp_path).read(LATER) == {}


def test_nothing_is_believed_from_the_future(tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path)
    files.write(built(seen_at=NOW))
    files.confirm(LATER)

    assert files.read(NOW + MINUTE)["shop"].seen_at == NOW
    assert files.read(NOW - 1) == {}


@pytest.mark.parametrize("what", ["cut", "other version", "link", "pipe", "folder", "large"])
def test_a_file_of_another_kind_is_left_alone(tmp_path: Path, what: str) -> None:
    path = _written(tmp_path, built())
    whole = path.read_bytes()
    path.unlink()
    if what == "cut":
        path.write_bytes(whole[:-10])
    elif what == "other version":
        path.write_bytes(msgspec.msgpack.encode(msgspec.msgpack.decode(whole) | {"format": 2}))
    elif what == "link":
        (tmp_path / "other").write_bytes(whole)
        path.symlink_to(tmp_path / "other")
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(33 << 20)

    assert SnapshotFiles(tmp_path).read(LATER) == {}


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400), place=st.integers(0, 400))
def test_no_bytes_make_it_fail(tmp_path: Path, data: bytes, place: int) -> None:
    path = _written(tmp_path, built(None, post()))
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + data + whole[place + len(data) :])
    (tmp_path / FOLDER / SEEN).write_bytes(data)

    for slug, page in SnapshotFiles(tmp_path).read(LATER).items():
        assert slug == page.slug


def test_two_processes_of_one_number_replace_whole_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In containers that share the folder each `web` may be the process 1."""
    one, other, replace_ = SnapshotFiles(tmp_path), SnapshotFiles(tmp_path), Path.replace
    first, second = built(None, post()), built()

    def meanwhile(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "replace", replace_)
        other.write(second)
        return replace_(self, target)

    monkeypatch.setattr(Path, "replace", meanwhile)
    one.write(first)

    assert one.read(LATER) == {"shop": first}
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["shop.snapshot"]


def test_what_could_not_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="space"):
        SnapshotFiles(tmp_path).write(built())
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_other_files_do_not_push_pages_out(tmp_path: Path) -> None:
    path = _written(tmp_path, built())
    for one in range(MOST_FILES):
        (path.parent / f".left.snapshot.{one}").touch()
    assert SnapshotFiles(tmp_path).read(LATER).keys() == {"shop"}


def test_a_deep_mark_of_time_keeps_no_page_away(tmp_path: Path) -> None:
    path = _written(tmp_path, built())
    path.with_name(SEEN).write_text('{"x":' + "[" * 100_000)
    assert SnapshotFiles(tmp_path).read(LATER) == {"shop": built()}
