"""Who rejects a packet: a firewall on the way is an outage, this machine's own rules are none."""

import subprocess
import sys
from typing import Any, Final

import msgspec
import pytest

pytestmark = pytest.mark.root

_SETUP: Final = """
set -e
ip link set lo up
ip address add 10.9.0.4/32 dev lo && ip address add fd00:9::4/128 dev lo nodad
ip route add prohibit 10.9.9.0/24 && ip -6 route add prohibit fd00:9:9::/64
nft add table inet t
nft 'add chain inet t i { type filter hook input priority 0; }'
for l4 in tcp udp; do
    nft add rule inet t i ip daddr 10.9.0.4 $l4 dport 81 reject with icmp type admin-prohibited
    nft add rule inet t i ip6 daddr fd00:9::4 $l4 dport 81 reject with icmpv6 type admin-prohibited
done
exec "$@"
"""

_CHECKS: Final = """
import asyncio, sys, msgspec
from portquorum.inventory.probes import probe_of
from producers.engine.single_check import check_once

async def all_of_them(checks):
    options = {"udp": {"send": "x"}}
    return [
        await check_once(host, 81, kind, 2, probe=probe_of(kind, options.get(kind), 81))
        for host, kind in checks
    ]

print(msgspec.json.encode(asyncio.run(all_of_them(msgspec.json.decode(sys.argv[1])))).decode())
"""

KINDS = ("tcp", "smtp", "udp")  # one of each engine, and datagrams


def checked(*hosts: str) -> list[dict[str, Any]]:
    checks = msgspec.json.encode([(host, kind) for host in hosts for kind in KINDS]).decode()
    command = ["unshare", "--net", "sh", "-c", _SETUP, "sh", sys.executable, "-c", _CHECKS, checks]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = msgspec.json.decode(done.stdout.splitlines()[-1])
    return found


def test_a_firewall_that_rejects_is_an_outage() -> None:
    """With IPv6 the kernel tells it as EACCES, as it tells what this machine itself forbids."""
    for outcome in checked("10.9.0.4", "fd00:9::4"):
        assert (outcome["status"], outcome["reason"]) == ("down", "host_unreachable"), outcome


def test_what_this_machine_forbids_says_nothing_of_the_target() -> None:
    for outcome in checked("10.9.9.1", "fd00:9:9::1"):
        assert (outcome["status"], outcome["reason"]) == ("missed", "prober_error"), outcome
        assert outcome["detail"].endswith(": Permission denied")
