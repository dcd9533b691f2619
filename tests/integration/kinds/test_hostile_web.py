"""HTTP servers that mean no good: what they send is never our fault, and costs nobody else."""

import asyncio
import contextlib
import gc
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import structlog

from portquorum.inventory.probes import probe_of
from producers.checks.model import CheckOutcome, PlannedCheck, Vantage
from producers.engine.factory import platform_engine
from schemas.target import Target
from tests.integration.kinds.checking import measured

ON_LOOPBACK = Vantage(allow=("127.0.0.0/8",))
"""Where a redirect may lead: nothing but this machine is ever connected to."""
TIMEOUT_MS = 3_000
SLACK_S = 10.0
"""By so much an outcome may be late; what is measured here would take minutes."""

BODY = b"[" + b",".join([b"[1]"] * 200_000) + b"]"


def ok(*headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *headers, b"", body])


def moved(location: bytes) -> bytes:
    return b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"


def chunked(piece: bytes, count: int) -> bytes:
    one = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    return ok(b"Transfer-Encoding: chunked", body=one * count)


LOCATIONS = [
    b"/a b",
    b"",
    b" ",
    b"\x00",
    b"/\x01\x7f",
    b"/\xe9\xff",
    b"http://[::1",
    b"http://host:99999/",
    b"http://127.0.0.1:0/",
    b"http://127.0.0.1:-1/",
    b"http://127.0.0.1:port/",
    b"http:///nothing",
    b"http://",
    b"//",
    b"ftp://127.0.0.1/",
    b"javascript:alert(1)",
    b"file:///etc/passwd",
    b"http://0177.0.0.1/",
    b"http://255.255.255.255/",
    b"http://224.0.0.1/",
    b"http://0.0.0.0/",
    b"http://[fe80::1]/",
    b"http://[fe80::1%25lo]/",
    b"http://[fe80::1%lo]/",
    b"http://[::ffff:10.0.0.1]/",
    b"http://[v1.x]/",
    b"http://a..b/",
    b"http://" + b"a" * 64 + b"/",
    b"http://" + b"a." * 200 + b"/",
    b"http://xn--/",
    b"http://\xe9\xff/",
    b"https://127.0.0.1:1/",
    b"/" + b"x" * 60_000,
    b"http://user:pass@[::1]:9/",
    b"?a=b#c",
    b"../../../..",
    b"\xed\xa0\x80",
    "http://\u2100.example/".encode(),
]

ANSWERS = [
    *map(moved, LOCATIONS),
    b"",
    b"\r\n",
    b"HTTP/1.1",
    b"HTTP/1.1 \r\n\r\n",
    b"HTTP/1.1 099 x\r\n\r\n",
    b"HTTP/1.1 000 x\r\n\r\n",
    b"HTTP/1.1 999 x\r\n\r\n",
    b"HTTP/1.1 2000 x\r\n\r\n",
    b"HTTP/1.1 200 \xff\xfe\r\n\r\n",
    b"HTTP/9.9 200 x\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\n\r\n",
    b"HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\nabcde",
    b"ICY 200 OK\r\n\r\n",
    b"\x16\x03\x01\x02\0",
    ok(b"Content-Length: -1"),
    ok(b"Content-Length: " + b"9" * 5_000),
    ok(b"Content-Length: 1", b"Content-Length: 2"),
    ok(b"Content-Length: x"),
    ok(b"Transfer-Encoding: gzip", body=b"\x1f\x8b"),
    ok(b"Transfer-Encoding: chunked", body=b"ffffffffffffffffffffff\r\nx"),
    ok(b"Transfer-Encoding: chunked", body=b"-1\r\nx\r\n"),
    ok(b"Transfer-Encoding: chunked", body=b"1;" + b"x" * 70_000),
    ok(b"Transfer-Encoding: chunked", body=b"0\r\n" + b"a: b\r\n" * 20_000),
    ok(*[b"a: b"] * 13_000, body=b"{}"),
    ok(b"a: " + b"b" * 70_000),
    ok(b" folded: no"),
    ok(b"no colon"),
    ok(b": no name"),
    ok(b"x-a: \x00"),
    ok(b"x-a: " + b"\xff" * 4_000),
    ok(body=b"["),
    ok(body=b"[" * 800_000),
    ok(body=b"[" * 400_000 + b"]" * 400_000),
    ok(body=b"1" * 800_000),
    ok(body=b'{"a":' * 100_000),
    ok(body=b'"\\ud800"'),
    ok(body=b'{"a": "\\ud800"}'),
    ok(body=b"\xff\xfe\0\0"),
    ok(body=b"\xef\xbb\xbf{}"),
    ok(body=b"NaN"),
    ok(body=b"[1e999999]"),
    ok(body=BODY),
    chunked(b"x", 160_000),
    b"HTTP/1.1 100 Continue\r\n\r\n" * 45_000,
    b"HTTP/1.1 103 x\r\na: b\r\n\r\n" * 40_000,
]


@contextlib.asynccontextmanager
async def saying(answer: Callable[[], bytes]) -> AsyncIterator[int]:
    """A server that gives an answer to each request, and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer())
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def target(port: int, probe: dict[str, Any], kind: str = "http", name: str = "t") -> Target:
    return Target(
        id=name,
        name=name,
        kind=kind,
        host="127.0.0.1",
        port=port,
        regions=("r",),
        interval_ms=60_000,
        timeout_ms=TIMEOUT_MS,
        version=1,
        source="test",
        probe=probe_of(kind, probe, port) if probe else None,
    )


class Checking:
    """An engine, and the outcomes of what it checks."""

    def __init__(self) -> None:
        self.engine = platform_engine(ON_LOOPBACK)

    async def check(self, one: Target) -> CheckOutcome:
        return await measured(lambda: self._once(one))

    async def _once(self, one: Target) -> CheckOutcome:
        done: asyncio.Future[CheckOutcome] = asyncio.get_running_loop().create_future()
        planned = PlannedCheck(one, 0.0, 0, "schedule")
        self.engine.submit(planned, lambda _, outcome: done.set_result(outcome))
        async with asyncio.timeout(TIMEOUT_MS / 1000 + SLACK_S):
            return await done


@pytest.fixture
async def checking() -> AsyncIterator[Checking]:
    made = Checking()
    yield made
    made.engine.close()


@pytest.fixture
def quiet() -> Iterator[None]:
    """Nothing is logged as an error."""
    with structlog.testing.capture_logs() as logged:
        yield
    assert [entry for entry in logged if entry["log_level"] == "error"] == []


PROBES: list[dict[str, Any]] = [
    {},
    {"expect_json": "$..*", "json_value": '"never"'},
    {"expect_regex": "x.{300}y", "expect_headers": {"x-a": "(b.{90}){9}c"}},
    {
        "conditions": [
            {"json": "$..*", "equals": "never", "not": True},
            {"body": True, "matches": "x.{300}y", "not": True},
            {"body": True, "equals": {"a": []}, "not": True},
            {"header": "x-a", "matches": "(b.{90}){9}c", "not": True},
        ]
    },
]


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("probe", PROBES, ids=str)
async def test_no_answer_is_our_fault(checking: Checking, probe: dict[str, Any]) -> None:
    said: list[bytes] = [b""]
    async with saying(lambda: said[0]) as port:
        for answer in ANSWERS:
            said[0] = answer
            outcome = await checking.check(target(port, {"tls": False, **probe}))
            assert outcome.reason != "prober_error", (answer[:200], outcome)
            assert outcome.status in {"up", "down"} or outcome.reason == "address_blocked"


@pytest.mark.usefixtures("quiet")
async def test_random_redirects_are_never_our_fault(checking: Checking) -> None:
    chance = random.Random(23)  # noqa: S311
    said: list[bytes] = [b""]
    reasons = set()
    async with saying(lambda: said[0]) as port:
        own = f"http://127.0.0.1:{port}/".encode()
        for _ in range(400):
            location = chance.choice(
                [b"/", own, b"http://127.0.0.1:", b"//[::1]:", b"https://127.1/"]
            )
            location += bytes(chance.randrange(1, 256) for _ in range(chance.randrange(8)))
            said[0] = moved(location.replace(b"\n", b"").replace(b"\r", b""))
            outcome = await checking.check(target(port, {"tls": False, "redirects": 1}))
            assert outcome.reason != "prober_error", (location, outcome)
            reasons.add(outcome.reason)
    assert "unexpected_response" in reasons


@pytest.mark.parametrize(
    ("location", "path"),
    [(b"/a b", b"/a%20b"), (b"/\xc3\xa9?\xc3\xa9 x", b"/%C3%A9?%C3%A9%20x"), (b" /x ", b"/x")],
)
async def test_a_redirect_that_browsers_follow_is_followed(
    checking: Checking, location: bytes, path: bytes
) -> None:
    """Blanks and what is not ASCII are percent-encoded."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        asked.append(request.split()[1])
        writer.write(moved(location) if len(asked) == 1 else ok())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        outcome = await checking.check(target(port, {"tls": False}))
    assert (outcome.status, asked) == ("up", [b"/", path])


@pytest.mark.parametrize("location", [b"http://255.255.255.255/", b"http://[fe80::1]/"])
async def test_an_address_that_nobody_can_connect_to_is_the_servers_choice(location: bytes) -> None:
    """Also in a region that may reach everything."""
    checking = Checking()
    checking.engine.vantage = Vantage(internal=True)
    with contextlib.closing(checking.engine):
        async with saying(lambda: moved(location)) as port:
            outcome = await checking.check(target(port, {"tls": False}))
    # The latter where this machine has no route at all.
    assert outcome.status == "down"
    assert outcome.reason in {"unexpected_response", "network_unreachable"}


@pytest.mark.usefixtures("quiet")
async def test_a_body_that_takes_too_long_is_down(checking: Checking) -> None:
    probe = {"tls": False, "expect_json": "$" + "..*" * 8, "json_value": '"never"'}
    async with saying(lambda: ok(body=b"[" * 90 + b"]" * 90)) as port:
        outcome = await checking.check(target(port, probe))
    assert (outcome.status, outcome.reason) == ("down", "unexpected_response")
    assert outcome.detail is not None
    assert "judging the answer took more than" in outcome.detail
    assert outcome.total_ms is not None
    assert outcome.total_ms < TIMEOUT_MS, "our time is none of the target's"


@pytest.mark.usefixtures("quiet")
async def test_ordinary_targets_go_on_beside_them(checking: Checking) -> None:
    """The loop does not stand still: else each of them would have lost its time by it.

    By its processor time: a machine that others have makes it stand still, too, and says nothing.
    """
    hostile = [
        (ok(body=BODY), {"expect_json": "$" + "..*" * 8, "json_value": '"never"'}),
        (ok(body=BODY), {"expect_json": "$..*", "json_value": '"never"'}),
        (ok(body=BODY), {"conditions": [{"json": "$..*", "more_than": 1e9}] * 9}),
        (ok(body=bytes(800_000)), {"expect_regex": "(?:[\\x00y].{900}){1}q"}),
        (chunked(b"x", 160_000), {"expect": "y"}),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 45_000, {}),
        (ok(*[b"a: b"] * 13_000), {}),
    ]
    hostile_found: list[CheckOutcome] = []
    found: list[CheckOutcome] = []
    busiest_s = 0.0
    over = asyncio.Event()

    async def watch() -> None:
        nonlocal busiest_s
        while not over.is_set():
            began = time.thread_time()
            await asyncio.sleep(0.01)
            busiest_s = max(busiest_s, time.thread_time() - began)

    def held_up(outcome: CheckOutcome) -> bool:
        # Neither is a word about the target: the loop, or the judges beside it, had no processor.
        words = ("the prober stood still", "no verdict on the answer within")
        return outcome.status == "missed" and (outcome.detail or "").startswith(words)

    async def again(one: Target, outcomes: list[CheckOutcome], times: int) -> None:
        for _ in range(times):
            outcomes.append(await checking.check(one))  # noqa: PERF401

    async with contextlib.AsyncExitStack() as stack:
        # The garbage collector looks through what the tests before this one have left.
        gc.collect()
        gc.freeze()
        stack.callback(gc.unfreeze)
        ordinary = await stack.enter_async_context(saying(lambda: ok(body=b'{"state": "ok"}')))
        tasks = [asyncio.create_task(watch())]
        async with asyncio.TaskGroup() as group:
            for number, (answer, probe) in enumerate(hostile):
                port = await stack.enter_async_context(saying(lambda answer=answer: answer))
                bad = target(port, {"tls": False, **probe}, name=f"bad-{number}")
                group.create_task(again(bad, hostile_found, 2))
            for number in range(200):
                options = {"tls": False, "expect_json": "$.state", "json_value": '"ok"'}
                one = (
                    target(ordinary, options, name=f"fine-{number}")
                    if number % 2
                    else target(ordinary, {}, kind="tcp", name=f"fine-{number}")
                )
                group.create_task(again(one, found, 5))
        over.set()
        await asyncio.gather(*tasks)
    print(f"the loop was busy for {busiest_s * 1000:.0f} ms at most")  # noqa: T201
    assert busiest_s < 0.5
    assert len(found) == 1_000
    assert {one.status for one in found if not held_up(one)} == {"up"}, {str(o) for o in found}
    judged = [one for one in hostile_found if not held_up(one)]
    assert not [one for one in judged if one.reason == "prober_error"]
    assert {one.status for one in judged} == {"up", "down"}
