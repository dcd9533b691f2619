"""Real child processes, small ones."""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time

import pytest
from msgspec.structs import replace

from foundation.backoff import Backoff
from portquorum.supervisor import Role, Stage, Supervisor
from tests.standstill import Standstill
from tests.unit.portquorum.supervisor.children import Heard, alive, script, until

QUICK = Backoff(first_s=0.05, longest_s=0.2, well_after_s=30)

RUNS_ON = """
    import signal, sys, time
    def end(*_):
        print("ending", flush=True)
        sys.exit(0)
    signal.signal(signal.SIGTERM, end)
    print("ready", flush=True)
    while True:
        time.sleep(0.05)
"""
DEAF = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ready", flush=True)
    while True:
        time.sleep(0.05)
"""


def lines_of(heard: Heard, name: str) -> list[str]:
    return [text for role, text in heard.of("line") if role == name]


async def test_a_dead_role_is_started_again_and_the_wait_grows(heard: Heard) -> None:
    supervisor = Supervisor(heard, backoff=QUICK)
    await supervisor.start(script("bad", "print('hello'); raise SystemExit(3)"))
    assert await supervisor.first_end("bad") == "exit code 3"
    await until(lambda: len(heard.of("died")) >= 3, "three deaths")
    await supervisor.stop()
    assert heard.of("died")[:3] == [
        ("bad", "exit code 3", 0.05),
        ("bad", "exit code 3", 0.1),
        ("bad", "exit code 3", 0.2),
    ]
    assert lines_of(heard, "bad")[:2] == ["hello", "hello"]


async def test_a_killed_role_is_reported_by_its_signal(heard: Heard) -> None:
    supervisor = Supervisor(heard, backoff=QUICK)
    await supervisor.start(script("role", RUNS_ON))
    await until(lambda: lines_of(heard, "role"), "the role to run")
    first = supervisor.pid("role")
    os.kill(first, signal.SIGKILL)
    await until(lambda: len(lines_of(heard, "role")) == 2, "the restarted role to run")
    assert heard.of("died") == [("role", "killed by SIGKILL", 0.05)]
    assert supervisor.pid("role") != first
    await supervisor.stop()
    assert heard.of("stopped") == [("role", "exit code 0")]


async def test_roles_stop_stage_by_stage(heard: Heard) -> None:
    supervisor = Supervisor(heard, backoff=QUICK)
    for stage in reversed(Stage):
        await supervisor.start(script(stage.name, RUNS_ON, stage))
    await supervisor.start(script("PROBERS 2", RUNS_ON, Stage.PROBERS))
    await until(lambda: len(heard.of("line")) == 5, "all roles to run")
    await supervisor.stop()
    order = [name for name, _ in heard.of("stopped")]
    assert set(order[:2]) == {"PROBERS", "PROBERS 2"}
    assert order[2:] == ["STREAM", "READERS", "SERVICES"]
    # None was asked to end before the last of the stage before had ended.
    events = heard.events
    for earlier, later in itertools.pairwise(order[1:]):
        ended = events.index(("stopped", earlier, "exit code 0"))
        assert events.index(("line", later, "ending")) > ended
    assert heard.of("killed") == []
    assert supervisor.roles == ()


async def test_a_role_that_does_not_end_is_killed_and_delays_nobody_for_long(heard: Heard) -> None:
    supervisor = Supervisor(heard, backoff=QUICK, stop_budget_s=6)
    await supervisor.start(script("deaf", DEAF, Stage.PROBERS))
    await supervisor.start(script("good", RUNS_ON, Stage.SERVICES))
    await until(lambda: len(heard.of("line")) == 2, "both roles to run")
    pids = [supervisor.pid("deaf"), supervisor.pid("good")]
    with Standstill() as standstill:
        began = time.monotonic()
        await supervisor.stop()
        assert time.monotonic() - began < 10 + standstill.lost_s
    assert heard.of("killed") == [("deaf",)]
    assert dict(heard.of("stopped")) == {"deaf": "killed by SIGKILL", "good": "exit code 0"}
    assert not any(map(alive, pids))


async def test_kill_ends_all_at_once(heard: Heard) -> None:
    supervisor = Supervisor(heard, backoff=QUICK, stop_budget_s=600)
    await supervisor.start(script("deaf", DEAF, Stage.PROBERS))
    await supervisor.start(script("good", RUNS_ON, Stage.SERVICES))
    await until(lambda: len(heard.of("line")) == 2, "both roles to run")
    stopping = asyncio.create_task(supervisor.stop())
    await asyncio.sleep(0)  # it has asked the prober to end and waits for it
    supervisor.kill()
    await asyncio.wait_for(stopping, 60)
    assert dict(heard.of("stopped"))["deaf"] == "killed by SIGKILL"


async def test_a_role_that_waits_for_its_restart_is_not_started_by_a_stop(heard: Heard) -> None:
    supervisor = Supervisor(heard, backoff=Backoff(first_s=60, longest_s=60))
    await supervisor.start(script("bad", "raise SystemExit(1)"))
    await until(lambda: heard.of("died"), "its death")
    await asyncio.wait_for(supervisor.stop(), 10)
    assert len(heard.of("started")) == 1
    assert heard.of("stopped") == [("bad", "exit code 1")]


async def test_one_role_can_be_stopped_and_started_anew(heard: Heard) -> None:
    supervisor = Supervisor(heard, backoff=QUICK)
    await supervisor.start(script("a", RUNS_ON))
    await supervisor.start(script("b", RUNS_ON))
    await until(lambda: len(heard.of("line")) == 2, "both roles to run")
    await supervisor.stop_roles(["a", "unknown"])
    assert [role.name for role in supervisor.roles] == ["b"]
    await supervisor.start(script("a", RUNS_ON))
    with pytest.raises(ValueError, match="'b' is already running"):
        await supervisor.start(script("b", RUNS_ON))
    await supervisor.stop()


async def test_a_program_that_does_not_exist_is_the_callers_error(heard: Heard) -> None:
    supervisor = Supervisor(heard)
    with pytest.raises(FileNotFoundError):
        await supervisor.start(Role(name="x", argv=("/no/such/program",), stage=Stage.STREAM))
    assert supervisor.roles == ()


async def test_output_of_any_kind_arrives(heard: Heard) -> None:
    supervisor = Supervisor(heard, backoff=Backoff(first_s=60, longest_s=60))
    await supervisor.start(
        script(
            "noisy",
            r"""
            import sys
            sys.stdout.buffer.write(b"x" * 300_000 + b"\n\xff\xfe\n")
            sys.stdout.flush()
            sys.stderr.write("to stderr, without an end")
            """,
        )
    )
    await until(lambda: heard.of("died"), "its end")
    lines = lines_of(heard, "noisy")
    assert "".join(lines).count("x") == 300_000
    assert lines[-2:] == ["��", "to stderr, without an end"]
    await supervisor.stop()


CHILD = """
    import time
    from portquorum.supervisor import follow_supervisor
    follow_supervisor()
    print("ready", flush=True)
    while True:
        time.sleep(0.05)
"""
PARENT = f"""
import asyncio, sys, textwrap
from portquorum.supervisor import Role, Stage, Supervisor

CHILD = {CHILD!r}

class Quiet:
    def line(self, role, text): print(text, supervisor.pid(role.name), flush=True)
    def started(self, role, pid): pass
    def died(self, *_): pass
    def stopped(self, *_): pass
    def killed(self, *_): pass

async def main():
    global supervisor
    supervisor = Supervisor(Quiet())
    for number in range(3):
        await supervisor.start(Role(
            name=str(number), stage=Stage.STREAM,
            argv=(sys.executable, "-c", textwrap.dedent(CHILD)),
        ))
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_kill_9_of_the_supervisor_leaves_no_child() -> None:
    with subprocess.Popen(  # noqa: ASYNC220 (killed below, by its pid)
        [sys.executable, "-c", textwrap.dedent(PARENT)], stdout=subprocess.PIPE, text=True
    ) as parent:
        pids = []
        for _ in range(3):
            line = await asyncio.to_thread(parent.stdout.readline)
            pids.append(int(line.split()[1]))
        assert all(map(alive, pids))
        parent.kill()
        await until(lambda: not any(map(alive, pids)), "the children to end with their parent")


async def test_a_socket_outlives_the_role_that_answers_on_it(heard: Heard) -> None:
    answers_once = """
        import socket, sys
        one, _ = socket.socket(fileno=int(sys.argv[1])).accept()
        one.sendall(b"here")
        one.close()
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        role = script("page", answers_once)
        descriptor = listening.fileno()
        supervisor = Supervisor(heard, backoff=QUICK)
        await supervisor.start(replace(role, argv=(*role.argv, str(descriptor)), fds=(descriptor,)))
        # The second one waits until the role runs again.
        for _ in range(2):
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            assert await reader.read() == b"here"
            writer.close()
        await supervisor.stop()
