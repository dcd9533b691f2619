"""Which reason an error of the system stands for, and how it is told."""

import errno

import pytest

from producers.checks.os_errors import DETAIL_LENGTH, clean, reason_of


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
