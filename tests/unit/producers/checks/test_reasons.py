"""Which reason an error of the system stands for, and how it is told."""

import errno

import pytest

from producers.checks.os_errors import DETAIL_LENGTH, clean, reason_of, shown


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ECONNREFUSED, "connection_refused"),
        (errno.ETIMEDOUT, "timed_out"),
        (errno.ENETUNREACH, "network_unreachable"),
        (errno.EHOSTUNREACH, "host_unreachable"),
        (errno.ECONNRESET, "connection_reset"),
        (errno.EADDRNOTAVAIL, "prober_error"),
        (errno.EMFILE, "prober_error"),
        (errno.ENOBUFS, "prober_error"),
        (errno.EPERM, "prober_error"),
        (errno.EACCES, "prober_error"),
    ],
)
def test_the_reason_of_an_error(number: int, reason: str) -> None:
    assert reason_of(number) == reason


def test_a_detail_has_no_control_characters() -> None:
    assert clean("a\x1b[31m\n\tb\x00") == "a [31m b"
    assert len(clean("x" * 5000)) == DETAIL_LENGTH


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"220 ready\r\n", "220 ready"),
        (b"AMQP\0\0\x09\x01", "0x414d515000000901"),
        (b"SSH-2.0-dropbear_2022.83\r\n\0\0\x01\xfc\x07\x14", "SSH-2.0-dropbear_2022.83 …"),
        (b"\x17\0\0\0\xff\x10\x04Too many connections", "0x17000000ff100454… with Too many con"),
        (bytes(200), "0x" + 39 * "00" + "…"),
    ],
)
def test_what_came_is_shown_as_words_where_it_has_some(data: bytes, text: str) -> None:
    assert shown(data).startswith(text)
    assert len(shown(data)) <= 81
