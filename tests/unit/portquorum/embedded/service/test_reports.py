import subprocess
from pathlib import Path

import msgspec
import pytest

from portquorum.embedded.clickhouse import http_status
from portquorum.embedded.clickhouse.main import how_to_connect
from portquorum.embedded.kafka.broker import cause_of_death
from portquorum.embedded.service import announcement
from portquorum.embedded.service.reports import (
    Progress,
    Ready,
    Report,
    ServiceFailed,
    decode,
    encode,
)


@pytest.mark.parametrize(
    "report", [Progress("fetching", 1, 2), Ready("127.0.0.1:9092"), ServiceFailed("line\nline")]
)
def test_a_report_is_one_line(report: Report) -> None:
    line = encode(report)
    assert line.count(b"\n") == 1
    assert decode(line) == report


def test_what_a_library_prints_is_no_report() -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode(b"WARNING: something\n")


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("", "it said nothing"),
        ("INFO a\nERROR Exiting\njava.io.IOException: Map failed\n\tat x.y", "java.io.IOException"),
        ("x\nException in thread main\nCaused by: java.net.BindException: in use\n at", "java.net"),
        ("Error occurred during initialization of VM\nToo small", "Too small"),
        ("2026 ERROR [Broker] Fatal error (kafka)\n2026 INFO shut down", "Fatal error"),
    ],
)
def test_the_cause_of_death_is_the_line_that_says_most(log: str, expected: str) -> None:
    assert expected in cause_of_death(log)


def test_statuses_are_clickhouses_own() -> None:
    codes = {60: 404, 62: 400, 159: 408, 164: 500, 241: 500, 516: 403, 48: 501}
    assert {code: http_status.of(code) for code in codes} == codes


def test_a_person_is_told_how_to_read_and_where_the_password_is(tmp_path: Path) -> None:
    url = "http://portquorum:s%2Fe'c-ret@127.0.0.1:8123/portquorum"
    folder = tmp_path / "with a space"
    folder.mkdir()
    lines = how_to_connect(url, folder)
    assert not any("ret" in line for line in lines)
    curl = next(line for line in lines if "curl" in line)
    assert "http://127.0.0.1:8123/" in curl
    assert str(folder / "services.json") in "".join(lines)

    announcement.announce(folder, "clickhouse", url)
    announcement.announce(folder, "kafka", "127.0.0.1:9092")
    program = f"{lines[-1]}; printenv PORTQUORUM_CLICKHOUSE"
    done = subprocess.run(["sh", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == f"{url}\n"
