import io
import threading
import time
from typing import Any

import msgspec
import pytest
from rich.console import Console

from portquorum.supervisor import Role, Stage
from portquorum.supervisor.screen import JsonListener, PrettyListener, Screen

ROLE = Role(name="probe local", argv=(), stage=Stage.PROBERS)
OTHER = Role(name="stream", argv=(), stage=Stage.STREAM)


def record(**fields: Any) -> str:
    given = {"event": "hello", "level": "info", "logger": "producers.prober.main", "role": "probe"}
    return msgspec.json.encode(given | {"timestamp": "2026-01-02T03:04:05Z"} | fields).decode()


def pretty(*lines: tuple[Role, str], verbose: bool = False) -> str:
    out = io.StringIO()
    screen = Screen(Console(file=out, width=100), lambda: None)
    listener = PrettyListener(screen, verbose=verbose)
    for role, text in lines:
        listener.line(role, text)
    screen.close()
    return out.getvalue()


def test_only_warnings_and_what_follows_them_are_shown() -> None:
    shown = pretty(
        (ROLE, record(event="quiet")),
        (ROLE, record(event="broken", level="error", host="db1")),
        (ROLE, record(event="works again")),
        (OTHER, record(event="still quiet")),
    )
    assert [line.split("  ")[-1].strip() for line in shown.splitlines()] == [
        "host=db1",
        "works again",
    ]
    assert "quiet" not in shown
    assert "quiet" in pretty((ROLE, record(event="quiet")), verbose=True)


def test_the_same_again_is_counted_instead_of_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    out = io.StringIO()
    listener = PrettyListener(Screen(Console(file=out, width=100), lambda: None))
    for second in range(11):
        clock[0] = float(second)
        listener.line(ROLE, record(event="broken", level="warning"))
    listener.line(ROLE, record(event="Port down", level="warning", body="one"))
    listener.line(ROLE, record(event="Port down", level="warning", body="two"))
    listener._screen.close()
    shown = out.getvalue()
    assert shown.count("broken") == 2
    assert "(9 more of these)" in shown
    assert shown.count("Port down") == 2


def test_the_noise_of_libraries_is_left_out() -> None:
    line = (ROLE, record(event="Marking the coordinator dead", level="error", logger="aiokafka.x"))
    assert pretty(line) == ""
    assert "coordinator" in pretty(line, verbose=True)


def test_what_is_no_record_is_shown_as_it_is() -> None:
    shown = pretty((ROLE, "Traceback (most recent call last):"), (ROLE, '{"no": "event"}'))
    assert "Traceback (most recent call last):" in shown
    assert '{"no": "event"}' in shown
    assert "probe local" in shown


def test_markup_in_a_line_is_no_markup() -> None:
    assert "[bold]x[/]" in pretty((ROLE, "[bold]x[/]"))


def test_a_message_to_people_keeps_its_lines() -> None:
    shown = pretty((ROLE, record(event="Port down", level="warning", body="one\ntwo")))
    assert [line.split()[-1] for line in shown.splitlines()] == ["down", "one", "two"]


def test_a_death_says_what_happens_next() -> None:
    out = io.StringIO()
    screen = Screen(Console(file=out, width=100), lambda: None)
    PrettyListener(screen).died(ROLE, "killed by SIGKILL", 1.25, 0.5)
    screen.close()
    assert "ended after 1.2 s (killed by SIGKILL); starts again in 0.5 s" in out.getvalue()


def test_json_lines_have_the_full_name_of_the_role() -> None:
    lines: list[str] = []
    listener = JsonListener(lines.append)
    listener.line(ROLE, record(count=3))
    listener.line(ROLE, "no record")
    listener.died(ROLE, "exit code 1", 1.0, 0.5)
    first, second, third = (msgspec.json.decode(line) for line in lines)
    assert (first["role"], first["event"], first["count"]) == ("probe local", "hello", 3)
    assert (second["role"], second["event"], second["level"]) == (
        "probe local",
        "no record",
        "info",
    )
    assert (third["level"], third["how"], third["restart_in_s"]) == ("error", "exit code 1", 0.5)


class Closed(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_went_away_is_told_once_and_blocks_nothing() -> None:
    closed = threading.Event()
    screen = Screen(Console(file=Closed()), closed.set)
    for _ in range(20_000):
        screen.show("line")
    assert closed.wait(30)
    screen.close()


def test_a_line_nested_too_deeply_is_shown_as_it_is() -> None:
    deep = '{"event":"x","level":"error","more":' + "[" * 100_000
    assert '{"event":"x"' in pretty((ROLE, deep))
