import socket

import pytest

from portquorum.embedded.service.addresses import ListenAddress, parse, reserve
from portquorum.embedded.service.errors import EmbeddedServiceError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9092", ListenAddress("127.0.0.1", 9092)),
        (":0", ListenAddress("127.0.0.1", 0)),
        ("[::1]:8123", ListenAddress("::1", 8123)),
        ("localhost:1", ListenAddress("localhost", 1)),
    ],
)
def test_an_address_is_host_and_port(text: str, expected: ListenAddress) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize("text", ["", "9092", "host:", "host:x", "host:65536", "host:-1"])
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(EmbeddedServiceError, match=r"127\.0\.0\.1:9092"):
        parse(text)


def test_port_0_becomes_a_free_one() -> None:
    address = reserve(ListenAddress("127.0.0.1", 0))
    with socket.create_server(address):
        pass


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(EmbeddedServiceError, match=rf"127\.0\.0\.1:{port} is taken"):
            reserve(ListenAddress("127.0.0.1", port))


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(EmbeddedServiceError, match=r"192\.0\.2\.1:9092 can't be listened on"):
        reserve(ListenAddress("192.0.2.1", 9092))


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert str(ListenAddress("::1", 9092)) == "[::1]:9092"
