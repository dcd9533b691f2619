"""A job under `portquorum beat` runs as it does without: output, signals, exit code, time."""

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest

from tests.unit.portquorum.beat.takers import Taker, taker

TOKEN = "0d4a1c6e-8a55-4d0e-9b1f-0f7a5d3c2b11"  # noqa: S105 - of nobody
BEAT = (sys.executable, "-m", "portquorum.cli", "beat")


@pytest.fixture
def told() -> Iterator[Taker]:
    with taker() as found:
        yield found


def begun(url: str, *command: str, **options: Any) -> "subprocess.Popen[bytes]":
    env = os.environ | {"PORTQUORUM_BEAT_URL": url}
    chosen: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    words = [*BEAT, TOKEN, "--", *command]
    process: subprocess.Popen[bytes] = subprocess.Popen(words, env=env, **chosen)
    return process


def ran(url: str, *words: str) -> tuple[int, bytes, bytes]:
    env = os.environ | {"PORTQUORUM_BEAT_URL": url}
    found = subprocess.run(words, check=False, capture_output=True, env=env, timeout=60)
    return found.returncode, found.stdout, found.stderr


def done(url: str, *command: str, **options: Any) -> tuple[int, bytes, bytes]:
    process = begun(url, *command, **options)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_output_and_exit_code_are_those_of_the_command(told: Taker) -> None:
    said = "read word; echo one; echo two >&2; printf 'three\\0\\377'; exit 3"
    process = begun(told.url, "sh", "-c", said, stdin=subprocess.PIPE)
    told.wait_for(1)
    assert process.communicate(b"go\n", timeout=60) == (b"one\nthree\0\xff", b"two\n")
    assert process.returncode == 3
    assert told.paths() == [f"/ping/{TOKEN}/start", f"/ping/{TOKEN}/3"]
    begin, end = (parse_qs(urlsplit(path).query) for path, _ in told.seen)
    assert begin["rid"] == end["rid"]
    assert float(end["ms"][0]) > 0
    assert sorted(told.seen[1][1]) == sorted(b"one\ntwo\nthree\0\xff")


def test_a_job_waits_for_few_imports(told: Taker) -> None:
    program = [sys.executable, "-X", "importtime", *BEAT[1:]]
    _, _, err = ran(told.url, *program, TOKEN, "--", "true")
    lines = [line for line in err.decode().splitlines() if "|" in line]
    loaded = [line.rpartition("|")[2].strip() for line in lines]
    # Until the job has begun: what comes after that is imported beside it.
    before = set(loaded[: loaded.index("portquorum.beat.job")])
    assert not before & {"asyncio", "http.client", "msgspec", "ssl", "typer", "urllib.request"}
    assert len(before) < 200


def test_input_passes_through(told: Taker) -> None:
    process = begun(told.url, "cat", stdin=subprocess.PIPE)
    assert process.communicate(b"words", timeout=60) == (b"words", b"")


def test_output_comes_in_time(told: Taker) -> None:
    process = begun(told.url, "sh", "-c", "echo now; read word; echo $word", stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"now\n"
    process.stdin.write(b"then\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"then\n"
    process.communicate(timeout=60)


def test_of_much_output_the_end_is_reported(told: Taker) -> None:
    code, out, _ = done(told.url, "sh", "-c", "seq 1 200000")
    assert (code, len(out)) == (0, 1_288_895)
    assert told.seen[-1][1] == out[-16_000:]


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]
)
def test_signals_reach_the_command(told: Taker, number: signal.Signals) -> None:
    trap = f"trap 'echo got; exit 7' {number.value}; echo ready; while :; do sleep 0.02; done"
    process = begun(told.url, "sh", "-c", trap)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (7, b"got\n")
    assert told.paths()[-1].endswith("/7")


def test_a_command_that_a_signal_ends(told: Taker) -> None:
    assert done(told.url, "sh", "-c", "kill -KILL $$")[0] == 128 + 9
    assert told.paths()[-1].endswith("/137")


def test_a_signal_that_was_ignored_stays_so(told: Taker) -> None:
    quiet = f"trap '' HUP; exec {' '.join(BEAT)} {TOKEN} -- sh -c 'kill -HUP $$; echo on'"
    assert ran(told.url, "sh", "-c", quiet)[:2] == (0, b"on\n")


def test_what_can_not_be_run_is_a_failure(told: Taker) -> None:
    code, _, err = done(told.url, "/nowhere/at-all")
    assert (code, b"No such file" in err) == (127, True)
    assert done(told.url, "/etc/passwd")[0] == 126
    assert [path[-4:] for path in told.paths()] == ["/127", "/126"]


def test_without_a_receiver_the_job_runs_the_same() -> None:
    process = begun("http://127.0.0.1:9", "sh", "-c", "echo done; exit 5")
    assert process.stdout is not None
    assert process.stdout.readline() == b"done\n"
    watched = psutil.Process(process.pid)
    while watched.children():
        psutil.wait_procs(watched.children(), timeout=60)
    # The end is tried again for a minute, unless somebody has no time for that.
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 5
    assert err.count(b"\n") == 1, err
    assert b"not reported" in err
    assert TOKEN.encode() not in err


def test_the_end_is_sent_again_until_it_is_taken(told: Taker) -> None:
    told.statuses = [503, 200]
    assert done(told.url, "true")[::2] == (0, b"")
    assert told.paths()[-1].endswith("/0")


def test_what_is_refused_is_said_once(told: Taker) -> None:
    told.statuses = [404]
    code, _, err = done(told.url, "true")
    said = b"portquorum beat: the end of the job is not reported: the receiver answered 404\n"
    assert (code, err) == (0, said)


def test_what_the_command_left_behind_can_still_write(told: Taker) -> None:
    left = "(sleep 1; echo late) & echo early"
    process = begun(told.url, "sh", "-c", left)
    assert process.stdout is not None
    assert process.stdout.readline() == b"early\n"
    assert process.wait(60) == 0
    assert process.stdout.read() == b"late\n"
    process.communicate()


def test_who_reads_no_more_is_noticed_by_the_command(told: Taker) -> None:
    process = begun(told.url, "sh", "-c", "yes; echo $? >&2")
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr is not None
    assert b"141" in process.stderr.read() + told.seen[-1][1]
    process.stderr.close()


def test_a_terminal_stays_one(told: Taker) -> None:
    ours, theirs = pty.openpty()
    test = "test -t 1 && test -t 2 && stty -a <&2 | grep -q -e -opost && printf yes"
    process = begun(told.url, "sh", "-c", test, stdout=theirs, stderr=theirs, stdin=theirs)
    os.close(theirs)
    said = b""
    while b"yes" not in said:
        assert select.select([ours], [], [], 60)[0]
        said += os.read(ours, 1000)
    assert process.wait(60) == 0
    os.close(ours)


def test_single_reports(told: Taker) -> None:
    for words in (["--start"], [], ["--fail"], ["--log", "some words"]):
        assert ran(f"{told.url}/", *BEAT, "key/job", *words) == (0, b"", b"")
    assert told.paths() == [f"/ping/key/job{end}" for end in ("/start", "", "/fail", "/log")]
    assert told.seen[-1][1] == b"some words"
    told.statuses = [404]
    code, _, err = ran(told.url, *BEAT, "key/job")
    assert (code, err.count(b"\n")) == (1, 1)
