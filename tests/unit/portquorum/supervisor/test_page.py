import socket
from pathlib import Path

import pytest

from foundation.settings import Settings, SettingsError
from portquorum.supervisor import Stage, fleet, page
from portquorum.supervisor.page import chosen_page


def test_a_port_that_nobody_chose_is_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORTQUORUM_WEB_LISTEN", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        found = chosen_page(Settings(web_listen=place), None)
        assert found.listening is not None
        with found.listening:
            assert found.address.startswith("http://127.0.0.1:")
            assert place not in found.address
            assert found.instead_of == place
        free = chosen_page(Settings(web_listen="127.0.0.1:0"), None)
        assert free.listening is not None
        free.listening.close()
        assert free.instead_of == ""
        with pytest.raises(SettingsError, match=f"^--web-listen: can't listen on {place}"):
            chosen_page(Settings(), place)
        monkeypatch.setenv("PORTQUORUM_WEB_LISTEN", place)
        with pytest.raises(SettingsError, match=f"^PORTQUORUM_WEB_LISTEN: can't listen on {place}"):
            chosen_page(Settings(web_listen=place), None)


def test_without_its_extra_there_is_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "NEEDS", ("litestar", "no_such_module"))
    found = chosen_page(Settings(), None)
    assert (found.listening, found.address) == (None, "")
    assert "pip install 'portquorum[web]'" in found.why_not


def test_the_role_inherits_the_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        role = fleet.web_role(listening, {"A": "b"})
        assert role.argv[-3:] == ("web", "--fd", str(listening.fileno()))
        assert role.fds == (listening.fileno(),)
        assert (role.stage, role.env) == (Stage.READERS, {"A": "b"})
