"""What may be written shorter means the same as what is written out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portquorum.inventory import check
from portquorum.inventory.probes import probe_of
from portquorum.inventory.tree import read

Write = Callable[..., Path]

HEAD = "regions: {a: {}, b: {}}\nteams: {t: {}}\n"


def target(file: Write, fields: str) -> dict[str, object]:
    (made,) = check([file(f"{HEAD}targets:\n  - {{host: x, port: 1, {fields}}}\n")]).targets
    return {name: getattr(made, name) for name in made.__struct_fields__}


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("regions: a", "regions: [a]"),
        ("tags: prod", "tags: [prod]"),
        ("probe: {steps: {expect: x}}", "probe: {steps: [{expect: x}]}"),
        ("probe: {steps: {expect: 1.50}}", 'probe: {steps: [{expect: "1.50"}]}'),
        (
            "probe: {steps: [{expect: 00, send: true}]}",
            "probe: {steps: [{expect: '00', send: 'true'}]}",
        ),
        ("kind: http, probe: {status: 200}", "kind: http, probe: {status: [200]}"),
        ("kind: http, probe: {status: '200'}", "kind: http, probe: {status: [200]}"),
        ("kind: http, probe: {status: 200-204}", "kind: http, probe: {status: [200-204]}"),
        (
            "kind: http, probe: {headers: {X: 007}}",
            "kind: http, probe: {headers: {X: '007'}}",
        ),
        (
            "kind: http, probe: {conditions: {json: $.a, any_of: 7}}",
            "kind: http, probe: {conditions: [{json: $.a, any_of: [7]}]}",
        ),
        ("kind: tls, probe: {min_version: 1.3}", "kind: tls, probe: {min_version: '1.3'}"),
        ("kind: tls, probe: {warn_days: '20'}", "kind: tls, probe: {warn_days: 20}"),
        ("retries: '2', slo: '99.9', max_ms: '5'", "retries: 2, slo: 99.9, max_ms: 5"),
        ("consensus: '0.5'", "consensus: 0.5"),
        ("latency: {max_ms: '250', for: '2'}", "latency: {max_ms: 250, for: 2}"),
        ("name: 2024, tags: [1.50, 0x1, true]", "name: '2024', tags: ['1.50', '0x1', 'true']"),
        ("id: 0200", "id: '0200'"),
        ("name: &n 1.50, purpose: *n", "name: '1.50', purpose: '1.50'"),
        ("enabled: null, tags: null, depends_on: null, expect: null", ""),
        ("interval: 1h30m", "interval: 90m"),
    ],
)
def test_short_and_long_are_the_same(file: Write, short: str, long: str) -> None:
    assert target(file, short) == target(file, long)


def test_lists_of_one_anywhere(file: Write) -> None:
    short = (
        "regions: {a: {connectivity: '192.0.2.1:53', allow: 10.0.0.0/8}}\n"
        "teams: {t: {routes: r}}\n"
        "routes:\n"
        "  r: {urls: console://, severities: critical, kinds: tcp, targets: x-1, fallback: s}\n"
        "  s: {urls: console://, escalate: {after: 5m, routes: r}, quiet: {hours: 22:00-07:00,"
        " unless: critical}, timezone: UTC}\n"
        "targets: [{host: x, port: 1}, {host: y, port: 1, depends_on: x-1}]\n"
        "maintenance: [{name: w, targets: x-1, start: 2026-12-01T02:00Z, duration: 1d12h}]\n"
    )
    long = (
        "regions: {a: {connectivity: ['192.0.2.1:53'], allow: [10.0.0.0/8]}}\n"
        "teams: {t: {routes: [r]}}\n"
        "routes:\n"
        "  r: {urls: [console://], severities: [critical], kinds: [tcp], targets: [x-1],"
        " fallback: [s]}\n"
        "  s: {urls: [console://], escalate: [{after: 5m, routes: [r]}], quiet: {hours:"
        " 22:00-07:00, unless: [critical]}, timezone: UTC}\n"
        "targets: [{host: x, port: 1}, {host: y, port: 1, depends_on: [x-1]}]\n"
        "maintenance: [{name: w, targets: [x-1], start: 2026-12-01T02:00Z, duration: 36h}]\n"
    )
    first, second = check([file(short)]), check([file(long)])
    assert (first.policy, first.targets) == (second.policy, second.targets)


def test_the_text_of_a_number_is_that_of_the_file() -> None:
    (root,) = read("steps: [{send: 1e5, expect: 0010}]", "f")[0]
    probe = probe_of("tcp", dict(root.value), 1, root.value)
    steps = getattr(probe, "steps", ())
    assert [(one.send, one.expect) for one in steps] == [("1e5", "0010")]


def test_ports_are_a_target_each(file: Write) -> None:
    inventory = check(
        [
            file(
                f"{HEAD}targets:\n"
                "  - {name: Mail, host: m, kind: smtp, ports: [25, '587', 8000-8001, 25]}\n"
                "  - {id: web, host: w, ports: 80}\n"
                "  - {host: n, ports: [1, 2]}\n"
                "  - {host: app, port: 9, depends_on: [mail, web]}\n"
                "maintenance: [{name: w, targets: mail, start: 2026-12-01T02:00Z, duration: 1h}]\n"
                "routes: {r: {urls: console://, targets: [web]}}\n"
            )
        ]
    )
    found = [(one.id, one.name, one.port, one.kind) for one in inventory.targets]
    assert found == [
        ("mail-25", "Mail 25", 25, "smtp"),
        ("mail-587", "Mail 587", 587, "smtp"),
        ("mail-8000", "Mail 8000", 8000, "smtp"),
        ("mail-8001", "Mail 8001", 8001, "smtp"),
        ("web-80", "w:80", 80, "tcp"),
        ("n-1", "n:1", 1, "tcp"),
        ("n-2", "n:2", 2, "tcp"),
        ("app-9", "app:9", 9, "tcp"),
    ]
    mail = ("mail-25", "mail-587", "mail-8000", "mail-8001")
    assert inventory.targets[-1].depends_on == (*mail, "web-80")
    assert inventory.targets[-1].depends_on_hosts == ("m", "w")
    assert [getattr(one, "targets", None) for one in inventory.policy[-2:]] == [("web-80",), mail]
