"""What is right resolves; what is wrong is refused by name, all of it at once."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.inventory import Inventory, InventoryError, check, tree
from portquorum.inventory.errors import path_text
from portquorum.inventory.load import load
from portquorum.inventory.probes import ProbeError, probe_of
from portquorum.inventory.resolve import Known, resolve
from producers.checks.model import Vantage
from producers.kinds.registry import KINDS
from schemas.plain_text import unsafe_in
from schemas.policy import Maintenance, Region, Route, Team
from schemas.probe import DomainProbe, HandshakeProbe, Step, TcpProbe
from schemas.target import LatencyLimit

Write = Callable[..., Path]

DESIGN = """\
regions:
  eu-west: {}
  us-east: {}
  office: {internal: true, source: 10.0.0.7}
teams:
  database: {routes: [db-oncall]}
routes:
  db-oncall: {urls: ["slack://${A}/${B}/${C}", "mailto://u:p@example.com"], severities: [critical]}
defaults: {timeout: 3s, retries: 1, retry_delay: 1s}
targets:
  - name: Production DB - PostgreSQL 5432
    id: prod-db                         # default: slug of the name
    kind: tcp                           # default
    host: DB1.example.com.
    port: 5432
    regions: [eu-west, us-east]         # default: all
    criticality: critical               # critical 30s, important 1m, normal 5m
    interval: 30s                       # over criticality
    consensus: quorum                   # or unanimous, or a fraction
    latency: {max_ms: 250, for: 3}
    team: database
    purpose: orders and payments
    tags: [prod]
    depends_on: [core-switch]
    runbook: https://wiki.example.com/db
  - {id: core-switch, host: 10.0.0.1, port: 22}
maintenance:
  - name: patch night
    targets: [tag:prod]
    start: 2026-12-01T02:00Z
    duration: 2h
    rrule: FREQ=MONTHLY
"""

HEAD = "regions: {a: {}, b: {}}\nteams: {t: {}}\ntargets:\n"


def problems(path: Path) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        check([path])
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


def resolved(path: Path) -> Inventory:
    return check([path])


def test_the_example_of_the_design(file: Write) -> None:
    inventory = resolved(file(DESIGN))
    assert inventory.source == "inventory"
    target, switch = inventory.targets
    assert target.id == "prod-db"
    assert target.host == "db1.example.com"
    assert target.regions == ("eu-west", "us-east")
    assert target.interval_ms == 30_000
    assert target.timeout_ms == 3_000
    assert target.latency == LatencyLimit(max_ms=250, for_results=3)
    assert target.depends_on == ("core-switch",)
    assert switch.regions == ("eu-west", "us-east", "office")
    assert switch.interval_ms == 300_000
    assert switch.name == "10.0.0.1:22"
    kinds = [type(entry) for entry in inventory.policy]
    assert kinds == [Region, Region, Region, Team, Route, Maintenance]
    window = inventory.policy[-1]
    assert isinstance(window, Maintenance)
    assert window.start == 1_796_090_400_000
    assert window.duration_ms == 7_200_000


@pytest.mark.parametrize(
    ("fields", "retries"),
    [
        ("regions: [a]", 2),
        ("regions: [a, a]", 2),
        ("regions: [a, b]", 1),
        ("", 1),
        ("regions: [a], retries: 1", 1),
        ("regions: [a], retries: 0", 0),
        ("regions: [a], timeout: 1s, retry_delay: 1s, interval: 5s", 2),
        ("regions: [a], timeout: 1s, retry_delay: 1s, interval: 4999ms", 1),
    ],
)
def test_a_third_attempt_stands_in_for_other_regions_where_it_fits(
    file: Write, fields: str, retries: int
) -> None:
    (target,) = resolved(file(f"{HEAD}  - {{host: x, port: 1, {fields}}}\n")).targets
    assert target.retries == retries


def test_written_defaults_go_before_the_retries_of_one_region(file: Write) -> None:
    text = HEAD.replace("targets:", "defaults: {retries: 1}\ntargets:")
    (target,) = resolved(file(f"{text}  - {{host: x, port: 1, regions: [a]}}\n")).targets
    assert target.retries == 1


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ("host: x, port: 0", "port: expected a port from 1 to 65535, found 0"),
        ("host: x, port: 65536", "port: expected a port from 1 to 65535, found 65536"),
        ("host: x", "port: expected a port from 1 to 65535, found none"),
        ("host: x, port: '1x'", "port: expected a port from 1 to 65535, found '1x'"),
        ("port: 1", "host: expected a host name or an IP address, found none"),
        ("host: a b, port: 1", "host: expected a host name or an IP address, found 'a b'"),
        ("host: 'a/b', port: 1", "host: expected a host name or an IP address, found 'a/b'"),
        ("host: x, port: 1, regions: [zz]", "regions[0]: expected a region that is defined"),
        ("host: x, port: 1, regions: []", "regions: "),
        ("host: x, port: 1, team: nope", "team: expected a team that is defined (t), found"),
        (
            "host: x, port: 1, interval: 2s",
            "interval: expected an interval of at least the timeout (3s), found 2s",
        ),
        ("host: x, port: 1, interval: 5s", "interval: expected an interval of at least 7s"),
        ("host: x, port: 1, interval: 10", "interval: expected a duration such as 250ms"),
        ("host: x, port: 1, interval: 500ms", "interval: expected 1s to 1d, found 500ms"),
        ("host: x, port: 1, timeout: 1ms", "timeout: expected 50ms to 1h, found 1ms"),
        ("host: x, port: 1, kind: gopher", "kind: expected a kind that can be checked (tcp, "),
        (
            "host: x, kind: smtp, probe: {tls: maybe}",
            "probe.tls: expected implicit, none or starttls, found 'maybe'",
        ),
        (
            "host: x, kind: http, probe: {method: post}",
            "probe.method: expected a method in capital letters such as GET or POST, found 'post'",
        ),
        ("host: x, kind: ssh, probe: {tls: implicit}", "probe: SSH can be checked with tls: none,"),
        (
            "host: x, kind: smtp, probe: {colour: red}",
            "probe.colour: no such option; there are tls",
        ),
        ("host: x, kind: smtp, probe: {kind: tcp}", "probe.kind: no such option; there are tls"),
        ("host: x, kind: smtp, probe: red", "probe: "),
        ("host: x, port: 1, probe: {}", "probe"),
        ("host: x, port: 1, probe: {steps: [{}]}", "probe: steps[0]: expected something to send"),
        (
            "host: x, port: 1, probe: {steps: [{send: a, starttls: true}]}",
            "probe: steps[0]: starttls: expected the answer after which TLS begins",
        ),
        (
            "host: x, port: 1, probe: {tls: implicit, steps: [{expect: a, starttls: true}]}",
            "probe: steps[0]: starttls: expected it without tls, found tls: implicit",
        ),
        (
            (
                "host: x, port: 1, probe: {steps: [{expect: a, starttls: true}, "
                "{expect: b, starttls: true}]}"
            ),
            "probe: steps[1]: starttls: expected it in one step, found it in two",
        ),
        (
            "host: x, port: 1, probe: {warn_days: 30, steps: [{expect: a}]}",
            "probe.warn_days: expected it only with TLS",
        ),
        (
            "kind: redis, host: x, probe: {version: '1.0'}",
            "probe: version: expected none (Redis), found '1.0'",
        ),
        (
            "kind: amqp, host: x, probe: {version: '2.0'}",
            "probe: version: expected one of 0-9-1, 1.0 (AMQP), found '2.0'",
        ),
        (
            "host: x, port: 1, probe: {steps: [{send: a, send_hex: '00'}]}",
            "probe: steps[0]: expected one of send and send_hex, found both",
        ),
        (
            "host: x, port: 1, probe: {steps: [{expect_regex: '('}]}",
            "probe: steps[0]: expected a regular expression (RE2), found '(': missing ): (",
        ),
        (
            "host: x, port: 1, probe: {steps: [{expect: a, expect_hex: '00', expect_regex: a}]}",
            "probe: steps[0]: expected one of expect, expect_hex and expect_regex, found all of",
        ),
        ("host: x, port: 1, probe: {tls: implicit}", "probe.steps: expected a value, for it has"),
        ("host: x, kind: gopher", "kind: expected a kind that can be checked (tcp, "),
        (
            "host: x, kind: smtp, probe: {server_name: a.test}",
            "probe.server_name: expected it only with TLS (tls: implicit or, if",
        ),
        (
            "host: x, kind: imap, port: 993, probe: {tls: none, critical_days: 9}",
            "probe.critical_days: expected it only with TLS (tls: implicit or,",
        ),
        (
            "host: x, port: 1, probe: {verify: false, steps: [{expect: a}]}",
            "probe.verify: expected it only with TLS (tls: implicit or,",
        ),
        (
            "host: x, port: 1, kind: udp, probe: {send: a, send_hex: '00'}",
            "probe: expected one of send and send_hex, found both",
        ),
        (
            "host: x, kind: tls, probe: {min_version: 1.4}",
            "probe.min_version: expected 1.2 or 1.3, found 1.4",
        ),
        (
            "host: x, kind: tls, probe: {server_name: a b}",
            "probe: server_name: expected a host name or an IP address, found 'a b'",
        ),
        (
            "host: x, kind: smtp, port: 465, probe: {server_name: a..b}",
            "probe: server_name: expected a host name or an IP address, found 'a..b'",
        ),
        ("host: x, kind: http, probe: {path: health}", "probe.path: expected a path that begins"),
        ("host: x, kind: http, probe: {path: '/a#b'}", "probe: path: expected a path without a fr"),
        (
            "host: x, kind: http, probe: {headers: {a b: c}}",
            "probe.headers: expected names of headers",
        ),
        (
            "host: x, kind: http, probe: {expect_headers: {Server: '('}}",
            "probe: expect_headers.Server: expected a regular expression (RE2), found '('",
        ),
        (
            "host: x, kind: http, probe: {expect_json: '$['}",
            "probe: expect_json: expected a JSONPath (RFC 9535) such as $.state, found '$['",
        ),
        (
            "host: x, kind: http, probe: {expect_json: $.a, json_value: ok}",
            "probe: json_value: expected a JSON value in quotes, such as '1', 'true' or",
        ),
        (
            "host: x, kind: dns, probe: {name: a.test, record: mx}",
            "probe.record: expected a type of records in capital letters such as A or MX",
        ),
        (
            "host: x, port: 1, probe: {steps: [{send_hex: '0'}]}",
            "probe.steps[0].send_hex: expected",
        ),
        ("host: x, kind: ldap, probe: {tls: true}", "probe.tls: expected implicit, none or star"),
        (
            "host: x, port: 1, latency: {max_ms: 9, of: all}",
            "latency.of: expected connect or total",
        ),
        ("host: x, kind: https", "kind: expected a kind that can be checked (http, with port: 443"),
        ("host: x, kind: HTTP", "kind: expected a kind in small letters such as tcp, found 'HTTP'"),
        (
            "host: 'https://x/', kind: http",
            "host: expected a host name or an IP address, found 'https://x/': of a URL",
        ),
        (
            "host: 'x:443', kind: http",
            "host: expected a host name or an IP address, found 'x:443': the port is",
        ),
        ("host: x, kind: http, probe: {status: '2xx'}", "probe.status: expected statuses from 100"),
        (
            "host: x, kind: http, probe: {status: 2000}",
            "probe.status: expected statuses from 100 to 599 and ranges, such as [2",
        ),
        (
            "host: x, kind: http, probe: {conditions: ['[STATUS] == 200']}",
            "probe.conditions[0]: expected up to 50 conditions, such as [{json: $.state, e",
        ),
        (
            "host: x, kind: http, probe: {conditions: [{json: '[BODY].a', equals: 1}]}",
            "probe: conditions[0]: json: expected a JSONPath (RFC 9535) such as $.state",
        ),
        (
            "host: x, kind: http, probe: {conditions: [{json: $.a, exists: false}]}",
            "probe: conditions[0]: expected what holds of it (equals, ",
        ),
        ("host: x, port: 1, probe: {steps: [{wait: 1}]}", "probe.steps[0].wait: no such option"),
        ("host: x, port: 1, colour: red", "colour: no such field; there are "),
        ("host: x, port: 1, id: Upper", "id: expected an id of at most 128 lower-case"),
        ("host: x, port: 1, criticality: high", "criticality: expected critical, important or"),
        ("host: x, port: 1, consensus: 1.5", "consensus: expected quorum, unanimous or a"),
        ("host: x, port: 1, consensus: most", "consensus: expected quorum, unanimous or a"),
        ("host: x, port: 1, latency: {for: 3}", "latency: expected max_ms, times_usual"),
        ("host: x, port: 1, latency: {times_usual: 1.4}", "latency.times_usual: expected"),
        (
            "host: x, port: 1, latency: {times_usual: 3, warn_ahead: 1d}",
            "latency: expected max_ms be",
        ),
        ("host: x, port: 1, latency: {max_ms: 9, warn_ahead: 31d}", "latency: expected warn_ahead"),
        (
            "host: x, port: 1, latency: {max_ms: 9, warn_ahead: soon}",
            "latency.warn_ahead: expected",
        ),
        (
            "host: x, port: 1, latency: {max_ms: 9, warn_ahead: 1d}, interval: 2h",
            "latency: expected an interval of at most 1h beside warn_ahead, found 2h",
        ),
        (
            "host: x, port: 1, resolver: dns.test",
            "resolver: expected the IP address of a name server, with a port if it is not 53",
        ),
        ("host: x, port: 1, latency: {max_ms: 3000}", "latency: expected max_ms below the"),
        ("host: x, port: 1, latency: {max: 1}", "latency.max: no such field"),
        ("host: x, port: 1, max_ms: 3000", "max_ms: expected it below the timeout (3s), found"),
        ("host: x, port: 1, max_ms: 0", "max_ms: expected a number > 0.0, found 0"),
        ("host: x, port: 1, retries: 11", "retries: expected a whole number <= 10, found 11"),
        ("host: x, port: 1, slo: 0.999", "slo: expected a percentage from 50 to 100 such as 99.9"),
        ("host: x, port: 1, slo: 100.1", "slo: expected a percentage from 50 to 100 such as 99.9"),
        (
            "host: x, port: 1, downtime_cost_per_hour: -1",
            "downtime_cost_per_hour: expected a price of 0 or more an hour, found -1",
        ),
        ("host: x, port: 1, tags: ''", "tags: expected a list, found an empty text"),
        ("host: x, port: 1, depends_on: [y]", "depends_on[0]: expected the id of a target"),
        ("host: x, port: 1, name: '日本'", "name: expected an `id:`, since none can be made"),
    ],
)
def test_a_target_that_is_wrong_is_refused_by_name(file: Write, fields: str, found: str) -> None:
    (said,) = problems(file(f"{HEAD}  - {{{fields}}}\n"))
    assert said.startswith(f"4: targets[0].{found}")


@pytest.mark.parametrize(
    ("own", "where"),
    [
        ("retries: 6", "5: targets[1].retries: expected an interval of at least 10s, the longest"),
        ("retry_delay: 9s", "5: targets[1].retry_delay: expected an interval of at least 11s, "),
        ("timeout: 6s", "5: targets[1].timeout: expected an interval of at least the timeout (6s)"),
    ],
)
def test_what_does_not_fit_an_inherited_interval_is_said_of_the_target_that_says_it(
    file: Write, own: str, where: str
) -> None:
    (said,) = problems(
        file(
            "regions: {a: {}, b: {}}\n"
            "defaults: {interval: 5s, timeout: 1s, retry_delay: 500ms}\n"
            "targets:\n"
            "  - {host: x, port: 1}\n"
            f"  - {{host: y, port: 1, {own}}}\n"
        )
    )
    assert said.startswith(where)


@pytest.mark.parametrize(
    ("kind", "port", "tls"),
    [
        *(("smtp", 465, "implicit"), ("smtp", 587, "starttls"), ("imap", 993, "implicit")),
        *(("pop3", 995, "implicit"), ("ftp", 990, "implicit"), ("amqp", 5671, "implicit")),
        *(("mqtt", 8883, "implicit"), ("smtp", 25, "none"), ("redis", 6379, "none")),
        *(("ldap", 636, "implicit"), ("ldap", 3269, "implicit"), ("ldap", 389, "none")),
    ],
)
def test_the_port_decides_of_tls_whatever_else_is_written(kind: str, port: int, tls: str) -> None:
    options: list[dict[str, object] | None] = [None, {}]
    options += [{"verify": False}, {"warn_days": 30}] if tls != "none" else []
    for written in options:
        probe = probe_of(kind, written, port)
        assert isinstance(probe, HandshakeProbe)
        assert probe.tls == tls
    plain = probe_of(kind, {"tls": "none"}, port)
    assert isinstance(plain, HandshakeProbe)
    assert plain.tls == "none"


def test_no_options_are_as_good_as_none() -> None:
    assert probe_of("udp", {}, 53) == probe_of("udp", None, 53)
    assert probe_of("udp", {}, 123) == probe_of("udp", None, 123)


_WRONG: list[object] = [None, True, 5, -1.5, "", "\0 \u00e4 #(", [], [None], {}, {"a b": "\u00e4"}]
_OPTIONS = {
    (kind, option)
    for kind, what in KINDS.items()
    if what.options is not None
    for option in what.options.__struct_encode_fields__
    if (option,) not in what.json_options  # any value is right there
}


@pytest.mark.parametrize(("kind", "option"), sorted(_OPTIONS))
def test_a_wrong_option_is_told_in_a_sentence(kind: str, option: str) -> None:
    refused = 0
    for value in _WRONG:
        try:
            probe_of(
                kind, {"name": "a.test", option: value} if kind == "dns" else {option: value}, 1
            )
        except ProbeError as error:
            refused += 1
            said = str(error)
            assert "expected" in said or "no such option" in said
            of_others = ("regex ", "found b'", "found None", "found True", "`", "\n", "object ")
            assert [part for part in of_others if part in said] == []
    assert refused >= len(_WRONG) / 3  # numbers and truth values may be texts


def test_a_kind_brings_its_port_and_the_options_of_that_port(file: Write) -> None:
    path = file(
        "regions: {a: {}}\n"
        "targets:\n"
        "  - {host: db, kind: postgres}\n"
        "  - {host: mx, kind: smtp}\n"
        "  - {host: mx, kind: smtp, port: 587}\n"
        "  - {host: mx, kind: imap, port: 993}\n"
        "  - {host: mx, kind: smtp, port: 465, probe: {tls: none}}\n"
        "  - {host: mx2, kind: smtp, port: 465, probe: {critical_days: 7}}\n"
        "  - {host: mx2, kind: smtp, port: 587, probe: {verify: false}}\n"
        "  - {host: db, kind: mysql, probe: {tls: starttls, verify: false}}\n"
        '  - {host: own, port: 7, probe: {steps: [{send: "PING\\r\\n", expect: PONG}]}}\n'
    )
    found = {one.id: (one.name, one.port, one.probe) for one in check([path]).targets}
    assert found == {
        "db-5432": ("db:5432", 5432, HandshakeProbe()),
        "mx-25": ("mx:25", 25, HandshakeProbe()),
        "mx-587": ("mx:587", 587, HandshakeProbe(tls="starttls")),
        "mx-993": ("mx:993", 993, HandshakeProbe(tls="implicit")),
        "mx-465": ("mx:465", 465, HandshakeProbe()),
        "mx2-465": ("mx2:465", 465, HandshakeProbe(tls="implicit", critical_days=7)),
        "mx2-587": ("mx2:587", 587, HandshakeProbe(tls="starttls", verify=False)),
        "db-3306": ("db:3306", 3306, HandshakeProbe(tls="starttls", verify=False)),
        "own-7": ("own:7", 7, TcpProbe(steps=(Step(send="PING\r\n", expect="PONG"),))),
    }


def test_goals_are_the_targets_own_else_its_teams_else_the_default(file: Write) -> None:
    path = file(
        "regions: {a: {}}\n"
        "teams: {web: {slo: 99.5}, db: {slo: 99.95, downtime_cost_per_hour: 1200}, other: {}}\n"
        "defaults: {slo: 99, downtime_cost_per_hour: 10}\n"
        "targets:\n"
        "  - {host: own, port: 1, team: db, slo: 99.9, downtime_cost_per_hour: 0}\n"
        "  - {host: teams, port: 1, team: db}\n"
        "  - {host: half, port: 1, team: web}\n"
        "  - {host: defaults, port: 1, team: other}\n"
        "  - {host: none, port: 1}\n"
        "  - {host: theirs, port: 1, team: far}\n"
    )
    theirs = Team(name="far", slo=98, downtime_cost_per_hour=5)
    entries, found = load([path])
    known = Known(teams={"far": "elsewhere"}, goals={"far": theirs})
    inventory = resolve(entries, "inventory", found, known)
    goals = [(one.slo, one.downtime_cost_per_hour) for one in inventory.targets]
    assert goals == [(99.9, 0), (99.95, 1200), (99.5, 10), (99, 10), (99, 10), (98, 5)]
    assert Team(name="db", slo=99.95, downtime_cost_per_hour=1200) in inventory.policy


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("FREQ=HOURLY", "expected a rule of RFC 5545"),
        ("FREQ=WEEKLY;BYDAY=XX", "expected a rule of RFC 5545"),
        ("every sunday", "expected a rule of RFC 5545"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31", "expected a rule that ever comes true"),
    ],
)
def test_a_window_that_never_comes_is_refused(file: Write, rule: str, found: str) -> None:
    window = f"{{name: w, targets: [x], start: 2026-12-01T02:00Z, duration: 1h, rrule: {rule}}}"
    path = file(f"{HEAD}  - {{id: x, host: x, port: 1}}\nmaintenance:\n  - {window}\n")
    (said,) = problems(path)
    assert said.startswith(f"6: maintenance[0].rrule: {found}")


def test_limits_may_be_learned(file: Write) -> None:
    both = "{max_ms: 250, for: 5, times_usual: 2.5, warn_ahead: 36h}"
    path = file(
        f"{HEAD}  - {{host: x, port: 1, latency: {both}}}\n"
        "  - {host: y, port: 1, latency: {times_usual: 3}}\n"
    )
    assert [one.latency for one in resolved(path).targets] == [
        LatencyLimit(max_ms=250, for_results=5, times_usual=2.5, warn_ahead_ms=129_600_000),
        LatencyLimit(times_usual=3),
    ]


def test_a_domain_is_asked_for_seldom_whatever_the_defaults_say(file: Write) -> None:
    path = file(
        f"{HEAD}  - {{kind: domain, host: Example.COM}}\n"
        "  - {kind: domain, host: own.example, interval: 2m, "
        "probe: {rdap: 'https://rdap.own.example/'}}\n"
        "defaults: {interval: 30s, timeout: 2s, max_ms: 500, latency: {max_ms: 9}}\n"
    )
    one, own = resolved(path).targets
    assert (one.host, one.port, one.interval_ms, one.timeout_ms) == (
        "example.com",
        None,
        86_400_000,
        20_000,
    )
    assert (one.retry_delay_ms, one.max_ms, one.latency) == (60_000, None, None)
    assert one.probe == DomainProbe()
    assert own.interval_ms == 120_000


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("host: www", "host: expected a registered domain such as example.com, found 'www'"),
        ("host: 192.0.2.1", "host: expected a registered domain"),
        ("host: a_b.example", "host: expected a registered domain"),
        ("host: a.example, port: 43", "port: expected none (domain knows no ports)"),
        ("host: a.example, interval: 59m", "interval: expected an interval of at least 1h for"),
        ("host: a.example, max_ms: 5", "max_ms: expected none (domain asks somebody else"),
        ("host: a.example, latency: {max_ms: 5}", "latency: expected none (domain asks"),
        ("host: a.example, probe: {rdap: 'ftp://x'}", "rdap: expected a URL that begins"),
    ],
)
def test_a_domain_that_is_wrong_is_told(file: Write, written: str, said: str) -> None:
    with pytest.raises(InventoryError) as error:
        resolved(file(f"{HEAD}  - {{kind: domain, {written}}}\n"))
    assert said in str(error.value)


def test_the_kind_says_whose_time_is_meant_unless_the_target_does(file: Write) -> None:
    path = file(
        f"{HEAD}  - {{host: x, port: 1}}\n"
        "  - {host: y, kind: http}\n"
        "  - {host: z, kind: http, latency: {max_ms: 9, of: connect}}\n"
        "  - {host: w, port: 1, latency: {max_ms: 9, of: total}}\n"
        "defaults: {latency: {max_ms: 9}}\n"
    )
    found = [one.latency.of for one in resolved(path).targets if one.latency is not None]
    assert found == ["connect", "total", "connect", "total"]
    total = {kind for kind, what in KINDS.items() if what.latency_of == "total"}
    assert total == {"http", "websocket", "grpc", "dns", "domain"}  # as docs/inventory.md has it


def test_every_problem_is_told_at_once_in_the_order_of_the_file(file: Write) -> None:
    text = (
        f"{HEAD}"
        "  - host: x\n    port: 0\n    retries: many\n    colour: red\n"
        "  - {host: y, port: 2, team: nope}\n"
        "  - just text\n"
        "extra: 1\n"
    )
    said = problems(file(text))
    assert [line.split(": ")[:2] for line in said] == [
        ["5", "targets[0].port"],
        ["6", "targets[0].retries"],
        ["7", "targets[0].colour"],
        ["8", "targets[1].team"],
        ["9", "targets[2]"],
        ["10", "extra"],
    ]


def test_a_target_with_a_problem_brings_none_to_those_that_need_it(file: Write) -> None:
    text = f"{HEAD}  - {{id: one, host: x, port: 0}}\n  - {{host: y, port: 1, depends_on: [one]}}\n"
    assert len(problems(file(text))) == 1


def test_ids_are_unique(file: Write) -> None:
    text = f"{HEAD}  - {{host: x, port: 1}}\n  - {{host: X., port: 1}}\n"
    (said,) = problems(file(text))
    assert said.startswith("5: targets[1]: the id 'x-1' is taken by ")
    assert "targets[0]" in said


def test_the_hosts_of_dependencies_are_resolved(file: Write) -> None:
    text = (
        f"{HEAD}  - {{id: app, host: x, port: 1, depends_on: [gw, gw-web, sw, far, ping-less]}}\n"
        "  - {id: gw, host: GW.example.com., port: 22}\n"
        "  - {id: gw-web, host: gw.Example.com, port: 443}\n"
        "  - {id: sw, host: '[2001:DB8:0:0::1]', port: 22}\n"
    )
    entries, found = load([file(text)])
    known = Known(targets={"far": "other", "ping-less": "other"}, hosts={"far": "far.example.com"})
    app, *others = resolve(entries, "here", found, known).targets
    assert app.depends_on_hosts == ("gw.example.com", "2001:db8::1", "far.example.com")
    assert {one.depends_on_hosts for one in others} == {()}


def test_a_problem_of_the_defaults_is_told_once_at_the_defaults(file: Write) -> None:
    targets = "".join(f"  - {{host: x{n}, port: 1}}\n" for n in range(3))
    said = problems(file("defaults: {timeout: 2h, team: nope}\n" + HEAD + targets))
    assert said == [
        "1: defaults.team: expected a team that is defined (t), found 'nope'",
        "1: defaults.timeout: expected 50ms to 1h, found 2h",
    ]


def test_targets_that_depend_in_a_circle(file: Write) -> None:
    text = (
        f"{HEAD}  - {{id: x, host: x, port: 1, depends_on: [y]}}\n"
        "  - {id: y, host: y, port: 1, depends_on: [x]}\n"
    )
    (said,) = problems(file(text))
    assert "targets depend in a circle: " in said


def test_a_route_says_who_stands_in_for_it(file: Write) -> None:
    text = (
        "routes:\n"
        "  chat: {urls: ['json://a'], fallback: [mail], fallback_after: 30s, missed: drop}\n"
        "  mail: {urls: ['json://b']}\n"
    )
    chat, mail = resolved(file(text)).policy
    assert isinstance(chat, Route)
    assert isinstance(mail, Route)
    assert (chat.fallback, chat.fallback_after_ms, chat.missed) == (("mail",), 30_000, "drop")
    assert (mail.fallback, mail.fallback_after_ms, mail.missed) == ((), 120_000, "tell")


@pytest.mark.parametrize(
    ("fallbacks", "circle"),
    [({"a": "[a]"}, "a → a"), ({"a": "[b]", "b": "[c, d]", "c": "[]", "d": "[a]"}, "a → ")],
)
def test_routes_that_fall_back_in_a_circle(
    file: Write, fallbacks: dict[str, str], circle: str
) -> None:
    lines = [f"  {r}: {{urls: ['json://x'], fallback: {to}}}" for r, to in fallbacks.items()]
    (said,) = problems(file("\n".join(("routes:", *lines, ""))))
    assert "fallback: routes fall back in a circle: " in said
    assert circle in said


def test_a_circle_of_routes_through_another_source(file: Write) -> None:
    entries, before = load([file("routes: {a: {urls: ['json://x'], fallback: [b]}}\n")])
    known = Known(routes={"b": "other"}, fallbacks={"b": ("a",)})
    with pytest.raises(InventoryError, match="routes fall back in a circle"):
        resolve(entries, "here", before, known)
    assert resolve(entries, "here", before, Known(routes={"b": "other"})).policy


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "routes: {r: {urls: ['json://x'], fallback: [s]}}",
            "1: routes.r.fallback[0]: expected a route that is defined (r), found 's'",
        ),
        (
            "routes: {r: {urls: ['json://x'], fallback_after: 25h}}",
            "1: routes.r.fallback_after: expected 0s to 24h, found '25h'",
        ),
        (
            "routes: {r: {urls: ['json://x'], missed: never}}",
            "1: routes.r.missed: expected drop or tell, found 'never'",
        ),
        ("targets: [{host: x, port: 1}]", "regions: expected at least one region, found none"),
        ("regions: {EU: {}}", "1: regions.EU: expected a name of at most 63 lower-case"),
        ("regions: {a: {source: home}}", "1: regions.a.source: expected an IP address"),
        ("regions: {a: {connectivity: [x]}}", "1: regions.a.connectivity[0]: expected host:port"),
        ("teams: {t: {routes: [r]}}", "1: teams.t.routes[0]: expected a route that is defined"),
        ("routes: {r: {}}", "1: routes.r: expected `urls:` with at least one"),
        ("routes: {r: {urls: ['foo://x']}}", "1: routes.r.urls[0]: expected a scheme that Apprise"),
        ("routes: {r: {urls: ['x']}}", "1: routes.r.urls[0]: expected an Apprise URL"),
        ("routes: {r: {urls: ['slack://a']}}", "1: routes.r.urls[0]: Apprise does not accept"),
        ("routes: {r: {urls: ['json://${a b}']}}", "1: routes.r.urls[0]: expected secrets as"),
        ("[1, 2]", "1: expected a mapping with regions"),
        ("targets: {a: 1}", "1: targets: expected a list"),
        ("regions: [a]", "1: regions: expected names"),
        ("maintenance: [{name: x}]", "1: maintenance[0]: expected name, targets, start and"),
    ],
)
def test_the_rest_of_an_inventory_is_refused_by_name(file: Write, text: str, found: str) -> None:
    said = problems(file(text + "\n"))
    assert any(line.strip().startswith(found) for line in said), said


def test_a_refused_url_is_not_shown(file: Write) -> None:
    said = problems(file("routes: {r: {urls: ['slack://tops3cret']}}\n"))
    assert "tops3cret" not in "".join(said)


@pytest.mark.parametrize("url", ["slack://${A}", "${URL}", "console://", "json://${HOST}/x"])
def test_urls_with_secrets_and_the_console_are_fine(file: Write, url: str) -> None:
    assert resolved(file(f"routes: {{r: {{urls: ['{url}']}}}}\n")).policy


def test_several_documents_and_files_are_one_inventory(file: Write) -> None:
    one = file("regions: {a: {}}\n---\ndefaults: {interval: 10s}\n", "one.yaml")
    two = file("targets: [{host: x, port: 1}]\n", "two.yaml")
    inventory = check([one, two])
    assert inventory.source == "one"
    assert inventory.targets[0].interval_ms == 10_000
    assert check([one.parent], source="all").targets == tuple(
        type(t)(**{f: getattr(t, f) for f in t.__struct_fields__} | {"source": "all"})
        for t in inventory.targets
    )


def test_a_file_that_is_not_there_or_no_text(file: Write, tmp_path: Path) -> None:
    assert "can't be read" in problems(tmp_path / "none.yaml")[0]
    path = file("")
    path.write_bytes(b"\xff\xfe\x00")
    assert "expected UTF-8" in problems(path)[0]


def test_more_than_fifty_problems_are_counted(file: Write) -> None:
    path = file(HEAD + "".join(f"  - {{host: x{n}, port: 0}}\n" for n in range(70)))
    with pytest.raises(InventoryError) as caught:
        check([path])
    assert len(caught.value.problems) == 70
    assert str(caught.value).endswith("… and 20 more")


@given(st.text(alphabet="abct:-[]{}&*!<> \n'\"|#?~1.", max_size=300))
def test_whatever_stands_behind_the_head_only_an_inventory_error_comes(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.yaml"
        path.write_text(f"{HEAD}{text}\n", encoding="utf-8")
        try:
            check([path])
        except InventoryError as error:
            assert error.problems  # noqa: PT017 - both ways are fine


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("10.0.0.7", "10.0.0.7 is a private address"),
        ("127.0.0.1", "127.0.0.1 is a loopback address"),
        ("169.254.169.254", "169.254.169.254 is a cloud metadata address"),
        ("::1", "::1 is a loopback address"),
        ("::ffff:10.0.0.7", "10.0.0.7 is a private address"),
        ("100.64.0.1", "100.64.0.1 is a shared address"),
    ],
)
def test_an_address_that_probers_will_refuse_is_warned_of(file: Write, host: str, why: str) -> None:
    head = "regions: {a: {}, b: {}, office: {internal: true}}\ntargets:\n"
    path = file(f'{head}  - name: x\n    host: "{host}"\n    port: 1\n')
    (warning,) = check([path]).warnings
    assert str(warning).startswith(f"{path}:4: targets[0].host: ")
    assert why in warning.message
    assert warning.message.endswith(
        "address, and 'x' is checked from the regions a, b: that gives only address_blocked; add "
        "internal: true to the region if its probers may reach private addresses, or the network "
        "to its allow"
    )


@pytest.mark.parametrize(
    "target",
    [
        "{host: 10.0.0.7, port: 1, regions: [office]}",
        "{host: 8.8.8.8, port: 1}",
        "{host: '2606:4700::1111', port: 1}",
        "{host: db1.example.com, port: 1}",
        "{host: 10.0.1.7, port: 1, regions: [dmz]}",
    ],
)
def test_what_probers_may_reach_is_not_warned_of(file: Write, target: str) -> None:
    head = "regions: {a: {}, office: {internal: true}, dmz: {allow: [10.0.1.0/24]}}\n"
    assert check([file(f"{head}targets: [{target}]\n")]).warnings == ()


@pytest.mark.parametrize(
    ("written", "resolver"),
    [
        ("9.9.9.9", "9.9.9.9"),
        ("9.9.9.9:53", "9.9.9.9"),
        ("'[2620:FE::9]:5353'", "[2620:fe::9]:5353"),
    ],
)
def test_a_name_server_of_its_own(file: Write, written: str, resolver: str) -> None:
    text = f"regions: {{a: {{}}}}\ntargets: [{{host: x.test, port: 1, resolver: {written}}}]\n"
    found = resolved(file(text))
    assert (found.targets[0].resolver, found.warnings) == (resolver, ())
    text = f"regions: {{a: {{}}}}\ndefaults: {{resolver: {written}}}\n"
    text += "targets: [{host: x.test, port: 1}]\n"
    assert resolved(file(text)).targets[0].resolver == resolver


def test_a_name_server_that_probers_will_refuse_is_warned_of(file: Write) -> None:
    head = "regions: {a: {}, b: {internal: true}}\ntargets:\n"
    path = file(f"{head}  - host: x.test\n    port: 1\n    resolver: 10.0.0.53\n")
    (warning,) = check([path]).warnings
    assert str(warning).startswith(f"{path}:5: targets[0].resolver: 10.0.0.53 is a private address")
    assert "is checked from the region a: that gives only address_blocked" in warning.message
    # An address needs no lookup.
    text = f"{head}  - {{host: 8.8.8.8, port: 1, resolver: 10.0.0.53}}\n"
    assert check([file(text)]).warnings == ()


def test_a_denied_network_is_warned_of_in_an_internal_region_too(file: Write) -> None:
    head = "regions: {a: {internal: true, deny: [10.0.0.0/8]}}\n"
    (warning,) = check([file(f"{head}targets: [{{host: 10.0.0.7, port: 1}}]\n")]).warnings
    assert warning.message.startswith("10.0.0.7 lies in the denied network 10.0.0.0/8, and ")


def test_a_connectivity_reference_that_probers_will_refuse_is_warned_of(file: Write) -> None:
    head = (
        "regions:\n"
        "  a:\n"
        "    allow: [10.0.1.0/24]\n"
        "    connectivity: ['9.9.9.9:53', '10.0.1.1:53', 'gw.x:1', '10.0.0.1:53', '[::1]:1']\n"
        "  office: {internal: true, connectivity: ['10.0.0.1:53']}\n"
        "  lab: {internal: true, deny: [10.0.0.0/24], connectivity: ['10.0.0.1:53']}\n"
        "targets: [{host: db1.example.com, port: 1}]\n"
    )
    path = file(head)
    first, second, third = check([path]).warnings
    assert str(first) == (
        f"{path}:4: regions.a.connectivity[3]: 10.0.0.1 is a private address, so the region's "
        "probers never ask this reference; name another one, add internal: true to the region if "
        "its probers may reach private addresses, or the network to its allow"
    )
    assert "regions.a.connectivity[4]: ::1 is a loopback address, so" in str(second)
    assert "regions.lab.connectivity[0]: 10.0.0.1 lies in the denied network" in str(third)


def test_what_is_no_network_is_said(file: Write) -> None:
    head = "regions: {a: {allow: [10.0.0.0/8, 10.0.0.1/8], deny: [x]}}\n"
    with pytest.raises(InventoryError) as found:
        check([file(f"{head}targets: [{{host: 10.0.0.7, port: 1}}]\n")])
    assert [path_text(problem.where.path) for problem in found.value.problems] == [
        "regions.a.allow[1]",
        "regions.a.deny[0]",
    ]


def test_a_region_of_another_source_counts_too(file: Write) -> None:
    entries, problems = load([file("targets: [{host: 10.0.0.7, port: 1, regions: [a]}]\n")])
    theirs = Known(regions={"a": "other"})
    assert len(resolve(entries, "s", problems, theirs).warnings) == 1
    internal = {"a": Vantage(internal=True)}
    known = Known(regions={"a": "other"}, vantages=internal)
    assert resolve(entries, "s", problems, known).warnings == ()


@pytest.mark.parametrize(
    "char", ["\\x1b", "\\0", "\\x07", "\\x9b", "\\u202e", "\\u2066", "\\u200f"]
)
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('targets: [{{host: a.test, port: 1, name: "x{}y"}}]', "targets[0].name"),
        ('targets: [{{host: a.test, port: 1, purpose: "x{}y"}}]', "targets[0].purpose"),
        ('targets: [{{host: a.test, port: 1, tags: [ok, "x{}y"]}}]', "targets[0].tags[1]"),
        ('targets: [{{host: a.test, port: 1, runbook: "x{}y"}}]', "targets[0].runbook"),
        ('targets: [{{host: a.test, port: 1, team: "x{}y"}}]', "targets[0].team"),
        ('targets: [{{host: a.test, port: 1, depends_on: ["x{}y"]}}]', "targets[0].depends_on[0]"),
        ('targets: [{{host: "x{}y", port: 1}}]', "targets[0].host"),
        ('defaults: {{tags: ["x{}y"]}}', "defaults.tags[0]"),
        ('maintenance: [{{name: "x{}y"}}]', "maintenance[0].name"),
        ('routes: {{r: {{urls: ["x{}y"]}}}}', "routes.r.urls[0]"),
        ('teams: {{t: {{routes: ["x{}y"]}}}}', "teams.t.routes[0]"),
    ],
)
def test_text_that_does_not_show_as_it_is_written_is_refused(
    file: Write, text: str, place: str, char: str
) -> None:
    path = file("regions: {a: {}}\n" + text.format(char) + "\n")
    with pytest.raises(InventoryError) as found:
        check([path])
    said = [str(p) for p in found.value.problems if "shows as it is written, found U+" in p.message]
    assert len(said) == 1
    assert said[0].startswith(f"{path}:2: {place}: expected text")
    assert said[0].endswith("as character 2; leave it out")


@pytest.mark.parametrize("name", ["{}", '"x{}y"'])
def test_names_as_keys_are_refused_too(file: Write, name: str) -> None:
    for section in ("regions", "teams", "routes", "nonsense"):
        written = name.format("\\e[31m") if name.startswith('"') else '"\\u202e"'
        with pytest.raises(InventoryError) as found:
            check([file(f"{section}: {{{written}: {{}}}}\n")])
        assert unsafe_in(str(found.value), but="\n") is None


def test_lines_of_a_purpose_and_what_is_sent_may_have_what_they_need(file: Write) -> None:
    text = (
        "regions: {a: {}}\n"
        "targets:\n"
        "  - id: a\n"
        "    host: a.test\n"
        "    port: 1\n"
        '    name: "\\u0645\\u06cc\\u200c\\u062e"\n'
        "    purpose: |\n"
        "      first\n"
        "      \tsecond\n"
        '    probe: {steps: [{send: "\\0\\x1b\\r\\n", expect: "\\x07"}]}\n'
    )
    (target,) = check([file(text)]).targets
    assert target.purpose == "first\n\tsecond\n"
    with pytest.raises(InventoryError, match="LINE FEED"):
        check([file('regions: {a: {}}\ntargets: [{host: a.test, port: 1, name: "x\\ny"}]\n')])


def test_all_files_of_an_inventory_together_have_a_limit(file: Write, tmp_path: Path) -> None:
    """Nothing of the file that is too much is parsed: it is no YAML at all."""
    first = file("regions: {a: {}}\ntargets: [{host: a.test, port: 1}]\n")
    assert check([first]).targets
    second = tmp_path / "second.yaml"
    with second.open("wb") as large:
        large.write(b"{")
        large.truncate(tree.MAX_BYTES)
    for paths in ([first, second], [second, second]):
        with pytest.raises(InventoryError) as found:
            check(paths)
        said = f"{second}: expected at most 16 MB in all files of an inventory, found"
        assert any(line.startswith(said) for line in str(found.value).splitlines())


def test_a_file_without_a_size_has_the_limit_too() -> None:
    with pytest.raises(InventoryError, match="expected at most 16 MB"):
        check([Path("/dev/zero")])


def test_a_file_with_a_million_problems_says_the_first_of_them(file: Write) -> None:
    path = file("regions: {a: {}}\ntargets:\n" + "- 1\n" * 20_000)
    with pytest.raises(InventoryError) as found:
        check([path])
    assert 1_000 <= len(found.value.problems) <= 1_002
    assert found.value.problems[-1].message.startswith("so many problems (1,000)")
    path = file("regions: {a: {}}\ntargets:\n" + "- {host: a.test, port: 1}\n" * 3_000)
    with pytest.raises(InventoryError) as found:
        check([path])
    assert len(found.value.problems) <= 1_002


def test_a_problem_within_the_options_has_the_line_of_what_is_wrong(file: Write) -> None:
    written = """
  - host: x
    kind: http
    probe:
      path: /a
      conditions:
        - {json: $.a, equals: 1}
        - json: $.b
          matches: "("
  - host: x
    port: 1
    probe:
      steps:
        - send: a
          expect_regex: "("
  - host: y
    kind: http
    probe:
      expect_headers:
        A: a
        Server: "("
"""
    said = problems(file(f"{HEAD}{written}"))
    assert [one.split(": ")[:2] for one in said] == [
        ["12", "targets[0].probe"],
        ["17", "targets[1].probe"],
        ["24", "targets[2].probe"],
    ]


def test_a_folder_has_the_files_of_the_folders_in_it_but_no_hidden_ones(
    file: Write, tmp_path: Path
) -> None:
    for name in ("b/c", ".git", "..data", "a"):
        (tmp_path / name).mkdir(parents=True)
    file("regions: {a: {}}\n", "z.yaml")
    for number, name in enumerate(("b/c/d.yml", "a/e.yaml", ".git/x.yaml", "..data/y.yaml")):
        file(f"targets: [{{host: h{number}, port: 1}}]\n", name)
    file("nothing: [\n", ".hidden.yaml")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    (tmp_path / "b" / "f.yaml").symlink_to(tmp_path / "..data" / "y.yaml")
    assert [one.host for one in check([tmp_path], source="s").targets] == ["h1", "h0", "h3"]
