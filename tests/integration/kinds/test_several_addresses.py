"""Names with several addresses, in a network namespace in which some of them can't be tried."""

import json
import subprocess
import sys
from typing import Any, Final

import pytest

pytestmark = pytest.mark.root

# 10.9.0.2 refuses, 10.9.0.3 is silent, 10.9.0.4 is prohibited by a route of our own, and 10.9.1.1
# has no route. Port 9 is open at 10.9.0.1.
_SETUP: Final = """
set -e
ip link set lo up
for n in 1 2 3; do ip address add 10.9.0.$n/32 dev lo; done
ip route add prohibit 10.9.0.4/32
echo "0 2147483647" > /proc/sys/net/ipv4/ping_group_range
nft add table inet t
nft 'add chain inet t o { type filter hook output priority 0; }'
nft add rule inet t o ip daddr 10.9.0.3 drop
sysctl -qw net.ipv6.conf.all.disable_ipv6="$1"
cat > "$2" <<'HOSTS'
10.9.0.2 refuses
2001:db8::1 refuses
2001:db8::1 ipv6
10.9.0.3 silent
10.9.1.1 silent
10.9.0.2 prohibited
10.9.0.4 prohibited
10.9.0.4 answers
10.9.0.3 answers
10.9.0.2 answers
10.9.0.1 answers
10.9.0.3 loses
10.9.0.2 loses
HOSTS
mount --bind "$2" /etc/hosts
shift 2
exec "$@"
"""

_CHECKS: Final = """
import asyncio, socket, sys, msgspec
from producers.engine.single_check import check_once

CASES = msgspec.json.decode(sys.argv[1])
async def all_of_them():
    with socket.create_server(("10.9.0.1", 9)):
        return await asyncio.gather(
            *(check_once(host, None if kind == "icmp" else 9, kind, 2) for host, kind in CASES)
        )

print(msgspec.json.encode(asyncio.run(all_of_them())).decode())
"""

CASES: Final = (
    ("refuses", "tcp"),
    ("refuses", "smtp"),
    ("ipv6", "tcp"),
    ("silent", "tcp"),
    ("silent", "smtp"),
    ("prohibited", "tcp"),
    ("prohibited", "smtp"),
    ("answers", "tcp"),
    ("loses", "icmp"),
)


@pytest.fixture(scope="module", params=[0, 1], ids=["no route of IPv6", "IPv6 is off"])
def found(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], dict[str, Any]]:
    hosts = tmp_path_factory.mktemp("hosts") / "hosts"
    hosts.touch()
    done = subprocess.run(
        [
            *("unshare", "--net", "--mount", "sh", "-c", _SETUP, "sh", str(request.param)),
            *(str(hosts), sys.executable, "-c", _CHECKS, json.dumps(CASES)),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(CASES, json.loads(done.stdout.splitlines()[-1]), strict=True))


Found = dict[tuple[str, str], dict[str, Any]]


@pytest.mark.parametrize("kind", ["tcp", "smtp"])
def test_a_prober_without_ipv6_sees_the_refusal(found: Found, kind: str) -> None:
    outcome = found["refuses", kind]
    assert (outcome["status"], outcome["reason"]) == ("down", "connection_refused")
    assert outcome["address"] == "10.9.0.2"
    assert "2001:db8::1: " in outcome["detail"]


def test_without_ipv6_a_name_that_has_nothing_else_is_no_outage_of_its_host(found: Found) -> None:
    assert found["ipv6", "tcp"]["reason"] in {"network_unreachable", "prober_error"}


@pytest.mark.parametrize("kind", ["tcp", "smtp"])
def test_silence_says_more_than_the_lack_of_a_route(found: Found, kind: str) -> None:
    outcome = found["silent", kind]
    assert (outcome["status"], outcome["reason"]) == ("down", "timed_out")
    assert outcome["detail"].startswith("10.9.0.3: timed out after ")
    assert "; 10.9.1.1: Network is unreachable" in outcome["detail"]


@pytest.mark.parametrize("kind", ["tcp", "smtp"])
def test_an_address_that_our_own_routes_prohibit_was_not_tried(found: Found, kind: str) -> None:
    outcome = found["prohibited", kind]
    assert (outcome["status"], outcome["reason"]) == ("missed", "prober_error")
    assert outcome["detail"].startswith("10.9.0.4: ")
    assert "; 10.9.0.2: Connection refused" in outcome["detail"]


def test_the_one_that_answers_is_found_behind_all_others(found: Found) -> None:
    outcome = found["answers", "tcp"]
    assert (outcome["status"], outcome["address"]) == ("up", "10.9.0.1")


def test_an_echo_request_goes_to_the_next_address(found: Found) -> None:
    outcome = found["loses", "icmp"]
    assert (outcome["status"], outcome["address"]) == ("up", "10.9.0.2")
