"""Sends mutants to a service of its own, and watches whether it stays what it was."""

import re
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Final

import psutil
from msgspec import Struct

from tests.integration.embedded.clickhouse.attack_run import GUARDED
from tests.integration.embedded.clickhouse.attack_scene import (
    ANSWER_S,
    Pings,
    Service,
    Surroundings,
    read_answer,
    running,
)
from tests.integration.embedded.clickhouse.mutations import Mutant, mutant

_HEAD: Final = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r\n(.*?)\r\n\r\n", re.DOTALL)
_CODE: Final = re.compile(rb"X-ClickHouse-Exception-Code: (\d+)")
_UNKNOWN: Final = {b"1001", b"1002"}
# What ClickHouse itself says so: errors of the libraries that it reads formats with.
_CLICKHOUSES_OWN: Final = re.compile(rb"std::exception\. Code: 1001, type: [\w:]+")
_KEPT: Final = 50
"""Of each kind of trouble; the rest is counted."""


class Plan(Struct, frozen=True, kw_only=True):
    """How much."""

    seed: int
    requests: int
    clients: int = 4
    samples: int = 10
    """Between them the requests are sent; the first fifth of them is the warm-up."""


class Sample(Struct, frozen=True, kw_only=True):
    """Both processes of the service together, while it answers."""

    requests: int
    pss_mb: float
    descriptors: int
    threads: int


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of them."""

    plan: Plan
    seconds: float
    statuses: dict[str, int]
    codes: dict[str, int]
    bare: list[str]
    """Status 500 and above without a code of ClickHouse's."""
    unknown: list[str]
    """Codes 1001 and 1002."""
    unanswered: list[str]
    pings: int
    ping_longest_s: float
    ping_late_s: float
    """Without what the machine itself was late by."""
    wrong_pings: list[str]
    samples: list[Sample]
    same_processes: bool
    works: bool
    """An INSERT and a SELECT at the end."""
    ended_s: float
    exit_code: int

    @property
    def warm(self) -> Sample:
        """After the warm-up."""
        return self.samples[len(self.samples) // 5]

    @property
    def wrong(self) -> list[str]:
        """What is not as it must be, in words."""
        last, warm = self.samples[-1], self.warm
        claims = {
            f"{len(self.bare)} answers of 500 without a code": not self.bare,
            f"{len(self.unknown)} errors of no kind": not self.unknown,
            f"{len(self.unanswered)} without an answer": not self.unanswered,
            f"/ping {self.ping_late_s:.2f} s late": self.ping_late_s < 1,
            f"/ping failed: {self.wrong_pings[:3]}": not self.wrong_pings,
            f"{warm.pss_mb:.0f} MB grew to {last.pss_mb:.0f}": last.pss_mb
            < 1.25 * warm.pss_mb + 64,
            f"{warm.descriptors} descriptors grew to {last.descriptors}": last.descriptors
            <= warm.descriptors + 64,
            f"{warm.threads} threads grew to {last.threads}": last.threads <= warm.threads + 32,
            "a process has ended": self.same_processes,
            "INSERT and SELECT don't work any more": self.works,
            f"exit code {self.exit_code} after {self.ended_s:.1f} s": self.exit_code == 0
            and self.ended_s < 10,
        }
        return [words for words, holds in claims.items() if not holds]

    @property
    def report(self) -> str:
        """For people."""
        rate = self.plan.requests / self.seconds
        return "\n".join(
            [
                f"seed {self.plan.seed}",
                f"{self.plan.requests} requests in {self.seconds:.0f} s ({rate:.0f}/s)",
                f"statuses {self.statuses}",
                f"codes {self.codes}",
                f"{self.pings} pings, the longest {self.ping_longest_s:.3f} s",
                f"of which the service {self.ping_late_s:.3f} s",
                *(
                    f"after {s.requests}: {s.pss_mb:.0f} MB (PSS), {s.descriptors} descriptors, "
                    f"{s.threads} threads"
                    for s in self.samples
                ),
                f"SIGTERM ended it in {self.ended_s:.1f} s",
                *(f"unknown: {text}" for text in self.unknown[:20]),
                *(f"bare: {text}" for text in self.bare[:20]),
                *(f"unanswered: {text}" for text in self.unanswered[:20]),
                *(self.wrong or ["nothing wrong"]),
            ]
        )


class _Found:
    """What the clients saw."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.bare: list[str] = []
        self.unknown: list[str] = []
        self.unanswered: list[str] = []
        self.lock = threading.Lock()

    def answer(self, sent: Mutant, number: int, answer: bytes) -> None:
        with self.lock:
            for status, head in _HEAD.findall(answer):
                self.statuses[status.decode()] += 1
                code = _CODE.search(head)
                if code is not None:
                    self.codes[code[1].decode()] += 1
                    own = _CLICKHOUSES_OWN.search(answer)
                    if code[1] in _UNKNOWN and not own and len(self.unknown) < _KEPT:
                        self.unknown.append(f"{number} {sent.seed!r} {answer[-300:]!r}")
                elif status >= b"500" and len(self.bare) < _KEPT:
                    self.bare.append(f"{number} {sent.seed!r} {answer[:300]!r}")
            if not answer:
                self.statuses["none"] += 1

    def nothing(self, sent: Mutant, number: int) -> None:
        with self.lock:
            self.unanswered.append(f"{number} {sent.seed!r}")


def run(plan: Plan, folder: Path) -> Outcome:
    """Carries out a plan."""
    found = _Found()
    with running(Surroundings(folder), GUARDED) as service:
        service.value("CREATE DATABASE mutants ENGINE = Atomic")
        service.value("CREATE TABLE mutants.t (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
        processes = [psutil.Process(service.process.pid), service.engine]
        samples = [_sample(processes, 0)]
        begun_at = time.monotonic()
        with Pings(service.port) as pings:
            sending = _Sending(service, plan, found)
            for part in range(plan.samples):
                until = plan.requests * (part + 1) // plan.samples
                sending.wait(until)
                if service.ended or not service.engine.is_running():
                    break
                service.value("TRUNCATE TABLE IF EXISTS mutants.t")
                samples.append(_sample(processes, until))
            sending.join()
        seconds = time.monotonic() - begun_at
        same = not service.ended and all(process.is_running() for process in processes)
        works = same and _works(service)
        ended_s = service.stop() if same else 0.0
        return Outcome(
            plan=plan,
            seconds=seconds,
            statuses=dict(found.statuses.most_common()),
            codes=dict(found.codes.most_common()),
            bare=found.bare,
            unknown=found.unknown,
            unanswered=found.unanswered,
            pings=pings.found.count,
            ping_longest_s=pings.found.longest_s,
            ping_late_s=pings.found.late_s,
            wrong_pings=pings.found.wrong,
            samples=samples,
            same_processes=same,
            works=works,
            ended_s=ended_s,
            exit_code=service.process.returncode or 0,
        )


def _works(service: Service) -> bool:
    service.value("CREATE OR REPLACE TABLE mutants.last (a UInt64) ENGINE = MergeTree ORDER BY a")
    service.value("INSERT INTO mutants.last VALUES (41), (1)")
    return service.value("SELECT sum(a) FROM mutants.last") == "42\n"


def _sample(processes: list[psutil.Process], requests: int) -> Sample:
    return Sample(
        requests=requests,
        pss_mb=sum(process.memory_full_info().pss for process in processes) / 1e6,
        descriptors=sum(process.num_fds() for process in processes),
        threads=sum(process.num_threads() for process in processes),
    )


class _Sending:
    """The clients, in threads; a request that has no end holds up its own alone."""

    def __init__(self, service: Service, plan: Plan, found: _Found) -> None:
        self._service = service
        self._plan = plan
        self._found = found
        self._numbers = iter(range(plan.requests))
        self._begun = 0
        self._lock = threading.Lock()
        self._clients = [threading.Thread(target=self._client) for _ in range(plan.clients)]
        for thread in self._clients:
            thread.start()

    def wait(self, begun: int) -> None:
        """Until so many requests have begun, or the service has ended."""
        while self._begun < begun and not self._service.ended:
            time.sleep(0.05)

    def join(self) -> None:
        for thread in self._clients:
            thread.join()

    def _client(self) -> None:
        service = self._service
        owner = "\r\n".join(f"{name}: {text}" for name, text in service.owner.items()).encode()
        host = f"127.0.0.1:{service.port}".encode()
        while True:
            with self._lock:
                number = next(self._numbers, None)
                self._begun += number is not None
            if number is None or service.ended:
                return
            sent = mutant(self._plan.seed, number)
            parts = [p.replace(b"<host>", host).replace(b"<auth>", owner) for p in sent.parts]
            _send(service.port, sent, parts, number, self._found)


def _send(port: int, sent: Mutant, parts: list[bytes], number: int, found: _Found) -> None:
    answer = bytearray()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as connection:
            for at, part in enumerate(parts):
                if at:
                    time.sleep(0.002)
                connection.sendall(part)
            if not sent.waits:
                return
            read_answer(connection, answer)
    except TimeoutError:
        found.nothing(sent, number)
        return
    except OSError:
        pass  # a server need not read all of what it refuses
    found.answer(sent, number, bytes(answer))
