"""What is asked, what is kept and for how long, against a DNS server that the tests write to."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import dns.message
import dns.rcode
import dns.rrset
import pytest

from producers.checks import resolver as module
from producers.checks.resolver import Lookup, Resolver


class Server:
    """Answers over UDP from `records`: name, type → TTL, addresses. Never for what is `silent`."""

    def __init__(self, sock: socket.socket) -> None:
        self.records: dict[tuple[str, str], tuple[int, list[str]]] = {}
        self.failing: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[str] = []
        self._sock = sock

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self._sock.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                data, peer = self._sock.recvfrom(4096)
            except OSError:
                return
            if len(data) == 1:
                return
            if answer := self._answer(data):
                self._sock.sendto(answer, peer)

    def _answer(self, data: bytes) -> bytes | None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append(name)
        if name in self.silent:
            return None
        answer = dns.message.make_response(query)
        if name in self.failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif found := self.records.get((name, kind)):
            answer.answer.append(
                dns.rrset.from_text(question.name, found[0], "IN", kind, *found[1])
            )
        elif not any(known == name for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
            answer.authority.append(
                dns.rrset.from_text(question.name, 3600, "IN", "SOA", "a. b. 1 2 3 4 3600")
            )
        return answer.to_wire()


@pytest.fixture
def server() -> Iterator[Server]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        made = Server(sock)
        thread = threading.Thread(target=made.serve)
        thread.start()
        try:
            yield made
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
                waker.sendto(b"x", sock.getsockname())
            thread.join()


@pytest.fixture
async def resolver(server: Server) -> AsyncIterator[Resolver]:
    made = Resolver([server.place])
    yield made
    made.close()


async def ask(resolver: Resolver, host: str) -> Lookup:
    done: asyncio.Future[Lookup] = asyncio.get_running_loop().create_future()
    resolver.lookup(host, done.set_result)
    assert not done.done()
    return await done


def ips(lookup: Lookup) -> set[str]:
    return {address.ip for address in lookup.addresses}


async def test_both_families_are_asked_and_the_time_is_taken(
    server: Server, resolver: Resolver
) -> None:
    server.records["a.test", "A"] = (60, ["192.0.2.1", "192.0.2.2"])
    server.records["a.test", "AAAA"] = (60, ["2001:db8::1"])
    lookup = await ask(resolver, "a.test")
    assert ips(lookup) == {"192.0.2.1", "192.0.2.2", "2001:db8::1"}
    assert lookup.took_ms is not None
    assert lookup.took_ms > 0
    assert resolver.known("a.test") is lookup
    assert resolver.known("b.test") is None


@pytest.mark.parametrize(
    ("ttl", "believed_s"), [(0, 5.0), (1, 5.0), (60, 60.0), (300, 300.0), (86_400, 300.0)]
)
async def test_an_answer_is_believed_for_its_ttl_within_bounds(
    server: Server, resolver: Resolver, ttl: int, believed_s: float
) -> None:
    server.records["a.test", "A"] = (ttl, ["192.0.2.1"])
    server.records["a.test", "AAAA"] = (ttl + 10, ["2001:db8::1"])
    lookup = await ask(resolver, "a.test")
    assert lookup.ended_at is not None
    assert lookup.until - lookup.ended_at == pytest.approx(believed_s, abs=0.01)


async def test_a_name_that_moves_is_followed_when_its_time_is_over(
    server: Server, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """c-ares would believe the first answer for an hour."""
    monkeypatch.setattr(module, "SHORTEST_S", 0.05)
    monkeypatch.setattr(module, "LONGEST_S", 0.05)
    monkeypatch.setattr(module, "_CHANNEL_S", 0.02)
    server.records["a.test", "A"] = (3600, ["192.0.2.1"])
    assert ips(await ask(resolver, "a.test")) == {"192.0.2.1"}
    server.records["a.test", "A"] = (3600, ["192.0.2.9"])
    while (known := resolver.known("a.test")) is not None:
        assert ips(known) == {"192.0.2.1"}
        await asyncio.sleep(0.01)
    assert ips(await ask(resolver, "a.test")) == {"192.0.2.9"}


async def test_that_there_is_no_such_name_is_believed_for_less_than_a_retry_waits(
    server: Server, resolver: Resolver
) -> None:
    """The SOA says an hour."""
    lookup = await ask(resolver, "a.test")
    assert isinstance(lookup.error, socket.gaierror)
    assert lookup.error.errno == socket.EAI_NONAME
    assert resolver.known("a.test") is lookup
    server.records["a.test", "A"] = (60, ["192.0.2.1"])
    while resolver.known("a.test") is not None:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert ips(await ask(resolver, "a.test")) == {"192.0.2.1"}


async def test_a_server_that_failed_is_asked_again_at_once(
    server: Server, resolver: Resolver
) -> None:
    server.failing.add("a.test")
    lookup = await ask(resolver, "a.test")
    assert isinstance(lookup.error, socket.gaierror)
    assert lookup.error.errno == socket.EAI_AGAIN
    assert resolver.known("a.test") is None
    server.failing.clear()
    server.records["a.test", "A"] = (60, ["192.0.2.1"])
    assert ips(await ask(resolver, "a.test")) == {"192.0.2.1"}


async def test_names_that_nobody_answers_for_hold_up_nobody(
    server: Server, resolver: Resolver
) -> None:
    server.records["a.test", "A"] = (60, ["192.0.2.1"])
    server.silent = {f"silent{n}.test" for n in range(200)}
    waiting = [resolver.lookup(name, lambda _: None) for name in server.silent]
    assert ips(await ask(resolver, "a.test")) == {"192.0.2.1"}
    assert any(lookup.ended_at is None for lookup in waiting)


async def test_one_who_is_told_and_breaks_takes_nothing_from_the_others(
    server: Server, resolver: Resolver
) -> None:
    server.records["a.test", "A"] = (60, ["192.0.2.1"])
    loop = asyncio.get_running_loop()
    raised: list[object] = []
    loop.set_exception_handler(lambda _, context: raised.append(context["exception"]))
    try:
        done: asyncio.Future[Lookup] = loop.create_future()
        resolver.lookup("a.test", _break)
        resolver.lookup("a.test", done.set_result)
        assert ips(await done) == {"192.0.2.1"}
        while not raised:  # noqa: ASYNC110
            await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(None)
    assert [str(error) for error in raised] == ["broken"]


def _break(_: Lookup) -> None:
    raise ValueError("broken")


@pytest.mark.parametrize("host", ["a\x00b", "a b", "\udcff", "a" * 300, "..", "\u2488", "127.1"])
async def test_what_is_no_name_is_told(resolver: Resolver, host: str) -> None:
    lookup = await ask(resolver, host)
    assert lookup.error is not None
    assert lookup.addresses == ()


async def test_the_hosts_file_is_read(resolver: Resolver) -> None:
    assert "127.0.0.1" in ips(await ask(resolver, "localhost"))


async def test_after_the_end_nobody_is_told(server: Server) -> None:
    server.silent.add("a.test")
    told: list[Lookup] = []
    resolver = Resolver([server.place])
    resolver.lookup("a.test", told.append)
    resolver.close()
    with contextlib.closing(Resolver([server.place])) as another:
        server.records["b.test", "A"] = (60, ["192.0.2.1"])
        await ask(another, "b.test")
    assert told == []
