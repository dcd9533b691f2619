"""What every engine keeps: each outcome of a TCP check, against real sockets on loopback."""

import asyncio
import contextlib
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.checks.resolver import Address, Lookup, Resolver
from producers.engine.asyncio_engine import AsyncioEngine
from producers.engine.epoll_engine import EpollEngine
from producers.engine.factory import platform_engine
from producers.engine.routing_engine import RoutingEngine
from producers.engine.single_check import check_once
from producers.engine.tcp_attempt import WaitingEngine
from schemas.target import Target


@contextlib.contextmanager
def listener(address: str = "127.0.0.1") -> Iterator[int]:
    with socket.create_server((address, 0), backlog=512) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def silent_listener(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port whose SYNs nobody answers: its accept queue is full."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(
            socket.create_server((address, port), family=family, backlog=0)
        )
        place = server.getsockname()
        for _ in range(4):
            client = stack.enter_context(socket.socket(family))
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(place)
        yield place[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


ENGINES: tuple[type[WaitingEngine], ...] = (
    (AsyncioEngine, EpollEngine) if hasattr(select, "epoll") else (AsyncioEngine,)
)
HERE = Vantage(internal=True)


@pytest.fixture(params=ENGINES, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> type[WaitingEngine]:
    made: type[WaitingEngine] = request.param
    return made


@contextlib.contextmanager
def running(kind: type[WaitingEngine], vantage: Vantage = HERE) -> Iterator[WaitingEngine]:
    engine = kind(vantage)
    try:
        yield engine
    finally:
        engine.close()


def planned(host: str, port: int, timeout_ms: int = 5000, check_kind: str = "tcp") -> PlannedCheck:
    target = Target(
        id="t",
        name="t",
        kind=check_kind,
        host=host,
        port=port,
        regions=("r",),
        interval_ms=60_000,
        timeout_ms=timeout_ms,
        version=1,
        source="test",
    )
    return PlannedCheck(target, 0.0, 0, "schedule")


def begun(engine: WaitingEngine, planned_check: PlannedCheck) -> asyncio.Future[CheckOutcome]:
    """The outcome to come; a second one would raise, and is looked for by those who call this."""
    done: asyncio.Future[CheckOutcome] = asyncio.get_running_loop().create_future()
    engine.submit(planned_check, lambda _, outcome: done.set_result(outcome))
    assert not done.done(), "never before submit has returned"
    return done


def from_source(source: str) -> Vantage:
    return Vantage(source=source, internal=True)


async def check(
    kind: type[WaitingEngine],
    host: str,
    port: int,
    timeout_ms: int = 5000,
    *,
    vantage: Vantage = HERE,
    check_kind: str = "tcp",
) -> CheckOutcome:
    with running(kind, vantage) as engine:
        outcome = begun(engine, planned(host, port, timeout_ms, check_kind))
        assert engine.in_flight == 1
        await outcome
        assert engine.in_flight == 0
        return outcome.result()


async def test_an_open_port_is_up_with_the_networks_time(kind: type[WaitingEngine]) -> None:
    with listener() as port:
        outcome = await check(kind, "127.0.0.1", port, 5000)
    assert (outcome.status, outcome.reason, outcome.address) == ("up", None, "127.0.0.1")
    assert outcome.connect_ms is not None
    assert outcome.connect_ms > 0
    assert outcome.total_ms == outcome.connect_ms
    assert outcome.dns_ms is None


async def test_a_busy_loop_is_not_told_as_latency(kind: type[WaitingEngine]) -> None:
    with listener() as port:
        pending = asyncio.ensure_future(check(kind, "127.0.0.1", port, 30000))
        await asyncio.sleep(0)
        time.sleep(0.7)  # noqa: ASYNC251  the loop stands still: that is what is tested
        outcome = await pending
    assert outcome.status == "up"
    assert outcome.connect_ms is not None
    assert outcome.connect_ms < 500


async def test_a_name_is_resolved_and_timed(kind: type[WaitingEngine]) -> None:
    with listener() as port:
        outcome = await check(kind, "localhost", port, 5000)
    assert outcome.status == "up"
    assert outcome.dns_ms is not None
    assert outcome.connect_ms is not None
    assert outcome.total_ms == pytest.approx(outcome.dns_ms + outcome.connect_ms, abs=0.01)


async def test_an_answer_that_was_known_already_took_no_time(kind: type[WaitingEngine]) -> None:
    """Not 0 ms: nothing was measured."""
    with listener() as port, running(kind) as engine:
        assert (await begun(engine, planned("localhost", port))).dns_ms is not None
        outcome = await begun(engine, planned("localhost", port))
    assert outcome.status == "up"
    assert outcome.dns_ms is None
    assert outcome.total_ms == outcome.connect_ms


async def test_both_families_are_tried(kind: type[WaitingEngine]) -> None:
    # `localhost` is ::1 and 127.0.0.1 on most machines; the listener is on one of them.
    with listener("127.0.0.1") as port:
        assert (await check(kind, "localhost", port, 5000)).address == "127.0.0.1"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6 on loopback")
async def test_an_address_with_a_zone_is_connected_to_in_that_zone(
    kind: type[WaitingEngine],
) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        zone = socket.if_nameindex()[0][0]
        outcome = await check(kind, f"::1%{zone}", server.getsockname()[1], 5000)
    assert (outcome.status, outcome.reason) == ("up", None)
    name = socket.if_nameindex()[0][1]
    lookup = await looked_up(Resolver(), f"fe80::1%{name}")
    assert [found.endpoint(80) for found in lookup.addresses] == [("fe80::1", 80, 0, zone)]


async def test_a_zone_that_this_machine_does_not_have_is_told(kind: type[WaitingEngine]) -> None:
    outcome = await check(kind, "fe80::1%nosuchzone", 80, 5000)
    assert (outcome.status, outcome.reason) == ("missed", "prober_error")
    assert "nosuchzone" in str(outcome.detail)


async def test_a_closed_port_is_refused(kind: type[WaitingEngine]) -> None:
    outcome = await check(kind, "127.0.0.1", free_port(), 5000)
    assert (outcome.status, outcome.reason) == ("down", "connection_refused")
    assert outcome.detail == "127.0.0.1: Connection refused"


async def test_silence_is_timed_out(kind: type[WaitingEngine]) -> None:
    with silent_listener() as port:
        outcome = await check(kind, "127.0.0.1", port, 400)
    assert (outcome.status, outcome.reason) == ("down", "timed_out")
    assert outcome.connect_ms is None


async def test_a_name_that_does_not_exist(kind: type[WaitingEngine]) -> None:
    outcome = await check(kind, "nonexistent.invalid", 80, 30000)
    assert (outcome.status, outcome.reason) == ("down", "dns_failed")


async def test_a_name_that_cannot_be_encoded(kind: type[WaitingEngine]) -> None:
    outcome = await check(kind, "a" * 70 + ".invalid", 80, 30000)
    assert (outcome.status, outcome.reason) == ("down", "dns_failed")


async def test_a_source_that_is_not_ours_says_nothing_of_the_target(
    kind: type[WaitingEngine],
) -> None:
    with listener() as port:
        outcome = await check(kind, "127.0.0.1", port, 5000, vantage=from_source("192.0.2.1"))
    assert (outcome.status, outcome.reason) == ("missed", "prober_error")


async def test_a_source_of_the_other_family(kind: type[WaitingEngine]) -> None:
    outcome = await check(kind, "127.0.0.1", free_port(), 5000, vantage=from_source("::1"))
    assert (outcome.status, outcome.reason) == ("missed", "prober_error")


async def test_checks_leave_from_the_source(kind: type[WaitingEngine]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        outcome = await check(kind, "127.0.0.1", port, 5000, vantage=from_source("127.0.0.11"))
        client, (address, _) = server.accept()
        client.close()
    assert outcome.status == "up"
    assert address == "127.0.0.11"


async def test_an_unknown_kind_is_our_fault(kind: type[WaitingEngine]) -> None:
    outcome = await check(kind, "127.0.0.1", 1, 5000, check_kind="gopher")
    assert (outcome.status, outcome.reason) == ("missed", "prober_error")


async def test_a_region_that_is_not_internal_never_connects_to_private_addresses(
    kind: type[WaitingEngine],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            outcome = await check(kind, host, port, vantage=Vantage())
            assert (outcome.status, outcome.reason) == ("missed", "address_blocked")
        with pytest.raises(BlockingIOError):
            server.accept()
        assert (await check(kind, "localhost", port)).status == "up"


async def test_one_lookup_is_shared_by_all_who_ask(kind: type[WaitingEngine]) -> None:
    engine = kind(HERE)
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    lookups = []

    def count(lookup: object) -> None:
        lookups.append(lookup)
        if len(lookups) == 3:
            done.set_result(None)

    try:
        first = engine.resolver.lookup("localhost", count)
        assert engine.resolver.lookup("localhost", count) is first
        assert engine.resolver.lookup("localhost", count) is first
        await done
        assert first.addresses
    finally:
        engine.close()


_STOPPED = """
import asyncio, os, signal, sys
from producers.engine import asyncio_engine, epoll_engine
from producers.checks.model import PlannedCheck, Vantage
from schemas.target import Target
async def main():
    kind = getattr(asyncio_engine, sys.argv[1], None) or getattr(epoll_engine, sys.argv[1])
    target = Target(
        id="t", name="t", kind="tcp", host="127.0.0.1", port=int(sys.argv[2]), regions=("r",),
        interval_ms=60_000, timeout_ms=1000, version=1, source="test",
    )
    done = asyncio.get_running_loop().create_future()
    check = PlannedCheck(target, 0.0, 0, "schedule")
    kind(Vantage(internal=True)).submit(check, lambda _, outcome: done.set_result(outcome))
    print("begun", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)  # here, before any answer can have been seen
    outcome = await done
    print(outcome.status, outcome.reason, flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("port_of", "expected"),
    [(silent_listener, "missed prober_error"), (listener, "up None")],
    ids=["silent", "answers"],
)
async def test_a_prober_that_was_stopped_never_says_timed_out(
    kind: type[WaitingEngine],
    port_of: type[contextlib.AbstractContextManager[int]],
    expected: str,
) -> None:
    with port_of() as port:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _STOPPED,
            kind.__name__,
            str(port),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            assert (await process.stdout.readline()).strip() == b"begun"
            # Longer than the timeout and the tolerance; how much longer does not matter.
            await asyncio.sleep(2.5)
            os.kill(process.pid, signal.SIGCONT)
            said = (await process.stdout.readline()).decode().strip()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await process.wait()
    assert said == expected


async def test_many_at_once_each_told_once(kind: type[WaitingEngine]) -> None:
    told: dict[int, list[CheckOutcome]] = {}
    with listener() as port, silent_listener() as silent, running(kind) as engine:
        ports = {port: "up", free_port(): "connection_refused", silent: "timed_out"}
        all_told = asyncio.Event()
        submitted = 0

        def done(planned_check: PlannedCheck, outcome: CheckOutcome) -> None:
            told.setdefault(planned_check.target.port or 0, []).append(outcome)
            if engine.in_flight == 0:
                all_told.set()

        for _ in range(300):
            for place in ports:
                # More than the engine takes at a time, and more than one slot of deadlines.
                timeout_ms = 200 + submitted % 50 if place == silent else 60_000
                engine.submit(planned("127.0.0.1", place, timeout_ms), done)
                submitted += 1
        assert engine.in_flight == submitted
        await all_told.wait()
        await asyncio.sleep(0.05)
    for place, expected in ports.items():
        outcomes = told[place]
        assert len(outcomes) == 300
        said = {outcome.reason or outcome.status for outcome in outcomes}
        # A machine that stood still for a second may say so.
        assert said - {"prober_error"} <= {expected}


async def test_a_shorter_timeout_that_comes_later_is_over_first(kind: type[WaitingEngine]) -> None:
    with silent_listener() as port, running(kind) as engine:
        long = begun(engine, planned("127.0.0.1", port, 600_000))
        short = begun(engine, planned("127.0.0.1", port, 200))
        assert (await short).reason in {"timed_out", "prober_error"}
        assert not long.done()
        assert engine.in_flight == 1


async def test_one_check_may_follow_another(kind: type[WaitingEngine]) -> None:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    statuses = []
    with listener() as port, running(kind) as engine:

        def again(planned_check: PlannedCheck, outcome: CheckOutcome) -> None:
            statuses.append(outcome.status)
            if len(statuses) < 20:
                engine.submit(planned_check, again)
            else:
                done.set_result(None)

        engine.submit(planned("127.0.0.1", port), again)
        await done
    assert statuses == ["up"] * 20


async def test_what_follows_may_fail_and_others_are_told(kind: type[WaitingEngine]) -> None:
    loop = asyncio.get_running_loop()
    faults: list[object] = []
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: faults.append(context["exception"]))

    def fail(_: PlannedCheck, outcome: CheckOutcome) -> None:
        raise LookupError(outcome.status)

    try:
        with listener() as port, running(kind) as engine:
            for _ in range(3):
                engine.submit(planned("127.0.0.1", port), fail)
            assert (await begun(engine, planned("127.0.0.1", port))).status == "up"
            while len(faults) < 3:  # noqa: ASYNC110  (there is nothing that would tell)
                await asyncio.sleep(0.01)
    finally:
        loop.set_exception_handler(before)
    assert [str(fault) for fault in faults] == ["up"] * 3


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


async def test_closing_ends_checks_without_an_outcome(kind: type[WaitingEngine]) -> None:
    told: list[CheckOutcome] = []
    with silent_listener() as port:
        before = open_files()
        engine = kind(HERE)
        for host in ("127.0.0.1", "localhost"):
            engine.submit(planned(host, port, 100), lambda _, outcome: told.append(outcome))
        engine.submit(planned("127.0.0.1", 1, check_kind="gopher"), lambda _, o: told.append(o))
        engine.close()
        assert engine.in_flight == 0
        # A lookup that still runs may have one open.
        while open_files() > before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
    assert told == []


async def looked_up(resolver: Resolver, host: str) -> Lookup:
    done: asyncio.Future[Lookup] = asyncio.get_running_loop().create_future()
    resolver.lookup(host, done.set_result)
    return await done


async def test_what_breaks_in_the_middle_of_a_check_is_our_fault_and_ends_it(
    kind: type[WaitingEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A descriptor that somebody else has closed makes nearly every call fail."""
    with listener() as port, running(kind) as engine:
        for broken in ("begin", "connect_ms", "answered"):
            with monkeypatch.context() as patch, silent_listener() as silent:
                patch.setattr(f"producers.checks.tcp_socket.{broken}", _break)
                place = silent if broken == "answered" else port
                outcome = await begun(engine, planned("127.0.0.1", place, 300))
                assert (outcome.status, outcome.reason) == ("missed", "prober_error")
                assert "ValueError: broken" in (outcome.detail or "")
            assert engine.in_flight == 0
            # Nor did it stop the engine: the next ones are answered, and their time runs out.
            assert (await begun(engine, planned("127.0.0.1", port))).status == "up"
        with silent_listener() as silent:
            outcome = await begun(engine, planned("127.0.0.1", silent, 100))
            assert outcome.reason in {"timed_out", "prober_error"}


def _break(*_: object) -> None:
    raise ValueError("broken")


class OneName(Resolver):
    """Every name has these addresses."""

    def __init__(self, *ips: str) -> None:
        super().__init__()
        self._addresses = tuple(Address(socket.AF_INET, ip) for ip in ips)

    def lookup(self, host: str, on_done: Callable[[Lookup], None]) -> Lookup:
        found = Lookup(host)
        found.began_at = found.ended_at = time.monotonic()
        found.addresses = self._addresses
        asyncio.get_running_loop().call_soon(on_done, found)
        return found


async def test_addresses_share_the_time(kind: type[WaitingEngine]) -> None:
    with (
        listener() as port,
        silent_listener("127.0.0.2", port),
        silent_listener("127.0.0.3", port),
        running(kind) as engine,
    ):
        engine.resolver = OneName("127.0.0.2", "127.0.0.1")
        outcome = await begun(engine, planned("a.test", port, 3000))
        assert (outcome.status, outcome.address) == ("up", "127.0.0.1")
        engine.resolver = OneName("127.0.0.2", "127.0.0.3")
        outcome = await begun(engine, planned("a.test", port, 600))
        assert outcome.reason in {"timed_out", "prober_error"}
        assert outcome.total_ms is None or outcome.total_ms >= 600


async def test_an_address_that_we_could_not_try_is_no_outage(kind: type[WaitingEngine]) -> None:
    """From 127.0.0.1 nothing outside of this machine can be connected to (EINVAL)."""
    with running(kind, Vantage(source="127.0.0.1", internal=True)) as engine:
        engine.resolver = OneName("127.0.0.2", "203.0.113.1")
        outcome = await begun(engine, planned("a.test", free_port(), 2000))
    assert (outcome.status, outcome.reason) == ("missed", "prober_error")
    assert "127.0.0.2: Connection refused" in (outcome.detail or "")


async def test_each_address_and_its_reason_is_told(kind: type[WaitingEngine]) -> None:
    with silent_listener("127.0.0.3") as port, running(kind) as engine:
        for ips in (("127.0.0.2", "127.0.0.3"), ("127.0.0.3", "127.0.0.2")):
            engine.resolver = OneName(*ips)
            outcome = await begun(engine, planned("a.test", port, 1000))
            if outcome.reason == "prober_error":
                pytest.skip(f"the machine was too busy: {outcome.detail}")
            assert (outcome.status, outcome.reason) == ("down", "connection_refused")
            assert outcome.address == "127.0.0.2"
            begins = "127.0.0.2: Connection refused; 127.0.0.3: timed out after "
            assert (outcome.detail or "").startswith(begins)


async def test_refusals_cost_no_time_whatever_their_number(kind: type[WaitingEngine]) -> None:
    """And other checks have their turn among them."""
    with listener("127.0.0.1") as port, running(kind) as engine:
        many = [f"127.1.{n >> 8}.{n & 255}" for n in range(4_000)]
        engine.resolver = OneName(*many, "127.0.0.1")
        refused = begun(engine, planned("a.test", port, 60_000))
        turns = 0
        while not refused.done():
            await asyncio.sleep(0)
            turns += 1
        assert (refused.result().status, refused.result().address) == ("up", "127.0.0.1")
        assert turns > 100


async def test_what_was_not_tried_for_lack_of_time_is_told(kind: type[WaitingEngine]) -> None:
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(silent_listener("127.0.0.2"))
        ips = [f"127.0.0.{n}" for n in range(2, 8)]
        for ip in ips[1:]:
            stack.enter_context(silent_listener(ip, port))
        engine = stack.enter_context(running(kind))
        engine.resolver = OneName(*ips)
        outcome = await begun(engine, planned("a.test", port, 600))
    if outcome.reason == "prober_error":
        pytest.skip(f"the machine was too busy: {outcome.detail}")
    assert outcome.reason == "timed_out"
    assert "not tried: no time was left)" in (outcome.detail or "")
    assert outcome.total_ms is not None
    assert outcome.total_ms >= 600


async def test_the_end_of_an_engine_ends_a_check_among_its_addresses(
    kind: type[WaitingEngine],
) -> None:
    told: list[CheckOutcome] = []
    engine = kind(HERE)
    engine.resolver = OneName(*[f"127.1.{n >> 8}.{n & 255}" for n in range(1_000)])
    engine.submit(planned("a.test", free_port(), 5000), lambda _, outcome: told.append(outcome))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    engine.close()
    for _ in range(200):
        await asyncio.sleep(0)
    assert told == []


async def test_an_address_needs_no_resolver(kind: type[WaitingEngine]) -> None:
    with listener() as port, running(kind) as engine:
        del engine.resolver
        assert (await begun(engine, planned("127.0.0.1", port))).status == "up"
        assert (await begun(engine, planned("::1", port))).reason != "prober_error"
        engine.resolver = Resolver()


async def test_no_descriptor_left_is_our_fault(kind: type[WaitingEngine]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with listener() as port, running(kind) as engine:
        lowest_free = os.dup(0)
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
        try:
            pending = begun(engine, planned("127.0.0.1", port))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        outcome = await pending
    assert (outcome.status, outcome.reason) == ("missed", "prober_error")
    assert "Too many open files" in (outcome.detail or "")


@pytest.mark.parametrize("first", [listener, silent_listener], ids=["answers", "silent"])
async def test_a_socket_that_somebody_else_still_holds_speaks_for_no_other_check(
    kind: type[WaitingEngine], first: Callable[[], contextlib.AbstractContextManager[int]]
) -> None:
    """As a child does between fork and exec: closing then does not end what epoll watches."""
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(running(kind))
        silent = stack.enter_context(silent_listener())
        with first() as port:
            outcome = begun(engine, planned("127.0.0.1", port, 300))
            (under_way,) = engine._checks
            assert under_way.sock is not None
            number = under_way.sock.fileno()
            stack.callback(os.close, os.dup(number))
            await outcome
            # Most likely under the same number; the SYN of the first is sent again after 1 s.
            follower = begun(engine, planned("127.0.0.1", silent, 1500))
        assert (await follower).status != "up"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_nothing_is_left_in_time_wait(kind: type[WaitingEngine]) -> None:
    with listener() as port:
        before = in_time_wait(port)  # of another test, which had this port a moment ago
        for _ in range(3):
            assert (await check(kind, "127.0.0.1", port)).status == "up"
        assert in_time_wait(port) <= before


def in_time_wait(port: int) -> set[str]:
    """Our ends of the connections to `port` that Linux keeps for a minute."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[2].endswith(f":{port:04X}") and row[3] == "06"}


async def test_the_engine_of_this_platform() -> None:
    engine = platform_engine(HERE)
    engine.close()
    assert isinstance(engine, RoutingEngine)
    assert type(engine.plain) is ENGINES[-1]
    with listener() as port:
        assert (await check_once("127.0.0.1", port, "tcp", 5)).status == "up"
