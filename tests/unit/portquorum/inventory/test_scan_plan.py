"""What a scan would connect to, and what it suggests for what is open."""

from pathlib import Path

import pytest

from portquorum.inventory import Inventory, check, ports
from portquorum.inventory.scan import OpenPort, plan
from portquorum.inventory.suggestion import as_yaml, entry
from producers.kinds.registry import KINDS

TEXT = """\
regions: {out: {deny: [10.9.0.0/16]}, office: {internal: true}, site: {allow: [10.1.0.0/16]}}
teams: {db: {}, web: {}}
targets:
  - {host: db1.example.com, port: 5432, team: db, regions: [office, out]}
  - {host: db1.example.com, port: 53, kind: udp, team: db, regions: [office]}
  - {host: web1.example.com, port: 443, team: web}
  - {host: web1.example.com, port: 80, team: db}
  - {host: web2.example.com, port: 80, regions: [out]}
  - {host: 10.1.0.7, kind: icmp, regions: [site]}
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    path = tmp_path / "f.yaml"
    path.write_text(TEXT)
    return check([path])


def test_every_host_has_its_turn_and_what_is_watched_is_left_out(inventory: Inventory) -> None:
    found = plan(inventory, (53, 80, 5432))
    assert found.hosts == ("db1.example.com", "web1.example.com", "web2.example.com", "10.1.0.7")
    assert list(found.places()) == [
        ("db1.example.com", 53),
        ("web1.example.com", 53),
        ("web2.example.com", 53),
        ("10.1.0.7", 53),
        ("db1.example.com", 80),
        ("10.1.0.7", 80),
        ("web1.example.com", 5432),
        ("web2.example.com", 5432),
        ("10.1.0.7", 5432),
    ]
    assert (found.count, found.expected_s(3)) == (9, 5.0)


def test_one_host_may_be_named_and_must_be_in_the_inventory(inventory: Inventory) -> None:
    assert list(plan(inventory, (22,), ["10.1.0.7"]).places()) == [("10.1.0.7", 22)]
    with pytest.raises(ValueError, match=r"a host of the inventory, found 'db9\.example\.com'"):
        plan(inventory, (22,), ["db9.example.com"])


@pytest.mark.parametrize(
    ("host", "address", "may"),
    [
        ("db1.example.com", "10.2.0.1", True),  # one of its regions is internal
        ("db1.example.com", "10.9.0.1", False),  # and the other denies this
        ("db1.example.com", "10.3.0.1", False),  # and this machine this
        ("web2.example.com", "10.2.0.1", False),
        ("web2.example.com", "127.0.0.1", False),
        ("web2.example.com", "9.9.9.9", True),
        ("10.1.0.7", "10.1.0.7", True),
        ("10.1.0.7", "10.2.0.1", False),
    ],
)
def test_what_may_be_reached_is_what_the_hosts_regions_may_reach(
    inventory: Inventory, host: str, address: str, *, may: bool
) -> None:
    vantage = plan(inventory, (22,), denied=("10.3.0.0/16",)).vantages[host]
    assert (vantage.blocked_because(address) is None) == may


def test_an_entry_has_what_the_hosts_targets_agree_on(inventory: Inventory) -> None:
    assert entry(OpenPort("db1.example.com", 6379, None), inventory) == {
        "name": "db1.example.com - Redis 6379",
        "kind": "redis",
        "host": "db1.example.com",
        "port": 6379,
        "regions": ["office", "out"],
        "team": "db",
    }
    assert entry(OpenPort("web1.example.com", 7001, None), inventory) == {
        "name": "web1.example.com - port 7001",
        "kind": "tcp",
        "host": "web1.example.com",
        "port": 7001,
    }


def test_every_entry_is_one_that_an_inventory_takes(tmp_path: Path, inventory: Inventory) -> None:
    hosts = ("db1.example.com", "10.1.0.7")
    watched = {(target.host, target.port) for target in inventory.targets}
    lines = [
        f"  {as_yaml(entry(OpenPort(host, port, None), inventory))}\n"
        for host in hosts
        for port in (*ports.SERVICES, 7001)
        if (host, port) not in watched
    ]
    path = tmp_path / "g.yaml"
    path.write_text(TEXT + "".join(lines))
    assert len(check([path]).targets) == len(inventory.targets) + len(lines)


def test_services_are_watched_by_kinds_that_there_are() -> None:
    assert 90 <= len(ports.SERVICES) <= 120
    assert {service.kind for service in ports.SERVICES.values()} <= KINDS.keys()
    for name, kind in KINDS.items():
        # Those of UDP alone are no services of TCP ports.
        if kind.port is not None and name not in {"tls", "dns", "snmp", "ntp"}:
            assert ports.SERVICES[kind.port].kind in {name, "http"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("22", (22,)),
        ("1-3,5432", (1, 2, 3, 5432)),
        (" 80 , 79 - 81 ", (79, 80, 81)),
        ("65535", (65535,)),
    ],
)
def test_ports_as_people_write_them(text: str, found: tuple[int, ...]) -> None:
    assert ports.parse(text) == found


@pytest.mark.parametrize("text", ["", "0", "65536", "3-1", "a", "1-", "-1", "1,,2", "²", "1-2-3"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected ports such as"):
        ports.parse(text)


def test_ports_are_told_as_ranges() -> None:
    assert ports.text((1, 2, 3, 22, 80, 81)) == "1-3, 22, 80-81"
