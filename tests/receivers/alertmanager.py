"""Debian's Alertmanager: the program itself, with files and a port of the test's own."""

import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from tests.installed import missing
from tests.integration.kinds.servers import free_port
from tests.receivers.http_receiver import HttpReceiver, Reply, Request

_PACKAGE: Final = "prometheus-alertmanager"
_READY_S: Final = 60
_ANSWER_S: Final = 10


def program() -> str:
    """Where the program is. Skips the test without it (fails with PORTQUORUM_TEST_ALL)."""
    return shutil.which(_PACKAGE) or missing(_PACKAGE)


class NotedAlert(Struct, frozen=True):
    """What Alertmanager told its receiver of one alert: `firing` or `resolved`."""

    at: float
    status: str
    labels: dict[str, str]


class AlertmanagerHook(HttpReceiver):
    """Alertmanager's webhook receiver (prometheus.io/docs, webhook_config; version 4)."""

    def judge(self, request: Request) -> Reply:
        fields = request.json()
        if not isinstance(fields, dict) or fields.get("version") != "4":
            return Reply(status=400, problem="no message of Alertmanager")
        return Reply(text=str(fields["status"]))

    @property
    def noted(self) -> list[NotedAlert]:
        return [
            NotedAlert(arrival.at, alert["status"], alert["labels"])
            for arrival in self.told
            for alert in arrival.request.json()["alerts"]
        ]


class Alertmanager:
    """One that runs until `stop`; `address` is what `alertmanager+http://` goes to."""

    def __init__(self, folder: Path, hook: AlertmanagerHook, resolve_timeout_s: int) -> None:
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        self.hook = hook
        self._folder = folder
        self._log = folder / "alertmanager.log"
        self._process: subprocess.Popen[bytes] | None = None
        file = folder / "alertmanager.yml"
        file.write_text(
            f"global: {{resolve_timeout: {resolve_timeout_s}s}}\n"
            "route: {receiver: hook, group_by: ['...'], group_wait: 100ms, group_interval: 1s,"
            " repeat_interval: 1h}\n"
            "receivers:\n- name: hook\n  webhook_configs:\n"
            f"  - {{url: 'http://127.0.0.1:{hook.port}/', send_resolved: true}}\n"
        )
        self._command = [
            program(),
            f"--config.file={file}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        # Without a peer: nothing but this port is opened.
        self._command.append("--cluster.listen-address=")

    def start(self) -> None:
        """Starts it without any memory; returns when it takes alerts."""
        data = Path(tempfile.mkdtemp(dir=self._folder))
        with self._log.open("ab") as log:
            command = [*self._command, f"--storage.path={data}"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=_ANSWER_S):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"Alertmanager is not ready: {self._log.read_text()[-2_000:]}")

    def stop(self) -> None:
        """Kills it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart_empty(self) -> None:
        """Kills it and starts it on the same port without what it knew."""
        self.stop()
        self.start()

    def alerts(self, *, active: bool = True) -> list[dict[str, Any]]:
        """The alerts that it has now, of its API v2."""
        asked = f"http://{self.address}/api/v2/alerts?active={str(active).lower()}"
        with urllib.request.urlopen(asked, timeout=_ANSWER_S) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


@contextmanager
def running_alertmanager(folder: Path, resolve_timeout_s: int = 5) -> Iterator[Alertmanager]:
    """An Alertmanager on a free port that groups by nothing and tells its hook at once."""
    with AlertmanagerHook() as hook:
        running = Alertmanager(folder, hook, resolve_timeout_s)
        try:
            running.start()
            yield running
        finally:
            running.stop()
