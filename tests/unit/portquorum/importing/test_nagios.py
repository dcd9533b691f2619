"""Nagios' objects: templates, groups, commands, plugins, and the files that name others."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portquorum.importing.assemble import assemble
from portquorum.importing.model import Options, Report
from portquorum.importing.nagios import read

COMMANDS = """\
define command {
  command_name check_tcp
  command_line $USER1$/check_tcp -H $HOSTADDRESS$ -p $ARG1$ $ARG2$
}
define command {
  command_name web
  command_line /p/check_http -I $HOSTADDRESS$ -H $_HOSTVHOST$ -S --sni $ARG1$ ; a comment
}
define command {
  command_name alive
  command_line $USER1$/check_ping -H $HOSTADDRESS$ -w 3000.0,80% -c 5000.0,100% -p 5
}
"""
HOSTS = """\
define host {
  name            generic-host   ; a template
  check_command   alive
  max_check_attempts 3
  check_interval  5
  retry_interval  1
  check_period    24x7
  hostgroups      all
  register        0
}
define host {
  use generic-host
  host_name  gw
  address    192.0.2.1
}
define host {
  use        generic-host
  host_name  web1
  address    192.0.2.10
  parents    gw
  hostgroups +web
  _VHOST     www.example.com
}
define host {
  use        generic-host
  host_name  web2
  address    192.0.2.11
  hostgroups web
  check_command null
  _VHOST     www.example.com
}
define hostgroup {
  hostgroup_name web
}
define hostgroup {
  hostgroup_name everything
  members *
}
"""
SERVICES = """\
define service {
  name  generic
  max_check_attempts  4
  normal_check_interval 10
  retry_check_interval 2
  contact_groups admins
  register 0
}
define service {
  use generic
  hostgroup_name web
  service_description HTTPS
  check_command web!-u /health -e 200 -s "all well"
  servicegroups shop
}
define service {
  use generic
  host_name gw,web1
  service_description SSH
  check_command check_tcp!22
}
define service {
  use generic
  hostgroup_name all
  host_name !gw
  service_description disk
  check_command check_nrpe!check_disk
}
define service {
  use generic
  host_name gw
  service_description own
  check_command check_own_thing!x
}
"""

Taking = Callable[..., tuple[dict[str, Any], Report]]


@pytest.fixture
def taking(tmp_path: Path) -> Taking:
    def take(*texts: str, name: str = "") -> tuple[dict[str, Any], Report]:
        for number, text in enumerate(texts):
            (tmp_path / f"{number}.cfg").write_text(text)
        options = Options(private="allow")
        return assemble(read([tmp_path / name], options), options)

    return take


def service(line: str, *, extra: str = "") -> str:
    return (
        "define host {\n host_name h\n address h.example.com\n}\n"
        f"define command {{\n command_name c\n command_line /p/{line}\n}}\n"
        "define service {\n host_name h\n service_description s\n check_command c\n"
        f" max_check_attempts 1\n check_interval 5\n{extra}}}\n"
    )


def test_hosts_and_services_with_their_templates(taking: Taking) -> None:
    document, report = taking(COMMANDS, HOSTS, SERVICES)
    found = {one["name"]: one for one in document["targets"]}
    assert set(found) == {"gw", "web1", "web1 HTTPS", "web2 HTTPS", "gw SSH", "web1 SSH"}
    web1 = found["web1"]
    assert (web1["kind"], web1["host"], web1["depends_on"]) == ("icmp", "192.0.2.10", ["gw"])
    assert web1["tags"] == ["all", "web", "everything"]
    assert web1["probe"] == {"count": 5, "max_loss": 0.8}
    assert (web1["interval"], web1["retries"], web1["retry_delay"]) == ("5m", 2, "1m")
    https = found["web1 HTTPS"]
    assert (https["kind"], https["port"], https["depends_on"]) == ("http", 443, ["web1"])
    assert https["probe"] == {
        "path": "/health",
        "headers": {"Host": "www.example.com"},
        "verify": False,
        "server_name": "www.example.com",
        "status": [200],
        "redirects": 0,
        "expect": "all well",
    }
    assert https["tags"] == ["all", "web", "everything", "shop"]
    assert (https["interval"], https["retries"], https["retry_delay"]) == ("10m", 3, "2m")
    assert "depends_on" not in found["web2 HTTPS"]
    assert (found["gw SSH"]["kind"], found["gw SSH"]["port"]) == ("tcp", 22)
    outcomes = {one.name: (one.outcome, one.networked) for one in report.entries}
    assert outcomes == {
        "gw": ("nearly", True),
        "web1": ("nearly", True),
        "web2": ("left_out", False),
        "HTTPS": ("exact", True),
        "SSH": ("exact", True),
        "web1/disk": ("left_out", False),
        "gw/own": ("left_out", True),
    }
    before = next(one.before for one in report.entries if one.name == "HTTPS")
    assert before is not None
    assert (before.interval_s, before.told_after_s) == (600, 360)


PLUGINS = [
    ("check_tcp -H x -p 22", {"kind": "tcp", "host": "x", "port": 22}),
    (
        "check_tcp -H x -p 443 -S -D 30,14",
        {"kind": "tls", "port": 443, "probe": {"critical_days": 14, "warn_days": 30}},
    ),
    (
        r"check_tcp -H x -p 7 -E -s 'PING\r\n' -e PONG -w 1 -c 2",
        {
            "max_ms": 2000,
            "latency": {"max_ms": 1000, "of": "total", "for": 1},
            "probe": {"steps": [{"send": "PING\r\n", "expect": "PONG"}]},
        },
    ),
    ("negate check_tcp -H x -p 23", {"kind": "tcp", "expect": "closed"}),
    ("check_udp -H x -p 7 -s a -e b", {"kind": "udp", "probe": {"send": "a", "expect": "b"}}),
    ("check_ftp -H x", {"kind": "ftp", "port": 21}),
    (
        "check_spop -H x",
        {"kind": "pop3", "port": 995, "probe": {"tls": "implicit", "verify": False}},
    ),
    ("check_imap -H x", {"kind": "imap", "port": 143}),
    (
        "check_smtp -H x -p 587 -S -D 21",
        {
            "kind": "smtp",
            "port": 587,
            "probe": {"tls": "starttls", "critical_days": 0, "warn_days": 21},
        },
    ),
    ("check_ssh -p 2222 x", {"kind": "ssh", "host": "x", "port": 2222}),
    (
        "check_ping -H x -w 100,20% -c 2000,60% -p 5",
        {"kind": "icmp", "timeout": "2s", "probe": {"count": 5, "max_loss": 0.4}},
    ),
    (
        "check_icmp -H x -n 4 -w 1000,50% -c 5000,100%",
        {"kind": "icmp", "probe": {"count": 4, "max_loss": 0.75}},
    ),
    (
        "check_http -H www.example.com",
        {
            "kind": "http",
            "host": "www.example.com",
            "port": 80,
            "probe": {"status": ["100-399"], "redirects": 0},
        },
    ),
    (
        "check_http -I 192.0.2.1 -H a.example.com -C 30,7",
        {
            "kind": "tls",
            "host": "192.0.2.1",
            "port": 443,
            "probe": {"server_name": "a.example.com", "critical_days": 7, "warn_days": 30},
        },
    ),
    (
        "check_http -H x -f follow -r 'a|b' -j PUT",
        {"probe": {"status": ["100-399"], "expect_regex": "a|b", "method": "PUT"}},
    ),
    (
        "check_http -H x -R hello --invert-regex -m 10:20",
        {
            "probe": {
                "status": ["100-399"],
                "redirects": 0,
                "conditions": [
                    {"body": True, "matches": "(?i)hello", "not": True},
                    {"body": True, "length": True, "at_least": 10, "at_most": 20},
                ],
            }
        },
    ),
    (
        "check_http -H x -P 'a=1' -T text/plain -k 'X-A: b' -t 30",
        {
            "timeout": "30s",
            "probe": {
                "body": "a=1",
                "method": "POST",
                "headers": {"X-A": "b", "Content-Type": "text/plain"},
                "status": ["100-399"],
                "redirects": 0,
            },
        },
    ),
    (
        "check_dns -H www.example.com -s 192.0.2.53 -a 192.0.2.7",
        {
            "kind": "dns",
            "host": "192.0.2.53",
            "probe": {"name": "www.example.com", "expect": ["192.0.2.7"]},
        },
    ),
    (
        "check_dig -H ns.example.com -l example.com -T MX",
        {"kind": "dns", "host": "ns.example.com", "probe": {"name": "example.com", "record": "MX"}},
    ),
    ("check_ldap -H x -b dc=a", {"kind": "ldap", "host": "x"}),
    ("check_mysql -H x -u a -p secret1", {"kind": "mysql", "host": "x"}),
    ("check_pgsql -H x -P 5433", {"kind": "postgres", "port": 5433}),
    ("check_ntp_time -H x -w 0.5 -c 1", {"kind": "ntp", "probe": {"max_offset_ms": 1000}}),
    (
        "check_snmp -H x -o .1.3.6.1.2.1.1.3.0 -P 2c -r '^ok'",
        {
            "kind": "snmp",
            "probe": {"version": "2c", "oid": "1.3.6.1.2.1.1.3.0", "expect_regex": "^ok"},
        },
    ),
    (
        "check_ssl_cert -H x -w 30 -c 10",
        {"kind": "tls", "probe": {"critical_days": 10, "warn_days": 30}},
    ),
    ("sudo /p/check_redis.pl -H x -p 6380", {"kind": "redis", "port": 6380}),
    (
        "check_app_url.py 192.0.2.5 8080",
        {"kind": "http", "host": "192.0.2.5", "port": 8080, "probe": {"status": ["100-499"]}},
    ),
]


@pytest.mark.parametrize(("line", "fields"), PLUGINS, ids=[line for line, _ in PLUGINS])
def test_plugins_by_their_options(taking: Taking, line: str, fields: dict[str, Any]) -> None:
    document, report = taking(service(line))
    (target,) = document["targets"]
    assert {name: target.get(name) for name in fields} == fields
    assert report.count("left_out") == 1  # the host, which has no check
    assert "secret1" not in str(document) + str(report)


def test_secrets_are_names(taking: Taking) -> None:
    line = "check_http -H x -S -k 'Authorization: Bearer t0kent0ken'"
    document, report = taking(service(line))
    assert "t0kent0ken" not in str(document) + str(report)
    (target,) = document["targets"]
    assert target["probe"]["headers"] == {"Authorization": "${PORTQUORUM_SECRET_AUTHORIZATION}"}
    assert target["probe"]["insecure"] is True
    assert [one.name for one in report.secrets] == ["PORTQUORUM_SECRET_AUTHORIZATION"]
    document, report = taking(service("check_http -H x -S -D -a 'me:s3cr3tword'"))
    assert "s3cr3tword" not in str(document) + str(report)
    (target,) = document["targets"]
    assert target["probe"]["basic_auth"] == {
        "username": "me",
        "password": "${PORTQUORUM_SECRET_HTTP_PASSWORD}",
    }
    document, report = taking(
        service("check_http -H x -u '/a?apikey=hidden1' -P 'user=a&password=hidden2' -t 9:warning")
    )
    assert "hidden" not in str(document) + str(report)
    (target,) = document["targets"]
    assert target["timeout"] == "9s"
    assert target["probe"]["path"] == "/a?apikey=${PORTQUORUM_SECRET_HTTP_APIKEY}"
    assert target["probe"]["body"] == "user=a&password=${PORTQUORUM_SECRET_HTTP_PASSWORD}"
    document, report = taking(service("check_tcp -H x -p 7 -s 'AUTH hidden3 password' -e OK"))
    assert "hidden3" not in str(document) + str(report)
    (step,) = document["targets"][0]["probe"]["steps"]
    assert step == {"send": "AUTH ${PORTQUORUM_SECRET_CHECK_TCP_LOGIN}", "expect": "OK"}
    document, report = taking(service("check_snmp -H x -C hidden1 -o 1.3.6.1.2.1.1.3.0"))
    assert "hidden1" not in str(document) + str(report)
    assert [one.name for one in report.secrets] == ["PORTQUORUM_SECRET_SNMP_COMMUNITY"]
    assert document["targets"][0]["probe"]["community"] == "${PORTQUORUM_SECRET_SNMP_COMMUNITY}"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("check_nrpe -H x -c load", "no check over the network"),
        ("check_tcp -H x", "names no port"),
        ("check_tcp -H $USER9$ -p 1", "has no value"),
        ("check_tcp -H x -p 1 --nothing", "option"),
        ("check_tcp 'x", "quote without an end"),
        ("check_dns -H www.example.com", "name server of its own machine"),
        ("negate check_ssh x", "closed"),
        ("own_script", "not known here"),
    ],
)
def test_what_is_left_out_says_why(taking: Taking, line: str, word: str) -> None:
    _, report = taking(service(line))
    assert word in (report.entries[1].why or "")


def test_the_main_file_names_others_within_its_folder(tmp_path: Path, taking: Taking) -> None:
    outside = tmp_path / "outside.cfg"
    folder = tmp_path / "etc"
    (folder / "objects" / "deep").mkdir(parents=True)
    outside.write_text("define host {\n host_name bad\n check_command c\n}\n")
    (folder / "nagios.cfg").write_text(
        "interval_length=1\ncfg_file=/usr/local/nagios/etc/objects/a.cfg\ncfg_dir=objects/deep\n"
        "resource_file=/usr/local/nagios/etc/resource.cfg\ncfg_file=../outside.cfg\n"
    )
    (folder / "resource.cfg").write_text("$USER1$=/p\n$USER3$=topsecret\n")
    (folder / "objects" / "a.cfg").write_text(COMMANDS)
    (folder / "objects" / "deep" / "link.cfg").symlink_to(outside)
    (folder / "objects" / "deep" / "b.cfg").write_text(
        "define host {\n host_name h\n address 192.0.2.1\n check_command alive\n"
        " check_interval 30\n max_check_attempts 1\n}\n"
    )
    document, report = taking(name="etc/nagios.cfg")
    (target,) = document["targets"]
    assert (target["name"], target["interval"]) == ("h", "30s")
    assert [one.place.line for one in report.unreadable] == [5]
    assert "bad" not in str(document)


def test_what_is_not_whole_is_told(taking: Taking) -> None:
    _, report = taking(
        "define service {\n use a,b\n host_name x\n service_description s\n"
        " check_command check_ssh\n}\ndefine host {\n host_name y\n"
    )
    assert "expected a }" in report.unreadable[0].why
    (entry,) = report.entries
    assert "its host is not in the files" in " ".join(entry.differences)
    assert "the template" in " ".join(entry.differences)


def test_templates_in_a_circle_end(taking: Taking) -> None:
    text = (
        "define host {\n name a\n use b\n register 0\n}\n"
        "define host {\n name b\n use a\n register 0\n}\n"
    )
    _, report = taking(text + "define host {\n use a\n host_name x\n check_command check_ssh\n}\n")
    assert report.count("nearly") == 1


_LINE = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "define host {",
            "define service{",
            "}",
            "use a,b",
            "name a",
            "register 0",
            "host_name x",
            "host_name *,!x",
            "check_command check_tcp!\\!!$ARG1$",
            "cfg_file=x",
            "check_command check_http!-H x -S9 -C a",
        ]
    ),
)


@settings(max_examples=30)
@given(st.lists(_LINE, max_size=25))
def test_whatever_stands_in_the_file(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.cfg"
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    found = read([path], Options())
    _, report = assemble(found, Options())
    assert len(report.entries) == len(found.entries)
