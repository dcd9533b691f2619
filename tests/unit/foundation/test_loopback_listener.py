import os
import socket
from collections.abc import Iterator

import pytest

from foundation.loopback_listener import inherited_listener, loopback_listener, place_of
from foundation.settings import SettingsError


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one


@pytest.mark.parametrize("written", ["127.0.0.1:0", "localhost:0", "[::1]:0", "127.0.0.2:0"])
def test_this_machine_alone(written: str) -> None:
    with loopback_listener(written, "X") as found:
        assert place_of(found).rpartition(":")[2] != "0"


@pytest.mark.parametrize(
    "written", ["0.0.0.0:9480", "[::]:9480", "10.0.0.5:1", "monitor.example.com:80", "*:9480"]
)
def test_another_address_is_refused_with_the_way_out(written: str) -> None:
    with pytest.raises(SettingsError, match=r"^X: expected an address of this machine alone") as no:
        loopback_listener(written, "X")
    assert repr(written) in str(no.value)
    assert "PORTQUORUM_WEB_TLS_CERTIFICATE" in str(no.value)
    assert f"ssh -L {written.rpartition(':')[2]}:127.0.0.1:" in str(no.value)


def test_other_machines_may_reach_it_if_the_caller_says_so() -> None:
    with loopback_listener("0.0.0.0:0", "X", elsewhere=True) as found:
        assert found.getsockname()[0] == "0.0.0.0"
        with inherited_listener(os.dup(found.fileno()), "--fd", elsewhere=True) as again:
            assert again.getsockname() == found.getsockname()


@pytest.mark.parametrize("written", ["", "9480", ":9480", "127.0.0.1", "127.0.0.1:x", "::1:99999"])
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(SettingsError, match=r"^X: expected"):
        loopback_listener(written, "X")


def test_a_port_that_is_taken_is_said_or_replaced(taken: socket.socket) -> None:
    with pytest.raises(SettingsError, match=f"^X: can't listen on {place_of(taken)}") as no:
        loopback_listener(place_of(taken), "X")
    assert "another program listens there; end it, or choose another port" in str(no.value)
    with loopback_listener(place_of(taken), "X", or_any_port=True) as other:
        assert other.getsockname()[1] != taken.getsockname()[1]


def test_a_socket_is_inherited(taken: socket.socket) -> None:
    with inherited_listener(os.dup(taken.fileno()), "--fd") as found:
        assert found.getsockname() == taken.getsockname()


def test_what_is_no_listening_socket_of_this_machine_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^--fd: expected the descriptor"):
        inherited_listener(9999, "--fd")
    read, write = os.pipe()
    with pytest.raises(SettingsError, match=r"^--fd: expected the descriptor"):
        inherited_listener(read, "--fd")
    os.close(read)
    os.close(write)
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))
        with pytest.raises(SettingsError, match="expected a listening TCP socket"):
            inherited_listener(os.dup(idle.fileno()), "--fd")
    with (
        socket.create_server(("0.0.0.0", 0)) as everywhere,
        pytest.raises(SettingsError, match="of this machine alone"),
    ):
        inherited_listener(os.dup(everywhere.fileno()), "--fd")
