"""`icmp`, against the kernel of a network namespace of its own: nothing else answers there."""

import subprocess
import sys
from typing import Any, Final

import msgspec
import pytest

pytestmark = pytest.mark.root

# 10.9.0.1 answers; of the requests to 10.9.0.2 the first (ICMP's sequence 0) is lost, to 10.9.0.5
# the first three, to 10.9.0.3 all; a router says of 10.9.0.4 and fd00:9::4 that they can't be
# reached; 10.9.1.1 has no way.
_SETUP: Final = """
set -e
ip link set lo up
ip address add 10.9.0.1/32 dev lo && ip address add 10.9.0.2/32 dev lo
ip address add 10.9.0.3/32 dev lo && ip address add 10.9.0.4/32 dev lo
ip address add 10.9.0.5/32 dev lo
ip address add fd00:9::1/128 dev lo nodad && ip address add fd00:9::4/128 dev lo nodad
echo "$1" > /proc/sys/net/ipv4/ping_group_range
nft add table inet t
nft 'add chain inet t i { type filter hook input priority 0; }'
nft add rule inet t i ip daddr 10.9.0.2 icmp type echo-request icmp sequence 0 drop
nft add rule inet t i ip daddr 10.9.0.5 icmp type echo-request icmp sequence 0-2 drop
nft add rule inet t i ip daddr 10.9.0.3 icmp type echo-request drop
nft add rule inet t i ip daddr 10.9.0.4 icmp type echo-request \
    reject with icmp type host-unreachable
nft add rule inet t i ip6 daddr fd00:9::4 icmpv6 type echo-request \
    reject with icmpv6 type admin-prohibited
shift
exec "$@"
"""

# Who has no right to /work or to the environment of the tests can't import from there: so the
# rights are given up when all is imported.
_CHECKS: Final = """
import asyncio, ctypes, os, socket, sys, msgspec
from portquorum.inventory.probes import probe_of
from producers.engine.single_check import check_once

who, checks = msgspec.json.decode(sys.argv[1])
if who == "nobody":
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    raw = True
except PermissionError:
    raw = False

async def all_of_them():
    return [
        await check_once(host, None, "icmp", 1.5, probe=probe_of("icmp", options, None))
        for host, options in checks
    ]

print(msgspec.json.encode({"raw": raw, "outcomes": asyncio.run(all_of_them())}).decode())
"""

ALL = "0 2147483647"
NOBODY = "1 0"


def checked(group_range: str, who: str, *checks: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """The outcomes, and whether such a process may open raw sockets (CAP_NET_RAW)."""
    arguments = msgspec.json.encode((who, checks)).decode()
    command = ["unshare", "--net", "sh", "-c", _SETUP, "sh", group_range]
    command += [sys.executable, "-c", _CHECKS, arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = msgspec.json.decode(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("group_range", "who", "raw"),
    [(ALL, "nobody", False), (NOBODY, "root", True)],
    ids=["ping_group_range", "CAP_NET_RAW"],
)
def test_with_either_right_echoes_are_sent_and_what_is_lost_is_told(
    group_range: str, who: str, *, raw: bool
) -> None:
    found = checked(
        group_range,
        who,
        ("10.9.0.1", {"count": 2}),
        ("fd00:9::1", {"count": 2}),
        ("10.9.0.2", {"count": 2}),
        ("10.9.0.2", {"count": 2, "max_loss": 0.4}),
        ("10.9.0.3", {"count": 2}),
        ("10.9.0.4", {"count": 2}),
        ("fd00:9::4", {"count": 1}),
        ("10.9.1.1", {"count": 1}),
    )
    assert found["raw"] == raw
    fine, sixth, half, too_much, silent, *unreachable, no_way = found["outcomes"]
    for outcome in (fine, sixth):
        assert (outcome["status"], outcome["reason"]) == ("up", None), outcome
        assert outcome["banner"].startswith("0% of 2 lost, jitter ")
        assert 0 < outcome["connect_ms"] < 1500
        assert outcome["total_ms"] == outcome["connect_ms"]
    assert half["status"] == "up"
    assert half["banner"].startswith("50% of 2 lost")
    assert (too_much["status"], too_much["reason"]) == ("down", "timed_out")
    assert too_much["detail"] == "10.9.0.2: 50% of 2 echo requests lost"
    assert (silent["status"], silent["reason"]) == ("down", "timed_out")
    assert silent["detail"] == "10.9.0.3: 100% of 2 echo requests lost"
    assert silent["connect_ms"] is None
    for outcome in unreachable:
        assert (outcome["status"], outcome["reason"]) == ("down", "host_unreachable"), outcome
    assert (no_way["status"], no_way["reason"]) == ("down", "network_unreachable")
    assert no_way["detail"] == "10.9.1.1: Network is unreachable"


def test_without_a_right_it_is_no_outage() -> None:
    found = checked(NOBODY, "nobody", ("10.9.0.1", {"count": 1}))
    assert found["raw"] is False
    (outcome,) = found["outcomes"]
    assert (outcome["status"], outcome["reason"]) == ("missed", "prober_error")
    assert "net.ipv4.ping_group_range or CAP_NET_RAW" in outcome["detail"]


def test_as_much_as_may_be_lost_is_no_outage() -> None:
    """1 - 0.7 is more than 0.3."""
    found = checked(
        ALL,
        "nobody",
        ("10.9.0.5", {"count": 10, "max_loss": 0.3}),
        ("10.9.0.5", {"count": 10, "max_loss": 0.29}),
    )
    at_most, more = found["outcomes"]
    assert at_most["status"] == "up", at_most
    assert at_most["banner"].startswith("30% of 10 lost")
    assert more["status"] == "down", more


@pytest.mark.parametrize(("group_range", "who"), [(ALL, "nobody"), (NOBODY, "root")])
def test_many_requests_find_room_in_a_short_timeout(group_range: str, who: str) -> None:
    """20 of them a tenth of a second apart would take longer than the timeout of 1.5 s."""
    (outcome,) = checked(group_range, who, ("10.9.0.1", {"count": 20}))["outcomes"]
    assert outcome["status"] == "up", outcome
    assert outcome["banner"].startswith("0% of 20 lost")
