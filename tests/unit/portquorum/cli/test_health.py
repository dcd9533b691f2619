"""`portquorum health` on terminals of several widths, and in a pipe."""

from typing import Final

import pytest

from portquorum.cli import health
from portquorum.health.facts import HealthFacts, KafkaFacts, LogFacts
from portquorum.health.verdict import HealthLine, HealthReport
from portquorum.presentation.output import out

LONG: Final = "a" * 63
TEXT: Final = (
    "1 prober, last beat 2 s ago, 100,000 targets, 1,000 failing; prober \x1b[31m has no network"
)
REPORT: Final = HealthReport(
    level="trouble",
    summary="stream: no stream runs\nor does it",
    at=1,
    took_ms=1,
    lines=(
        HealthLine("newest result", "ok", "167 ms old in ClickHouse"),
        HealthLine("region", "warning", TEXT, "us-east"),
        HealthLine("region", "trouble", "silent for 16 s", LONG),
    ),
    facts=HealthFacts(kafka=KafkaFacts(servers="k:1"), log=LogFacts(now=1)),
)


def shown(monkeypatch: pytest.MonkeyPatch, width: int, *, terminal: bool) -> list[str]:
    monkeypatch.setattr(out(), "width", width)
    monkeypatch.setattr(out(), "_force_terminal", terminal)
    with out().capture() as printed:
        health._show(REPORT)
    return printed.get().splitlines()


@pytest.mark.parametrize("width", [80, 200])
def test_on_a_terminal_each_line_fits_and_words_stay_whole(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    lines = shown(monkeypatch, width, terminal=True)
    assert all(len(line) <= width for line in lines)
    assert lines[0] == "TROUBLE: stream: no stream runs or does it"
    assert any(line.startswith("warning  region us-east") for line in lines)
    words = " ".join(" ".join(lines).split())
    assert "1 prober, last beat 2 s ago, 100,000 targets, 1,000 failing; prober" in words
    assert "\x1b" not in words


def test_in_a_pipe_there_is_one_line_a_part_however_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, 20, terminal=False)
    assert len(lines) == 4
    assert [line.split()[0] for line in lines] == ["TROUBLE:", "ok", "warning", "trouble"]
    assert f"region {LONG}  silent for 16 s" in lines[3]
