"""A process that was asked to end, whatever its main thread does."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

PROGRAM = """
import asyncio, sys, time
from foundation import watchdog

async def main():
    watchdog.start({limit})
    stop = asyncio.Event()
    watchdog.on_signals(lambda: (print("heard", flush=True), stop.set()))
    print("ready", flush=True)
    await asyncio.sleep(0.1)
    {body}
    await stop.wait()
    {after}
    print("ended", flush=True)

asyncio.run(main())
"""
FOREVER = {
    "a long Python computation": "sum(1 for _ in iter(int, 1))",
    "a call in C that holds the interpreter's lock": "import re; re.match('(a*)*b', 'a' * 100)",
    "a call in C that lets it go": "time.sleep(10_000)",
    "a thread that is waited for": "await asyncio.to_thread(time.sleep, 10_000)",
    "an event that never comes": "await asyncio.Event().wait()",
}


@contextlib.contextmanager
def running(
    body: str = "pass", after: str = "pass", limit: float = 1.0
) -> Iterator[subprocess.Popen[str]]:
    program = PROGRAM.format(body=body, after=after, limit=limit)
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PORTQUORUM_LOG_FORMAT": "json"},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)  # it is in its body now, or will be: nothing asserted depends on it
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("what", FOREVER)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_whatever_it_does(what: str, number: int) -> None:
    with running(FOREVER[what]) as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
    line = json.loads(said)
    assert line["level"] == "critical"
    assert "within 1 s of a signal" in line["event"]
    assert "line 11 in main" in line["still_open"] or "select" in line["still_open"]


def test_an_end_in_order_is_not_disturbed() -> None:
    with running(limit=60) as process:
        (watchdog,) = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGTERM)
        written, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, "")
        assert written == "heard\nended\n"
    watchdog.wait(30)


def test_many_signals_are_heard_each_and_start_one_countdown() -> None:
    with running(after="await asyncio.sleep(0.5)", limit=60) as process:
        for _ in range(5):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
        written, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert written.count("heard") > 1


def test_what_hangs_after_the_loop_is_ended_too() -> None:
    hang = "import threading; threading.Thread(target=time.sleep, args=(10_000,)).start()"
    with running(after=hang) as process:
        process.send_signal(signal.SIGTERM)
        written, said = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert "ended" in written
        assert "threading.py" in said


def test_what_ends_by_a_fault_and_hangs_is_ended_too() -> None:
    """No signal came: the role's end starts the countdown."""
    hang = "import threading; threading.Thread(target=time.sleep, args=(10_000,)).start()"
    with running(f"{hang}; stop.set()", "watchdog.count_down()") as process:
        written, _ = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert "ended" in written


def test_a_role_may_leave_its_threads() -> None:
    hang = "import threading; threading.Thread(target=time.sleep, args=(10_000,)).start()"
    with running(f"{hang}; stop.set()", "print('x'); watchdog.leave(3)", 60) as process:
        assert process.stdout is not None
        # Not `communicate`: what `readline` has read ahead would be lost.
        assert process.stdout.read() == "x\n"
        assert process.wait(60) == 3


def test_the_watchdog_outlives_signals_of_the_group_and_not_its_process() -> None:
    with running(FOREVER["a call in C that lets it go"], limit=600) as process:
        (watchdog,) = psutil.Process(process.pid).children()
        assert "watchdog_process.py" in " ".join(watchdog.cmdline())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            watchdog.send_signal(number)
        time.sleep(0.1)
        assert watchdog.is_running()
        process.kill()
        process.wait(30)
        watchdog.wait(30)


def test_without_a_signal_nothing_ends() -> None:
    with running(FOREVER["an event that never comes"], limit=0.1) as process:
        time.sleep(0.5)
        assert process.poll() is None


def test_a_process_that_stands_still_meanwhile_is_ended() -> None:
    """SIGSTOP after the signal has come."""
    with running(FOREVER["an event that never comes"]) as process:
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.readline() == "heard\n"
        process.send_signal(signal.SIGSTOP)
        assert process.wait(60) == -signal.SIGKILL


def test_children_have_no_signal_blocked_or_ignored() -> None:
    """Nor the watchdog's pipes."""
    child = (
        "import subprocess; print(subprocess.run(['sh', '-c', "
        "'grep -E ^Sig.*: /proc/self/status; ls -l /proc/self/fd'], "
        "capture_output=True, text=True).stdout, flush=True)"
    )
    with running(child, limit=60) as process:
        process.send_signal(signal.SIGTERM)
        written, _ = process.communicate(timeout=60)
    fields = dict(
        line.split(":\t") for line in written.splitlines() if line.startswith(("SigBlk", "SigIgn"))
    )
    ours = 1 << (signal.SIGTERM - 1) | 1 << (signal.SIGINT - 1)
    assert all(int(mask, 16) & ours == 0 for mask in fields.values())
    assert len(fields) == 2
    own = [line for line in written.splitlines() if "pipe:" in line and " 1 ->" not in line]
    assert len(own) <= 1, own  # its standard error


def test_a_process_that_cant_have_one_goes_on(tmp_path: Path) -> None:
    body = "stop.set()"
    program = PROGRAM.format(body=body, after="pass", limit=1.0)
    program = f"import sys; sys.executable = {str(tmp_path / 'none')!r}\n{program}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "ready\nended\n"
