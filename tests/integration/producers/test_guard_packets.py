"""No packet leaves for an address that is not public: counted by the packet filter."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.root

_SETUP = """
set -e
ip link set lo up
# Every address is one of this machine: whatever is sent has a way.
ip route add local default dev lo && ip -6 route add local default dev lo
nft add table inet t
nft 'add chain inet t o { type filter hook output priority 0; }'
nft add counter inet t of_tcp && nft add counter inet t of_udp
nft add rule inet t o meta l4proto tcp counter name of_tcp
nft add rule inet t o udp dport != 53 counter name of_udp
exec "$@"
"""

_CHECKS = """
import asyncio, json, subprocess
from msgspec.structs import replace
from producers.prober.connectivity import Connectivity
from producers.checks.model import PlannedCheck, Vantage
from producers.engine.factory import platform_engine
from schemas.probe import HttpProbe, UdpProbe
from schemas.target import Target
from tests.unit.producers.checks.guard_corpus import BLOCKED, SAME

def counted():
    done = subprocess.run(["nft", "-j", "list", "counters"], capture_output=True, check=True)
    return sum(one["counter"]["packets"] for one in json.loads(done.stdout)["nftables"][1:])

async def check(hosts, vantage):
    engine, reasons = platform_engine(vantage), []
    target = Target(id="t", name="t", kind="tcp", host="x", port=7, regions=("r",),
                    interval_ms=60000, timeout_ms=2000, version=1, source="t")
    kinds = [("tcp", None), ("smtp", None), ("tls", None), ("http", HttpProbe()),
             ("udp", UdpProbe(send="x"))]
    checks = [replace(target, host=host, kind=kind, probe=probe)
              for host in hosts for kind, probe in kinds]
    for one in checks:
        engine.submit(PlannedCheck(one, 0.0, 0, "schedule"),
                      lambda _, o, host=one.host: reasons.append((host, o.reason)))
    while len(reasons) < len(checks):
        await asyncio.sleep(0.01)
    engine.close()
    return reasons

async def refer(places, vantage):
    engine = platform_engine(vantage)
    made, asked = Connectivity(engine), asyncio.Event()
    made.refer_to(places)
    made.ask(asked.set)
    await asked.wait()
    made.close()
    engine.close()
    return made.alive

def places(hosts):
    return [f"[{host}]:7" if ":" in host else f"{host}:7" for host in hosts]

before = counted()
asyncio.run(refer(places([*BLOCKED, *SAME, "localhost"]), Vantage()))
denied = Vantage(internal=True, deny=("0.0.0.0/0", "::/0"))
alive = asyncio.run(refer(places(["10.1.2.3", "8.8.8.8", "localhost"]), denied))
of_references = counted() - before
asyncio.run(refer(places(["10.1.2.3", "fd00::1"]), Vantage(internal=True)))
allowed_references = counted() - before - of_references

before = counted()
reasons = asyncio.run(check([*BLOCKED, *SAME, "localhost"], Vantage()))
blocked = counted() - before
asyncio.run(check(["10.1.2.3", "::ffff:10.1.2.3", "fd00::1"], Vantage(internal=True)))
print(json.dumps({"checks": len(reasons), "reasons": sorted({str(reason) for _, reason in reasons}),
                  "own": sorted({host for host, reason in reasons if reason == "prober_error"}),
                  "references": of_references,
                  "allowed_references": allowed_references, "alive": alive,
                  "packets": blocked, "allowed": counted() - before - blocked}))
"""


def test_no_packet_leaves_for_what_is_not_public() -> None:
    """The checks of an internal region at the end show that the counters count."""
    command = ["unshare", "--net", "sh", "-c", _SETUP, "sh", sys.executable, "-c", _CHECKS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["checks"] >= 900
    assert found["packets"] == found["references"] == 0
    assert found["alive"], "what may not be asked says nothing of our network"
    assert found["allowed_references"] >= 2
    assert set(found["reasons"]) <= {"address_blocked", "dns_failed", "prober_error"}
    assert all("%" in host for host in found["own"]), "a zone that this machine does not have"
    assert "address_blocked" in found["reasons"]
    assert found["allowed"] >= 3
