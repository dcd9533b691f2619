"""The answers of time servers: whose they are, and how far their clock is from ours."""

import struct
import time
from typing import Any

import pytest

from producers.checks.errors import CheckFailedError
from producers.kinds.ntp_packet import Answer, Question

FROM_1900_S = 2_208_988_800


def answer(
    question: bytes,
    *,
    ahead_s: float = 0.0,
    took_s: float = 0.0,
    stratum: int = 2,
    first: int = 0x24,
    now_s: float | None = None,
    code: bytes = bytes(4),
) -> bytes:
    """A server's answer whose clock is so much ahead of ours, and that thought for so long."""
    received_s = (time.time() if now_s is None else now_s) + FROM_1900_S + ahead_s
    stamps = [int(each * 2**32) % 2**64 for each in (received_s, received_s + took_s)]
    return (
        bytes([first, stratum])
        + bytes(10)
        + code
        + bytes(8)
        + question[40:48]
        + struct.pack(">QQ", *stamps)
    )


@pytest.mark.parametrize("ahead_s", [0.0, 0.25, -0.25, 3_600.0, -86_400.0 * 366])
def test_the_offset_is_that_of_the_servers_clock(ahead_s: float) -> None:
    question = Question()
    packet = question.packet()
    found = question.read(answer(packet, ahead_s=ahead_s))
    assert found is not None
    assert abs(found.offset_ms - ahead_s * 1000) <= found.delay_ms / 2 + 0.1
    assert found.least_offset_ms <= abs(ahead_s) * 1000 + 0.1


def test_timestamps_begin_anew_in_2036(monkeypatch: pytest.MonkeyPatch) -> None:
    before_s = 2**32 - FROM_1900_S - 1.0
    monkeypatch.setattr(time, "time", lambda: before_s)
    question = Question()
    found = question.read(answer(question.packet(), ahead_s=2.0, now_s=before_s))
    assert found is not None
    assert found.offset_ms == pytest.approx(2_000, abs=5)


def test_the_longer_way_may_be_either() -> None:
    assert Answer(2, offset_ms=300.0, delay_ms=400.0).least_offset_ms == 100.0
    assert Answer(2, offset_ms=-300.0, delay_ms=400.0).least_offset_ms == 100.0
    assert Answer(2, offset_ms=100.0, delay_ms=400.0).least_offset_ms == 0.0


def test_each_packet_has_a_mark_of_its_own() -> None:
    question = Question()
    first, second = question.packet(), question.packet()
    assert first != second
    assert len(first) == 48
    assert question.read(answer(second)) is not None
    assert question.read(answer(first)) is not None
    assert question.read(answer(Question().packet())) is None


@pytest.mark.parametrize(
    ("said", "reason", "words"),
    [
        ({"stratum": 0, "code": b"RATE"}, "unexpected_response", "the server declines: RATE"),
        ({"stratum": 0, "code": b"INIT"}, "unexpected_response", "clock is not set"),
        ({"stratum": 0}, "unexpected_response", "clock is not set"),
        ({"first": 0xE4}, "unexpected_response", "clock is not set"),
        ({"first": 0x23}, "protocol_mismatch", "expected an NTP answer"),
    ],
)
def test_a_server_that_tells_no_time(said: dict[str, Any], reason: str, words: str) -> None:
    question = Question()
    with pytest.raises(CheckFailedError, match=words) as failed:
        question.read(answer(question.packet(), **said))
    assert failed.value.reason == reason
