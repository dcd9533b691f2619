"""Other programs are configured for the rate that is asked, and their checks are counted."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from portquorum.bench.listener import answering
from portquorum.bench.peers.asker import CONNECTIONS, Answers
from portquorum.bench.peers.blackbox import Blackbox
from portquorum.bench.peers.cloudprober import INTERVAL_MS, Cloudprober
from portquorum.bench.peers.gatus import Gatus
from portquorum.bench.peers.peer import PeerLoad, found, measure

ROOT = Path(__file__).parents[4]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the bench is for Linux")


def work(folder: Path, rate: float = 5_000) -> PeerLoad:
    return PeerLoad(rate, (7_001, 7_002), folder, 8_080)


def test_the_endpoints_of_gatus_make_the_rate(tmp_path: Path) -> None:
    for rate in (1, 40, 5_000):
        endpoints = Gatus().config(work(tmp_path, rate))["endpoints"]
        seconds = {float(each["interval"].removesuffix("us")) / 1e6 for each in endpoints}
        assert len(seconds) == 1
        assert len(endpoints) / seconds.pop() == pytest.approx(rate)
        assert len({each["url"] for each in endpoints}) == len(endpoints)


def test_the_targets_of_cloudprober_make_the_rate(tmp_path: Path) -> None:
    text = Cloudprober().config(work(tmp_path))
    hosts = [
        host for names in re.findall(r'host_names: "(.*?)"', text) for host in names.split(",")
    ]
    assert len(hosts) / INTERVAL_MS * 1000 == 5_000
    assert len(set(hosts)) == len(hosts)


def test_failures_are_told_by_the_last_sums_of_each_target(tmp_path: Path) -> None:
    log = tmp_path / "log"
    line = "cloudprober 1 2 labels=ptype=tcp,probe=p,dst={} total={} success={} latency=1.5\n"
    counts = (("a", 5, 4), ("b", 5, 5), ("a", 10, 8))
    log.write_text("".join(line.format(*each) for each in counts) + "level=INFO msg=x\n")
    assert Cloudprober().failed(work(tmp_path), log) == 2


def test_failures_are_told_by_each_line_of_gatus(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("Monitored; success=true; errors=0\nMonitored; success=false; errors=1\n")
    assert Gatus().failed(work(tmp_path), log) == 1


def test_a_program_is_looked_for_in_the_folder(tmp_path: Path) -> None:
    assert found(Gatus(), tmp_path) is None or not str(found(Gatus(), tmp_path)).startswith(
        str(tmp_path)
    )
    program = tmp_path / "gatus"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert found(Gatus(), tmp_path) == str(program)


_CHECKER = """
import socket, sys, time
while True:
    socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
    worked = time.process_time() + 0.005
    while time.process_time() < worked:
        pass
    time.sleep(0.005)
"""


class Checker(Gatus):
    """A program that checks one port, as a peer does, with 5 ms of CPU each time."""

    def command(self, program: str, work: PeerLoad) -> tuple[list[str], dict[str, str]]:
        return [program, "-c", _CHECKER, str(work.ports[0])], {}


def test_a_peers_checks_are_those_that_the_listener_has_seen(tmp_path: Path) -> None:
    with answering() as listener:
        told = measure(
            Checker(), sys.executable, PeerLoad.of(200, listener.ports, tmp_path), 0.5, listener
        )
        assert 0 < told.checks < listener.count()
        assert told.cpu_us > 1_000, "the system counts CPU time in steps of 10 ms"
        assert told.memory_mb
        assert told.failed == 0


def test_a_peer_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    class Broken(Checker):
        def command(self, program: str, work: PeerLoad) -> tuple[list[str], dict[str, str]]:
            del work
            return [program, "-c", "raise SystemExit('no such option')"], {}

    with answering() as listener, pytest.raises(SystemExit, match="no such option"):
        measure(Broken(), sys.executable, PeerLoad.of(1, listener.ports, tmp_path), 0.1, listener)


class Exporter:
    """Answers as a blackbox_exporter does; each tenth check fails."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.enough = asyncio.Event()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(4_096):
            self.asked.append(head.decode().split(" ")[1])
            number = len(self.asked)
            if number >= 2 * CONNECTIONS:
                self.enough.set()
            body = f"# TYPE probe_success gauge\nprobe_success {int(number % 10 != 0)}\n".encode()
            if number % 2:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
                writer.write(body)
            else:
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        writer.close()


async def test_each_answer_is_counted_and_those_that_say_success() -> None:
    exporter = Exporter()
    server = await asyncio.start_server(exporter.take, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "portquorum.bench.peers.asker",
                str(port),
                "500",
                "7001",
                "7002",
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        async with asyncio.timeout(30):
            await exporter.enough.wait()
            told, _ = await process.communicate(b"")
    answers = msgspec.json.decode(told, type=Answers)
    count = len(exporter.asked)
    assert answers == Answers(asked=count, succeeded=count - count // 10)
    assert exporter.asked[0].startswith("/probe?module=tcp_connect&target=127.")
    assert len(set(exporter.asked)) == count


def test_the_module_is_that_of_the_example(tmp_path: Path) -> None:
    command, _ = Blackbox().command("blackbox_exporter", work(tmp_path))
    assert "--web.listen-address=127.0.0.1:8080" in command
    config = msgspec.yaml.decode((tmp_path / "blackbox.yml").read_bytes())
    assert config["modules"]["tcp_connect"]["prober"] == "tcp"
