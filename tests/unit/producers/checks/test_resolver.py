"""What is asked, what is kept and for how long, against a DNS server that the tests write to."""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset
import pytest

from producers.checks import hosts_file, system_names
from producers.checks import resolver as module
from producers.checks.os_errors import reason_of_lookup
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


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of the system that a test writes; they are looked at all the time."""
    for name, path in (
        ("HOSTS", "hosts"),
        ("NSSWITCH", "nsswitch.conf"),
        ("RESOLV", "resolv.conf"),
    ):
        monkeypatch.setattr(system_names, name, str(tmp_path / path))
    monkeypatch.setattr(module, "LOOK_S", 0.02)
    return tmp_path


async def until_found(resolver: Resolver, host: str, wanted: set[str]) -> None:
    async with asyncio.timeout(100):  # the files are looked at by a timer of the resolver
        while ips(resolver.known(host) or await ask(resolver, host)) != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_changes_of_the_files_are_noticed(
    server: Server, resolver: Resolver, etc: Path
) -> None:
    server.records["a.test", "A"] = (300, ["192.0.2.1"])
    await until_found(resolver, "a.test", {"192.0.2.1"})
    (etc / "hosts").write_text("192.0.2.2 a.test\n")
    await until_found(resolver, "a.test", {"192.0.2.2"})
    (etc / "hosts").write_text("192.0.2.3 a.test\n")  # of the same length
    await until_found(resolver, "a.test", {"192.0.2.3"})
    (etc / "nsswitch.conf").write_text("hosts: dns\n")
    await until_found(resolver, "a.test", {"192.0.2.1"})
    server.records["a.test", "A"] = (300, ["192.0.2.4"])
    (etc / "resolv.conf").write_text("nameserver 192.0.2.53\n")  # what was known is from before
    await until_found(resolver, "a.test", {"192.0.2.4"})
    (etc / "nsswitch.conf").unlink()
    await until_found(resolver, "a.test", {"192.0.2.3"})
    (etc / "hosts").unlink()
    await until_found(resolver, "a.test", {"192.0.2.4"})


async def test_a_large_hosts_file_is_read_beside_the_loop(resolver: Resolver, etc: Path) -> None:
    lines = [f"10.0.{n >> 8 & 255}.{n & 255} n{n}.test" for n in range(100_000)]
    (etc / "hosts").write_text("\n".join(lines))
    turns = 0
    waiting = asyncio.ensure_future(ask(resolver, "n99999.test"))
    while not waiting.done():
        await asyncio.sleep(0)
        turns += 1
    assert ips(waiting.result()) == {"10.0.134.159"}
    assert turns > 2


@pytest.mark.parametrize("kind", ["folder", "pipe", "binary", "too large"])
async def test_whatever_lies_in_their_places_names_are_looked_up(
    kind: str, server: Server, resolver: Resolver, etc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts_file, "MOST_BYTES", 100)
    for name in ("hosts", "nsswitch.conf"):
        path = etc / name
        if kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "binary":
            path.write_bytes(bytes(range(256)) * 10)
        else:
            path.write_bytes(b"192.0.2.8 first.test\n" + b"#" * 200_000 + b"\n192.0.2.9 a.test\n")
    server.records["a.test", "A"] = (60, ["192.0.2.1"])
    assert ips(await ask(resolver, "a.test")) == {"192.0.2.1"}
    if kind == "too large":
        assert ips(await ask(resolver, "first.test")) == {"192.0.2.8"}


async def test_localhost_is_never_asked_for_in_dns(
    server: Server, resolver: Resolver, etc: Path
) -> None:
    (etc / "nsswitch.conf").write_text("hosts: dns\n")
    server.records["localhost", "A"] = (60, ["192.0.2.1"])
    for name in ("localhost", "LOCALHOST", "localhost.", "db.localhost"):
        assert ips(await ask(resolver, name)) == {"127.0.0.1", "::1"}
    (etc / "hosts").write_text("127.0.0.5 localhost\n")
    await until_found(resolver, "localhost", {"127.0.0.5"})
    assert server.asked == []


async def test_what_happened_is_told(server: Server, resolver: Resolver, etc: Path) -> None:
    server.failing.add("failing.test")
    server.records["mail.test", "MX"] = (60, ["10 mx.test."])
    (etc / "hosts").write_text("")
    texts = {
        "nowhere.test": "nowhere.test: no such name (NXDOMAIN)",
        "mail.test": "mail.test: the name exists, but has no A or AAAA record",
        "failing.test": "failing.test: the name server failed (SERVFAIL)",
    }
    for name, text in texts.items():
        error = (await ask(resolver, name)).error
        assert isinstance(error, OSError)
        assert error.strerror == text
    (etc / "nsswitch.conf").write_text("hosts: files\n")
    server.records["a.test", "A"] = (60, ["192.0.2.1"])
    await until_found(resolver, "a.test", set())
    assert "does not name dns" in str((await ask(resolver, "a.test")).error)


@pytest.mark.parametrize(
    ("resolv", "searches"),
    [
        ("nameserver 192.0.2.53\nsearch a.test b.test\n", True),
        ("\tdomain\ta.test", True),
        ("search\n", False),
        ("# search a.test\noptions ndots:5\n", False),
    ],
)
def test_whether_there_are_search_domains(
    resolv: str, searches: bool, etc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "prober")
    (etc / "resolv.conf").write_text(resolv)
    assert system_names.read().searches is searches
    monkeypatch.setattr(socket, "gethostname", lambda: "prober.a.test")
    assert system_names.read().searches


async def test_with_search_domains_a_failing_name_is_asked_for_as_it_is(
    server: Server, resolver: Resolver, etc: Path
) -> None:
    (etc / "hosts").write_text("192.0.2.9 other.test\n")
    (etc / "resolv.conf").write_text("search corp.test\n")
    server.failing.add("failing.test")
    lookup = await ask(resolver, "failing.test")
    assert "failed (SERVFAIL)" in str(lookup.error)
    assert lookup.until == 0  # not kept
    (etc / "nsswitch.conf").write_text("hosts: dns files\n")
    (etc / "hosts").write_text("192.0.2.9 failing.test\n")
    await until_found(resolver, "failing.test", {"192.0.2.9"})


async def test_a_zone_that_this_machine_does_not_have_is_our_fault(resolver: Resolver) -> None:
    error = (await ask(resolver, "fe80::1%nowhere0")).error
    assert isinstance(error, socket.gaierror)
    assert reason_of_lookup(error) == "prober_error"
    assert "expected a network interface 'nowhere0' on this machine, found none" in str(error)


async def test_a_server_that_is_not_there_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{sock.getsockname()[1]}"
    with contextlib.closing(Resolver([place])) as resolver:
        error = (await ask(resolver, "a.test")).error
    assert isinstance(error, OSError)
    assert error.strerror == "a.test: no name server is there: the connection was refused"
