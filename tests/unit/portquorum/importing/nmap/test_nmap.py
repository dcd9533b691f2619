"""Scans of nmap through wing and assemble."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portquorum.importing.assemble import assemble
from portquorum.importing.model import Options, Report
from portquorum.importing.nmap import wing

OPTIONS = Options()
HEAD = '<?xml version="1.0"?>\n<!DOCTYPE nmaprun>\n<?xml-stylesheet href="nmap.xsl"?>\n'


def port(number: int, service: str = "", state: str = "open", protocol: str = "tcp") -> str:
    return (
        f'<port protocol="{protocol}" portid="{number}"><state state="{state}" reason="syn-ack"/>'
        f"{service}<script id='ssl-cert' output='secret'/></port>"
    )


def service(name: str, *, probed: bool = True, ssl: bool = False) -> str:
    tunnel = ' tunnel="ssl"' if ssl else ""
    method = "probed" if probed else "table"
    return f'<service name="{name}"{tunnel} method="{method}" conf="10"/>'


def host(*ports: str, name: str = "", address: str = "192.0.2.7") -> str:
    names = f'<hostname name="{name}" type="user"/>' if name else ""
    return (
        f'<host><status state="up" reason="echo-reply"/><address addr="{address}" addrtype="ipv4"/>'
        f'<address addr="AA:BB" addrtype="mac"/><hostnames>{names}<hostname name="ptr.example.net"'
        f' type="PTR"/></hostnames><ports><extraports state="closed" count="990"/>'
        f"{''.join(ports)}</ports></host>"
    )


def scan(*hosts: str) -> str:
    return f'{HEAD}<nmaprun scanner="nmap" version="7.93">{"".join(hosts)}</nmaprun>'


def imported(text: str, folder: Path) -> tuple[list[dict[str, Any]], Report]:
    file = folder / "scan.xml"
    file.write_text(text, encoding="utf-8")
    document, report = assemble(wing.read([file], OPTIONS), OPTIONS)
    return document.get("targets", []), report


def test_services_are_kinds(tmp_path: Path) -> None:
    text = scan(
        host(
            port(22, service("ssh")),
            port(443, service("http", ssl=True)),
            port(8080, service("http")),
            port(993, service("imap", ssl=True)),
            port(587, service("smtp")),
            port(5432, service("postgresql")),
            port(9999, service("weird", ssl=True)),
            port(7777, service("unknown")),
            name="web1.example.com",
        )
    )
    targets, report = imported(text, tmp_path)
    kinds = [(one["kind"], one["port"], one.get("probe")) for one in targets]
    assert kinds == [
        ("ssh", 22, None),
        ("http", 443, {"status": ["100-499"]}),
        ("http", 8080, {"status": ["100-499"]}),
        ("imap", 993, {"tls": "implicit"}),
        ("smtp", 587, {"tls": "none"}),
        ("postgres", 5432, None),
        ("tls", 9999, None),
        ("tcp", 7777, None),
    ]
    assert all(one["host"] == "web1.example.com" for one in targets)
    assert targets[0]["name"] == "web1.example.com - SSH 22"
    assert report.count("exact") == 5


def test_an_address_has_no_certificate_and_a_name_of_its_own(tmp_path: Path) -> None:
    (target,), report = imported(scan(host(port(443, service("http", ssl=True)))), tmp_path)
    assert (target["host"], target["name"]) == ("192.0.2.7", "ptr.example.net - HTTPS 443")
    assert target["probe"]["verify"] is False
    assert report.count("nearly") == 1


def test_a_guess_by_number_counts_where_the_number_is_usual(tmp_path: Path) -> None:
    ports = (
        port(3306, service("mysql", probed=False)),
        port(9000, service("http", probed=False)),
        port(5000, service("upnp", probed=False)),
    )
    targets, report = imported(scan(host(*ports)), tmp_path)
    assert [one["kind"] for one in targets] == ["mysql", "tcp", "http"]
    assert report.count("nearly") == 2


def test_datagrams(tmp_path: Path) -> None:
    ports = (
        port(53, service("domain"), protocol="udp"),
        port(123, service("ntp"), protocol="udp"),
        port(161, service("snmp"), state="open|filtered", protocol="udp"),
        port(69, service("tftp"), protocol="udp"),
        port(36412, protocol="sctp"),
    )
    targets, report = imported(scan(host(*ports)), tmp_path)
    assert [one["kind"] for one in targets] == ["udp", "ntp"]
    assert report.count("left_out") == 3
    assert "open|filtered" in (report.entries[2].why or "")


def test_what_is_not_open_is_counted_and_a_scan_is_no_inventory(tmp_path: Path) -> None:
    text = scan(
        host(port(22), port(23, state="filtered"), port(6379, service("redis"))),
        host(address="192.0.2.8"),
    )
    targets, report = imported(text, tmp_path)
    assert len(targets) == 2
    said = [f"{one.what}: {one.why}" for one in report.ignored]
    assert any("990 closed, 1 filtered" in one for one in said)
    assert any("2 ports are targets now" in one and "1 are seldom open" in one for one in said)
    _, report = imported(scan(host(port(22)), host(port(22))), tmp_path)
    assert len(report.entries) == 1


BOMB = """<!DOCTYPE nmaprun [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>
<nmaprun><host><status state="&b;"/></host></nmaprun>"""
EXTERNAL = """<!DOCTYPE nmaprun [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<nmaprun>&x;</nmaprun>"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "declarations"),
        (EXTERNAL, "declarations"),
        ("<!DOCTYPE html><html></html>", "nmap -oX"),
        ("<html></html>", "nmap -oX"),
        ("", "nmap -oX"),
        ("not xml", "nmap -oX"),
        ("<nmaprun>" + "<a>" * 100, "levels"),
        (
            '<!DOCTYPE nmaprun SYSTEM "http://192.0.2.1/x.dtd"><nmaprun>&x;</nmaprun>',
            "nmap -oX|entit",
        ),
        ('<?xml version="1.0" encoding="nonsense"?><nmaprun/>', "nmap -oX"),
    ],
)
def test_what_is_no_scan_is_refused(text: str, words: str, tmp_path: Path) -> None:
    targets, report = imported(text, tmp_path)
    assert targets == []
    assert report.unreadable
    assert any(word in report.unreadable[0].why for word in words.split("|"))


def test_hosts_before_an_error_are_kept(tmp_path: Path) -> None:
    targets, report = imported(scan(host(port(22)))[: -len("</nmaprun>")], tmp_path)
    assert (len(targets), len(report.unreadable)) == (1, 1)


NAMES = st.sampled_from(["host", "ports", "port", "state", "service", "address", "hostnames", "x"])
VALUES = st.text(alphabet="0123456789abc.:-| open", max_size=8)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            NAMES,
            st.dictionaries(
                st.sampled_from(["portid", "protocol", "state", "name", "addr", "count", "tunnel"]),
                VALUES,
            ),
        ),
        max_size=8,
    )
)
def test_any_tree(tmp_path: Path, nodes: list[tuple[str, dict[str, str]]]) -> None:
    text = ""
    for name, attributes in reversed(nodes):
        written = " ".join(f'{key}="{value}"' for key, value in attributes.items())
        text = f"<{name} {written}>{text}</{name}>"
    imported(f"<nmaprun>{text}</nmaprun>", tmp_path)
