"""A target has the fields of its templates, and a problem of theirs is told where it stands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portquorum.inventory import InventoryError, check, inherit
from schemas.probe import HttpProbe
from schemas.target import LatencyLimit, Target

Write = Callable[..., Path]

HEAD = """\
regions: {a: {}, b: {}}
defaults: {timeout: 1s, interval: 2m}
templates:
  base: {interval: 1m, regions: a, tags: [base, 1.50], timeout: 2s}
  web:
    extends: base
    kind: http
    port: 443
    probe: {path: /health, status: 200, verify: false}
    latency: {max_ms: 900, for: 2}
  slow: {interval: 10m, ports: [1, 2], tags: [slow]}
targets:
"""


def targets(file: Write, *items: str) -> tuple[Target, ...]:
    return check([file(HEAD + "".join(f"  - {{{one}}}\n" for one in items))]).targets


def problems(path: Path) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        check([path])
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


def test_a_target_then_its_templates_then_defaults_then_built_in(file: Write) -> None:
    (one,) = targets(file, "host: x, extends: web, tags: [own]")
    assert (one.kind, one.port, one.interval_ms, one.timeout_ms) == ("http", 443, 60_000, 2_000)
    assert (one.regions, one.tags, one.criticality) == (("a",), ("own",), "normal")
    assert one.probe == HttpProbe(path="/health", status=(200,), verify=False, tls=True)
    assert one.latency == LatencyLimit(max_ms=900, for_results=2, of="total")


def test_options_are_merged_key_by_key_and_null_takes_away(file: Write) -> None:
    (one,) = targets(
        file,
        "host: x, extends: web, probe: {path: /x, verify: null}, latency: {for: 5}, tags: null,"
        " timeout: null",
    )
    assert one.probe == HttpProbe(path="/x", status=(200,), tls=True)
    assert one.latency == LatencyLimit(max_ms=900, for_results=5, of="total")
    assert (one.tags, one.timeout_ms) == ((), 1_000)


def test_the_later_template_wins_and_port_stands_for_ports(file: Write) -> None:
    web, *rest = targets(
        file,
        "host: x, extends: [slow, web]",
        "host: y, extends: [web, slow], kind: tcp, probe: null",
        "host: z, extends: slow, port: 9",
    )
    assert (web.id, web.interval_ms, web.tags) == ("x-443", 60_000, ("base", "1.50"))
    assert [(one.id, one.interval_ms, one.tags) for one in rest] == [
        ("y-1", 600_000, ("slow",)),
        ("y-2", 600_000, ("slow",)),
        ("z-9", 600_000, ("slow",)),
    ]


def test_a_template_may_stand_in_another_file(file: Write, tmp_path: Path) -> None:
    file("regions: {a: {}}\ntargets: [{host: x, extends: t}]\n", "a.yaml")
    file("templates: {t: {port: 7}}\n", "z.yaml")
    assert [one.id for one in check([tmp_path], source="s").targets] == ["x-7"]


_TWO = "targets: [{host: x, extends: t}, {host: y, extends: t, retries: 0}]"
_CIRCLE = "  a: {extends: b, port: 1}\n  b: {extends: c}\n  c: {extends: b}\n"
_DEEP = "".join(f"  t{n}: {{extends: t{n + 1}}}\n" for n in range(11)) + "  t11: {port: 1}\n"
_OPTION = "  t: {kind: http, probe: {pth: /x}}\n  u: {extends: t}\n"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (
            f"  t: {{interval: 30, port: 1}}\n{_TWO}",
            "3: templates.t.interval",
            "found 30; did you mean 30s? (used first in line 4)",
        ),
        (
            f"  t: {{regions: [eu], port: 1}}\n{_TWO}",
            "3: templates.t.regions[0]",
            "expected a region that is defined (a), found 'eu' (used first in line 4)",
        ),
        (
            f"{_OPTION}targets: [{{host: x, extends: u, probe: {{method: PUT}}}}]",
            "3: templates.t.probe.pth",
            "no such option; did you mean `path`? (used first in line 5)",
        ),
        (
            f"  t: {{port: 1, interval: 1s, timeout: 5s}}\n{_TWO}",
            "3: templates.t.interval",
            "at least the timeout (5s), found 1s (used first in line 4)",
        ),
        (
            "  web: {port: 1}\ntargets: [{host: x, extends: wbe}]",
            "4: targets[0].extends",
            "a template that is defined (web), found 'wbe'; did you mean 'web'?",
        ),
        (
            f"{_CIRCLE}targets: [{{host: x, extends: a}}]",
            "5: templates.c.extends",
            "templates extend each other in a circle: b → c → b",
        ),
        (
            "  a: {host: x}\ntargets: []",
            "3: templates.a.host",
            "no template has a host: each target has its own",
        ),
        (
            "  a: {intervall: 3m, port: 1}\ntargets: [{host: x, extends: a}]",
            "3: templates.a.intervall",
            "no such field; did you mean `interval`? (used first in line 4)",
        ),
        (
            f"{_DEEP}targets: [{{host: x, extends: t0}}]",
            "12: templates.t9.extends",
            "that extend each other over at most 10 levels, found t0 → t1 → t2",
        ),
    ],
)
def test_what_is_wrong_is_told_once_where_it_stands(
    file: Write, text: str, place: str, said: str
) -> None:
    (found,) = problems(file(f"regions: {{a: {{}}}}\ntemplates:\n{text}\n"))
    assert found.startswith(f"{place}: ")
    assert said in found


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("ports: [1, 2], port: 3", "ports: expected port or ports, found both"),
        ("ports: [1, 70000]", "ports[1]: expected ports from 1 to 65535 and ranges"),
        ("ports: 9-5", "ports: expected ports from 1 to 65535, the lower one first, found '9-5'"),
        ("ports: [1-2000]", "ports[0]: expected at most 1,000 ports, found 2,000"),
        ("ports: []", "ports: expected"),
        ("kind: icmp, ports: [1, 2]", "ports[0]: expected none (icmp knows no ports)"),
        ("ports: [1, 2], regions: [zz]", "regions[0]: expected a region that is defined"),
        ("ports: [1, 2], id: " + "x" * 125, "id: expected at most 122 characters beside ports"),
    ],
)
def test_ports_that_are_wrong_are_told(file: Write, item: str, said: str) -> None:
    found = problems(file(f"regions: {{a: {{}}}}\ntargets:\n  - {{host: x, {item}}}\n"))
    assert found[0].startswith(f"3: targets[0].{said}")


def test_templates_may_stand_for_much_but_not_for_anything(
    file: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inherit, "MOST_INHERITED", 10_000)
    many = ", ".join(f"k{n}: 1" for n in range(1_000))
    items = "".join(f"  - {{host: x{n}, extends: t}}\n" for n in range(11))
    path = file(f"templates:\n  t: {{kind: http, probe: {{{many}}}}}\ntargets:\n{items}")
    assert any("stand for at most 10,000 values, found more" in one for one in problems(path))
