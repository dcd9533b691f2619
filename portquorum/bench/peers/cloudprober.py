"""cloudprober: probes by itself, exports sums.

https://cloudprober.org

As it is by default: sums of each target every 10 s, for Prometheus and to its output. It would look
for the metadata servers of clouds, at addresses that are not loopback: it is told not to, and for
Google's, which it asks all the same, that they are at a port of loopback where nobody is.
"""

import contextlib
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from portquorum.bench.peers.peer import PeerLoad

INTERVAL_MS: Final = 2_000
TIMEOUT_MS: Final = 1_800

_SUMS: Final = re.compile(rb"probe=(\S*?),dst=(\S*) total=(\d+) success=(\d+)")


class Cloudprober:
    """See `peers.peer.Peer`."""

    name = "cloudprober"
    programs = ("cloudprober",)
    how_to_get = "go install github.com/cloudprober/cloudprober/cmd/cloudprober@v0.14.0"

    def command(self, program: str, work: PeerLoad) -> tuple[list[str], Mapping[str, str]]:
        """One probe a port; its targets begin 10 ms apart, which is its default."""
        path = work.folder / "cloudprober.cfg"
        path.write_text(self.config(work), encoding="utf-8")
        options = ["-cloud_metadata=none", "-disable_cloud_logging"]
        variables = {
            "GCE_METADATA_HOST": "127.0.0.1:1",
            "CLOUDPROBER_DISABLE_CLOUD_LOGGING": "1",
        }
        return [program, f"-config_file={path}", *options], variables

    def config(self, work: PeerLoad) -> str:
        """The whole configuration."""
        hosts: dict[int, list[str]] = {}
        for host, port in work.places(max(1, round(work.rate * INTERVAL_MS / 1000))):
            hosts.setdefault(port, []).append(host)
        probes = [
            f'probe {{\n  name: "port-{port}"\n  type: TCP\n'
            f'  targets {{ host_names: "{",".join(names)}" }}\n'
            f"  interval_msec: {INTERVAL_MS}\n  timeout_msec: {TIMEOUT_MS}\n"
            f"  tcp_probe {{ port: {port} }}\n}}\n"
            for port, names in hosts.items()
        ]
        return f'host: "127.0.0.1"\nport: {work.port}\nstop_time_sec: 1\n{"".join(probes)}'

    def driven(self, _work: PeerLoad) -> AbstractContextManager[None]:
        """It probes by itself."""
        return contextlib.nullcontext()

    def failed(self, _work: PeerLoad, log: Path) -> int:
        """By the last sums of each target."""
        last: dict[tuple[bytes, bytes], int] = {}
        with log.open("rb") as lines:
            for line in lines:
                if (found := _SUMS.search(line)) is not None:
                    probe, host, total, success = found.groups()
                    last[probe, host] = int(total) - int(success)
        return sum(last.values())
