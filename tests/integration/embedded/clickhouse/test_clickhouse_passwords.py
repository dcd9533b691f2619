"""Who is let in: by the settings, and from where."""

import socket
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import clickhouse_connect
import psutil
import pytest

from foundation.clickhouse import connection_options
from foundation.settings import Settings
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from tests.integration.embedded.clickhouse.http_calls import Server

PASSWORD = "p@ss:w/rd é"  # noqa: S105


def test_passwords_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTQUORUM_OWNER_PASSWORD", PASSWORD)
    monkeypatch.setenv("PORTQUORUM_READER_PASSWORD", "reads")
    with EmbeddedClickHouse(tmp_path, "127.0.0.1:0") as service:
        reader = Server(service.url, owner=False)
        assert reader.post("SELECT 1").code == "516"
        assert reader.post("SELECT 1", password="wrong").code == "516"  # noqa: S106
        assert reader.value("SELECT 1", password="reads") == "1"  # noqa: S106
        assert reader.post("SELECT 1", user="portquorum", password="reads").code == "516"  # noqa: S106
        assert reader.value("SELECT 1", user="portquorum", password=PASSWORD) == "1"
        # The URL that is announced is one that clients understand.
        options = connection_options(Settings(clickhouse=service.url))
        assert options["password"] == PASSWORD
        with clickhouse_connect.get_client(**options) as client:
            assert client.command("SELECT getSetting('readonly')") == 0
    assert not (tmp_path / "clickhouse" / "password").exists()


def test_a_driver_that_sends_null_for_no_password_learns_what_to_do(clickhouse: str) -> None:
    # clickhouse-jdbc 0.9.5.
    answer = Server(clickhouse, owner=False).post("SELECT 1", password="null")  # noqa: S106
    assert answer.code == "516"
    assert b"'default' reads only, with an empty password" in answer.body


def elsewhere() -> str:
    """An address of this machine that is not its loopback."""
    found = [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET and not address.address.startswith("127.")
    ]
    if not found:
        pytest.skip("this machine has loopback alone")
    return found[0]


def test_readers_of_other_machines_need_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = elsewhere()

    def from_there(url: str, *, owner: bool) -> Server:
        parts = urlsplit(url)
        who = f"{parts.username}:{parts.password}@{host}:{parts.port}"
        return Server(urlunsplit(parts._replace(netloc=who)), owner=owner)

    with EmbeddedClickHouse(tmp_path, "0.0.0.0:0") as service:
        assert Server(service.url, owner=False).value("SELECT 1") == "1"
        assert from_there(service.url, owner=False).post("SELECT 1").code == "516"
        assert from_there(service.url, owner=True).value("SELECT 1") == "1"
    monkeypatch.setenv("PORTQUORUM_READER_PASSWORD", "reads")
    with EmbeddedClickHouse(tmp_path, "0.0.0.0:0") as service:
        reader = from_there(service.url, owner=False)
        assert reader.post("SELECT 1").code == "516"
        assert reader.value("SELECT 1", password="reads") == "1"  # noqa: S106


def test_nobody_else_hears_of_it_by_default(clickhouse: str) -> None:
    port = urlsplit(clickhouse).port
    assert port is not None
    with pytest.raises(ConnectionRefusedError), socket.create_connection((elsewhere(), port)):
        pass
