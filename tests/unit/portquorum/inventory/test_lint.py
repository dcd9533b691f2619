"""Advice on an inventory."""

from pathlib import Path

import pytest

from portquorum.inventory import Inventory, check
from portquorum.inventory.lint import Advice, advice, gathered
from producers.kinds.registry import KINDS

GOOD = """\
regions:
  {a: {allow: [10.1.0.0/16], deny: [10.9.0.0/16]}, b: {internal: true, source: 10.0.0.7}, c: {}}
teams: {web: {routes: [pager]}}
routes: {pager: {urls: ["json://localhost"]}}
defaults: {team: web}
targets:
  - {name: Shop - HTTP 443, kind: http, host: shop.example.com, port: 443, purpose: "sells | a_b"}
  - {name: Shop - SSH 22, kind: ssh, host: shop.example.com, purpose: the way in}
  - {name: DB - PostgreSQL 5432, kind: postgres, host: db.example.com, purpose: orders}
  - {name: DB - app 7000, host: db.example.com, port: 7000, purpose: x, runbook: "https://w/x"}
maintenance:
  - {name: patches, targets: [all], start: 2026-12-01T02:00Z, duration: 90m, rrule: FREQ=MONTHLY}
"""


def inventory(tmp_path: Path, more: str = "") -> Inventory:
    path = tmp_path / "f.yaml"
    text = GOOD.replace("targets: [all]", "targets: [shop-http-443]")
    path.write_text(text.replace("maintenance:", f"{more}maintenance:"))
    return check([path])


def said(tmp_path: Path, more: str) -> list[tuple[str, str]]:
    return [(one.about, one.rule) for one in advice(inventory(tmp_path, more).targets)]


def test_the_same_words_are_one_line_for_all_their_targets() -> None:
    """An inventory that was just imported would be told 40 times that nobody is responsible."""
    found = [Advice(f"t{number}", "team", "nobody") for number in range(1_200)]
    lines = list(gathered([*found, Advice("t1", "purpose", "what for")]))
    assert lines == ["t0, t1, t2 and 1,197 more: nobody (team)", "t1: what for (purpose)"]


def test_a_good_inventory_needs_no_advice(tmp_path: Path) -> None:
    assert said(tmp_path, "") == []


def test_each_piece_of_advice(tmp_path: Path) -> None:
    assert said(
        tmp_path,
        """\
  - {name: API - HTTP 443, id: api, host: api.example.com, port: 443, purpose: x}
  - {name: cache, id: cache, kind: redis, host: db.example.com, purpose: x}
  - {name: gateway, id: gw, kind: icmp, host: gw.example.com, purpose: has no port to be named by}
  - {name: DB - Redis 6379, id: redis, host: db2.example.com, port: 6379, purpose: x}
  - {name: Mail - SMTP 25, id: mail, kind: smtp, host: mail.example.com}
  - {name: Own - x 5432, id: own, host: o.test, port: 5432, purpose: x, probe: {steps: [{send: a}]}}
""",
    ) == [
        ("api", "kind"),
        ("cache", "name"),
        ("redis", "kind"),
        ("mail", "purpose"),
        ("api.example.com", "web_only"),
    ]


def test_without_a_team_nobody_is_responsible(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("regions: {a: {}}\ntargets: [{host: a.test, port: 7000, purpose: x}]\n")
    (one,) = advice(check([path]).targets)
    assert (one.rule, one.about) == ("team", "a.test-7000")


def consensus_advice(tmp_path: Path, policy: str) -> list[str]:
    path = tmp_path / "f.yaml"
    path.write_text(
        "regions: {a: {}, b: {}, c: {}, d: {}}\n"
        f"targets: [{{host: a.test, port: 7000, purpose: x, {policy}}}]\n"
    )
    return [one.rule for one in advice(check([path]).targets) if one.rule != "team"]


@pytest.mark.parametrize(
    ("policy", "rules"),
    [
        ("regions: [a]", []),
        ("regions: [a, b]", ["two_regions"]),
        ("regions: [a, b, c]", []),
        ("regions: [a], consensus: unanimous", ["unanimous"]),
        ("regions: [a, b, c], consensus: unanimous", []),
        ("regions: [a, b], consensus: 0.5", ["two_regions", "fraction"]),
        ("regions: [a, b, c], consensus: 0.33", ["fraction"]),
        ("regions: [a, b, c], consensus: 0.34", []),
        ("regions: [a, b, c, d], consensus: 0.5", ["fraction"]),
        ("regions: [a, b, c, d], consensus: 0.51", []),
        ("regions: [a], consensus: 0.1", []),
    ],
)
def test_votes_that_one_silent_region_ends_or_that_have_no_effect(
    tmp_path: Path, policy: str, rules: list[str]
) -> None:
    assert consensus_advice(tmp_path, policy) == rules


def test_the_kind_that_is_advised_exists(tmp_path: Path) -> None:
    for port in (80, 443, 22, 25, 53, 465, 636, 993, 5432, 3306, 6379, 9092):
        path = tmp_path / "f.yaml"
        path.write_text(f"regions: {{a: {{}}}}\ntargets: [{{host: a.test, port: {port}}}]\n")
        (one, *_) = advice(check([path]).targets)
        assert one.text.split("kind: ")[1].split()[0] in KINDS
