"""Gatus: a status page that checks by itself.

https://github.com/TwiN/gatus

As it is by default: three checks at a time, each result logged and kept in memory. It
waits 222 ms between the starts of two endpoints, so the rate is made of few of them with short
intervals.
"""

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import msgspec

from portquorum.bench.peers.peer import PeerLoad

ENDPOINTS: Final = 40


class Gatus:
    """See `peers.peer.Peer`."""

    name = "Gatus"
    programs = ("gatus",)
    how_to_get = "go install github.com/TwiN/gatus/v5@v5.36.0"

    def command(self, program: str, work: PeerLoad) -> tuple[list[str], Mapping[str, str]]:
        """One condition an endpoint: that it is connected."""
        path = work.folder / "gatus.yaml"
        path.write_bytes(msgspec.yaml.encode(self.config(work)))
        return [program], {"GATUS_CONFIG_PATH": str(path)}

    def config(self, work: PeerLoad) -> dict[str, Any]:
        """The whole configuration."""
        count = max(1, min(ENDPOINTS, round(work.rate)))
        return {
            "web": {"address": "127.0.0.1", "port": work.port},
            "endpoints": [
                {
                    "name": f"target-{number}",
                    "url": f"tcp://{host}:{port}",
                    "interval": f"{round(count / work.rate * 1e6)}us",
                    "conditions": ["[CONNECTED] == true"],
                }
                for number, (host, port) in enumerate(work.places(count))
            ],
        }

    def driven(self, _work: PeerLoad) -> AbstractContextManager[None]:
        """It checks by itself."""
        return contextlib.nullcontext()

    def failed(self, _work: PeerLoad, log: Path) -> int:
        """It logs each result."""
        with log.open("rb") as lines:
            return sum(b"success=false" in line for line in lines)
