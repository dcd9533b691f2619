"""Where the page is, for commands that print addresses."""

import os
from pathlib import Path

import pytest

from portquorum.supervisor.running import Running, page_address, write

PAGE = "http://127.0.0.1:40001/"


def put(folder: Path, *, pid: int, page: str = PAGE) -> None:
    write(folder, Running(pid=pid, inventory="i", kafka="k:1", clickhouse="c:1", page=page))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORTQUORUM_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("PORTQUORUM_WEB_LISTEN", raising=False)
    return tmp_path


def test_it_is_where_the_up_that_runs_listens(folder: Path) -> None:
    assert page_address() == "http://127.0.0.1:9480"
    put(folder, pid=os.getpid())
    assert page_address() == "http://127.0.0.1:40001"


def test_an_up_that_is_gone_or_has_no_page_says_nothing(folder: Path) -> None:
    put(folder, pid=os.getpid(), page="")
    assert page_address() == "http://127.0.0.1:9480"
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    put(folder, pid=child)
    assert page_address() == "http://127.0.0.1:9480"


def test_one_of_an_earlier_version_has_no_page(folder: Path) -> None:
    text = f'{{"pid":{os.getpid()},"inventory":"i","kafka":"k:1","clickhouse":"c:1"}}'
    (folder / "up.json").write_text(text)
    assert page_address() == "http://127.0.0.1:9480"


def test_the_setting_goes_before_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, pid=os.getpid())
    monkeypatch.setenv("PORTQUORUM_WEB_LISTEN", "127.0.0.1:9999")
    assert page_address() == "http://127.0.0.1:9999"
