"""Runs the health checks of containers, as podman has systemd's timers do it."""

import http.client
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any, Final, Self

_API: Final = "/v4.0.0/libpod/containers"
_TURN_S: Final = 1.0
_SECOND_NS: Final = 1_000_000_000


class Podman:
    """Podman's interface at a socket of the file system."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, path: str) -> Any:
        """The answer's JSON; raises OSError while nobody answers."""
        connection = http.client.HTTPConnection("podman", timeout=120)
        connection.sock = socket.socket(socket.AF_UNIX)
        try:
            connection.sock.settimeout(120)
            connection.sock.connect(str(self._path))
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def containers(self) -> list[dict[str, Any]]:
        """All of them, also those that have ended."""
        found = self.get(f"{_API}/json?all=true") or []
        return [self.get(f"{_API}/{one['Id']}/json") for one in found]


class HealthTimer:
    """A thread that asks each container for its health when its interval is over."""

    def __init__(self, podman: Podman) -> None:
        self._podman = podman
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._asked: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_TURN_S):
            try:
                for one in self._podman.containers():
                    self._ask(one)
            except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
                continue  # it starts, or a container has gone meanwhile

    def _ask(self, one: dict[str, Any]) -> None:
        check = one["Config"].get("Healthcheck") or {}
        if not one["State"]["Running"] or check.get("Test", ["NONE"])[0] == "NONE":
            return
        now = time.monotonic()
        if now - self._asked.get(one["Id"], -1e9) >= check["Interval"] / _SECOND_NS:
            self._asked[one["Id"]] = now
            self._podman.get(f"{_API}/{one['Id']}/healthcheck")
