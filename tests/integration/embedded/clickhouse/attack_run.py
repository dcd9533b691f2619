# ruff: noqa: S608 (names of the run itself)
"""Sends all attacks to a service of its own and prints what came of it, as JSON.

`python -m tests.integration.embedded.clickhouse.attack_run FOLDER [--unguarded] [--alone]`.
`--alone` is for a network namespace in which every address is this machine's and nftables count
packets.
"""

import dataclasses
import json
import re
import socket
import subprocess
import sys
import time
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import psutil

from tests.integration.embedded.clickhouse.attack_requests import HOSTILE
from tests.integration.embedded.clickhouse.attack_scene import (
    ANSWER_S,
    MARKS,
    WELL_KNOWN,
    Listeners,
    Pings,
    Service,
    Surroundings,
    forms,
    own_state,
    read_answer,
    running,
)
from tests.integration.embedded.clickhouse.attacks import ENDS_THE_ENGINE, Attack, Place, statements

GUARDED: Final = "portquorum.embedded.clickhouse.main"
UNGUARDED: Final = "tests.integration.embedded.clickhouse.unguarded"
TABLE: Final = "portquorum.kept"
_LATE_S: Final = 30.0
# These wait for programs that can't start and hosts that can't be asked; the client leaves.
_SLOW: Final = re.compile(r"\b(?:odbc|jdbc|hdfs|mysql)\(")
_LEAVES_AFTER_S: Final = 1.0
# An owner's statement that waits for a host that can't be reached gives up soon.
_SOON: Final = {
    "max_execution_time": "3",
    "http_max_tries": "1",
    "http_connection_timeout": "1",
    "s3_retry_attempts": "0",
    "connections_with_failover_max_tries": "1",
}
# What the kernel says at its walls.
_WALL: Final = re.compile(rb"Permission denied|Operation not permitted|errno: (?:1|13),")
_UNKNOWN: Final = ("1001", "1002")


@dataclasses.dataclass
class Outcome:
    """What came of all attacks; each list names the attacks by their texts."""

    walls: bool = True
    """Whether the kernel has any; without them nothing is sent to an engine without a guard."""
    sent: int = 0
    refused: int = 0
    leaked: list[str] = dataclasses.field(default_factory=list)
    at_the_walls: list[str] = dataclasses.field(default_factory=list)
    """Those that the kernel stopped, and not the guard."""
    unanswered: list[str] = dataclasses.field(default_factory=list)
    unknown: list[str] = dataclasses.field(default_factory=list)
    """Errors without a code of ClickHouse's."""
    changed_by_reader: list[str] = dataclasses.field(default_factory=list)
    changed_outside: list[str] = dataclasses.field(default_factory=list)
    connections: list[str] = dataclasses.field(default_factory=list)
    processes: list[str] = dataclasses.field(default_factory=list)
    said: list[str] = dataclasses.field(default_factory=list)
    """Marks on standard error."""
    packets: int = 0
    counted_at_the_end: int = 0
    """Packets that the run itself sends, to show that they are counted."""
    reading_is_seen: bool = False
    pings: int = 0
    ping_late_s: float = 0.0
    wrong_pings: list[str] = dataclasses.field(default_factory=list)
    alive: bool = False
    ended_s: float = 0.0


def main() -> None:
    """Runs and prints."""
    place, *options = sys.argv[1:]
    alone = "--alone" in options
    surroundings = Surroundings(Path(place))
    listeners = Listeners(WELL_KNOWN if alone else ())
    outcome = Outcome()
    module = UNGUARDED if "--unguarded" in options else GUARDED
    with running(surroundings, module) as service:
        names = Place(
            str(surroundings.outside / "secret.csv"),
            str(surroundings.outside),
            str(service.own),
            TABLE,
            listeners.port,
        )
        outcome.walls = b"no walls around the engine" not in service.said
        if not outcome.walls and module == UNGUARDED:
            _tell(outcome)
            return
        _fill(service)
        surroundings.settle()
        before = surroundings.state()
        waited_for = _waited_for(service)
        if alone:
            _count(service.port)
        with Pings(service.port) as pings:
            _attack(service, names, outcome, unguarded=module == UNGUARDED)
        outcome.pings, outcome.ping_late_s = pings.found.count, round(pings.found.late_s, 3)
        outcome.wrong_pings = pings.found.wrong
        outcome.alive = not service.ended and service.engine.is_running()
        outcome.alive = outcome.alive and service.value("SELECT 41 + 1") == "42\n"
        outcome.processes = _processes(service, waited_for)
        after = surroundings.state()
        outcome.changed_outside = sorted(
            name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
        )
        outcome.connections = list(listeners.seen)
        if alone:
            outcome.packets = _counted()
            _send(listeners)
            outcome.counted_at_the_end = _counted() - outcome.packets
        (surroundings.outside / "secret.csv").read_bytes()
        outcome.reading_is_seen = surroundings.state() != after
        outcome.ended_s = round(service.stop(), 2)
        marks = [*MARKS, "marked", service.password]
        outcome.said = [mark for mark in marks if mark.encode() in service.said]
    _tell(outcome)


def _tell(outcome: Outcome) -> None:
    print(json.dumps(dataclasses.asdict(outcome)))  # noqa: T201 - the test reads it


def _fill(service: Service) -> None:
    for name in ("kept", "kept2"):
        table = f"portquorum.{name}"
        service.value(f"CREATE TABLE {table} (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
        service.value(f"SYSTEM STOP MERGES {table}")
        for part in range(3):
            service.value(f"INSERT INTO {table} SELECT number + {part}, 'x' FROM numbers(1000)")


def _attack(service: Service, names: Place, outcome: Outcome, *, unguarded: bool) -> None:
    sums = "SELECT count(), sum(cityHash64(*)), max(b) FROM portquorum.kept"
    before = service.value(sums), own_state(service.own)
    for attack in statements(reader=True):
        _send_one(service, names.filled(attack), outcome, owner=False)
    after = service.value(sums), own_state(service.own)
    if before[0] != after[0]:
        outcome.changed_by_reader.append(f"{before[0]} → {after[0]}")
    changed = before[1].items() ^ after[1].items()
    outcome.changed_by_reader += sorted({name for name, _ in changed})
    for attack in statements(reader=False):
        if unguarded and attack.sql in ENDS_THE_ENGINE:
            continue
        _send_one(service, names.filled(attack), outcome, owner=True)
    for request in HOSTILE:
        _send_raw(service, request, outcome)


def _send_one(service: Service, attack: Attack, outcome: Outcome, *, owner: bool) -> None:
    if service.ended:
        return
    outcome.sent += 1
    text = f"{'owner' if owner else 'reader'}: {attack.sql[:200]} {attack.params or ''}"
    params = dict(attack.params)
    if owner and "session_id" not in params:
        params = _SOON | params
    patient = not _SLOW.search(attack.sql)
    try:
        status, headers, body = service.ask(
            attack.sql,
            owner=owner,
            params=urlencode(params),
            headers=attack.headers,
            timeout_s=_LATE_S if patient else _LEAVES_AFTER_S,
        )
    except (OSError, HTTPException, ValueError) as error:
        if patient:
            outcome.unanswered.append(f"{text}: {error!r}")
        return
    outcome.refused += status >= 400
    code = headers.get("X-ClickHouse-Exception-Code")
    if code in _UNKNOWN or (status >= 500 and code is None):
        outcome.unknown.append(f"{text}: {status} {body[:300]!r}")
    seen = body + "\n".join(headers.values()).encode(errors="replace")
    # An error may repeat the statement, which names files, and no mark.
    if any(form in seen for mark in (*MARKS, service.password) for form in forms(mark)):
        outcome.leaked.append(f"{text}: {body[:300]!r}")
    if status >= 400 and _WALL.search(body):
        outcome.at_the_walls.append(text)


def _send_raw(service: Service, request: bytes, outcome: Outcome) -> None:
    if service.ended:
        return
    outcome.sent += 1
    owner = "\r\n".join(f"{name}: {text}" for name, text in service.owner.items())
    request = request.replace(b"<host>", f"127.0.0.1:{service.port}".encode())
    request = request.replace(b"<auth>", owner.encode())
    answer = bytearray()
    try:
        address = ("127.0.0.1", service.port)
        with socket.create_connection(address, timeout=ANSWER_S) as connection:
            connection.sendall(request)
            read_answer(connection, answer)
    except TimeoutError:
        outcome.unanswered.append(repr(request[:120]))
    except OSError:
        pass  # it need not read all of a request that it refuses
    outcome.refused += not answer.startswith(b"HTTP/1.1 200")
    if answer.startswith(b"HTTP/1.1 500") and b"X-ClickHouse-Exception-Code" not in answer:
        outcome.unknown.append(f"{request[:200]!r}: {bytes(answer[:300])!r}")
    if any(f"Exception-Code: {code}\r".encode() in answer for code in _UNKNOWN):
        outcome.unknown.append(f"{request[:200]!r}: {bytes(answer[-300:])!r}")
    if any(form in answer for mark in (*MARKS, service.password) for form in forms(mark)):
        outcome.leaked.append(repr(request[:200]))


def _waited_for(service: Service) -> int:
    """Page faults of the children that the engine's process has waited for (cminflt of proc(5))."""
    stat = Path(f"/proc/{service.engine.pid}/stat").read_text().rpartition(")")[2].split()
    return int(stat[8])


def _processes(service: Service, waited_for: int) -> list[str]:
    """Those that the engine's process has, or had and waited for."""
    found = [str(child) for child in service.engine.children(recursive=True)]
    if (faults := _waited_for(service) - waited_for) != 0:
        found.append(f"children with {faults} page faults")
    watched = psutil.Process(service.process.pid)
    known = {"engine_process", "watchdog_process"}
    return found + [
        str(child)
        for child in watched.children()
        if not any(name in " ".join(child.cmdline()) for name in known)
    ]


def _count(port: int) -> None:
    """Counts every packet of this namespace that is not between us and the service."""
    rules = f"""
    table inet attacks {{
      counter others {{ }}
      chain out {{
        type filter hook output priority 0;
        tcp dport {port} accept
        tcp sport {port} accept
        counter name others
      }}
    }}
    """
    subprocess.run(["nft", "-f", "-"], input=rules.encode(), check=True)


def _counted() -> int:
    listed = subprocess.run(["nft", "-j", "list", "counters"], capture_output=True, check=True)
    return sum(one["counter"]["packets"] for one in json.loads(listed.stdout)["nftables"][1:])


def _send(listeners: Listeners) -> None:
    """One connection and one datagram to another host, as a leak would be."""
    before = len(listeners.seen)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.sendto(b"x", ("192.0.2.1", 53))
    socket.create_connection(("192.0.2.1", listeners.port), timeout=5).close()
    deadline = time.monotonic() + 5
    while len(listeners.seen) < before + 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(listeners.seen) == before + 2, "the listeners take what comes"


if __name__ == "__main__":
    main()
