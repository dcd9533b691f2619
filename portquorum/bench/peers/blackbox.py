"""blackbox_exporter: probes when it is asked to, over HTTP.

https://github.com/prometheus/blackbox_exporter

Asked as Prometheus asks, by one GET a check on connections that are kept; who asks has a process of
its own (`peers.asker`), whose time is not counted.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from portquorum.bench.peers.asker import Answers
from portquorum.bench.peers.peer import PeerLoad

_CONFIG: Final = {"modules": {"tcp_connect": {"prober": "tcp", "timeout": "2s"}}}


class Blackbox:
    """See `peers.peer.Peer`."""

    name = "blackbox_exporter"
    programs = ("blackbox_exporter", "prometheus-blackbox-exporter")
    how_to_get = "go install github.com/prometheus/blackbox_exporter@v0.27.0"

    def command(self, program: str, work: PeerLoad) -> tuple[list[str], Mapping[str, str]]:
        """The module `tcp_connect` of the example that it comes with."""
        path = work.folder / "blackbox.yml"
        path.write_bytes(msgspec.yaml.encode(_CONFIG))
        where = f"127.0.0.1:{work.port}"
        return [program, f"--config.file={path}", f"--web.listen-address={where}"], {}

    @contextlib.contextmanager
    def driven(self, work: PeerLoad) -> Iterator[None]:
        """Requests the checks."""
        command = [
            sys.executable,
            "-m",
            "portquorum.bench.peers.asker",
            f"{work.port}",
            f"{work.rate:g}",
        ]
        with (
            self._told(work).open("wb") as told,
            subprocess.Popen(
                [*command, *map(str, work.ports)],
                stdin=subprocess.PIPE,
                stdout=told,
                process_group=0,
            ) as process,
        ):
            try:
                yield
            finally:
                if process.stdin is not None:
                    process.stdin.close()

    def failed(self, work: PeerLoad, _log: Path) -> int:
        """Checks reported as failed, and checks without a report."""
        answers = msgspec.json.decode(self._told(work).read_bytes(), type=Answers)
        return answers.asked - answers.succeeded

    def _told(self, work: PeerLoad) -> Path:
        return work.folder / "asker.json"
