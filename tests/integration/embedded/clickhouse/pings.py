"""Asks a server for `/ping` until standard input ends; prints what came, as JSON.

`python -m tests.integration.embedded.clickhouse.pings PORT`. A process of its own:
nothing that a test does makes an answer late.
"""

import dataclasses
import json
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException


@dataclasses.dataclass
class Found:
    """What came."""

    count: int = 0
    longest_s: float = 0.0
    machine_s: float = 0.0
    """How much longer than asked for a sleep of 20 ms was."""
    wrong: list[str] = dataclasses.field(default_factory=list)

    @property
    def late_s(self) -> float:
        """What the service itself was late by."""
        return max(0.0, self.longest_s - self.machine_s)


def ping(port: int, stop: threading.Event) -> Found:
    """Asks over one connection, every 20 ms."""
    found = Found()
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    while not stop.is_set():
        slept_at = time.monotonic()
        time.sleep(0.02)
        begun_at = time.monotonic()
        found.machine_s = max(found.machine_s, begun_at - slept_at - 0.02)
        try:
            connection.request("GET", "/ping")
            with connection.getresponse() as answer:
                if (answer.status, answer.read()) != (200, b"Ok.\n"):
                    found.wrong.append(f"status {answer.status}")
        except (OSError, HTTPException) as error:
            found.wrong.append(repr(error))
            connection.close()
        found.longest_s = max(found.longest_s, time.monotonic() - begun_at)
        found.count += 1
    connection.close()
    return found


def main() -> None:
    """Until standard input ends."""
    stop = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait).start()
    print(json.dumps(dataclasses.asdict(ping(int(sys.argv[1]), stop))))  # noqa: T201 - the result


if __name__ == "__main__":
    main()
