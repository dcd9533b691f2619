"""Both services, and how they look from outside."""

import json
import socket
from pathlib import Path

from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from portquorum.embedded.kafka.main import EmbeddedKafka
from portquorum.embedded.service.child import ServiceProcess

ANY_PORT = "127.0.0.1:0"
SERVICES = {"kafka": EmbeddedKafka, "clickhouse": EmbeddedClickHouse}
# How many processes one is: itself, its watchdog, and the JVM or the engine.
PROCESSES = {"kafka": 3, "clickhouse": 3}


def port_of(service: ServiceProcess) -> int:
    return int(service.address.rpartition(":")[2].partition("/")[0])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def announced(data_dir: Path) -> dict[str, str]:
    path = data_dir / "services.json"
    return json.loads(path.read_text()) if path.exists() else {}
