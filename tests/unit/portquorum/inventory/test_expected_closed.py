"""`expect: closed` in an inventory: what it may stand beside, and what advice leaves out of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portquorum.inventory import InventoryError, check
from portquorum.inventory.lint import advice
from portquorum.inventory.scan import OpenPort
from portquorum.inventory.suggestion import as_yaml, closed_entry

Write = Callable[..., Path]
HEAD = "regions: {a: {}, b: {}, c: {}}\nteams: {t: {}}\ntargets:\n"
FULL = "host: db.example.com, team: t, purpose: nobody may"


def refused(path: Path) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        check([path])
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


def test_a_port_that_must_be_closed(file: Write) -> None:
    text = HEAD.replace("targets:", "defaults: {latency: {max_ms: 5}, max_ms: 9}\ntargets:")
    (target,) = check([file(f"{text}  - {{host: x, port: 23, expect: closed}}\n")]).targets
    assert target.expect == "closed"
    assert target.latency is None, "of the defaults, for those that answer"
    assert target.max_ms is None


def test_without_it_a_port_should_be_open(file: Write) -> None:
    (target,) = check([file(f"{HEAD}  - {{host: x, port: 23}}\n")]).targets
    assert target.expect == "open"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ("port: 23, expect: shut", "expect: expected closed or open, found 'shut'"),
        ("kind: http", "expect: expected closed only of kind tcp or udp, found it of 'http'"),
        ("port: 23, latency: {max_ms: 9}", "latency: expected none where the port must be"),
        ("port: 23, max_ms: 9", "max_ms: expected none where the port must be closed"),
        ("port: 23, probe: {steps: [{send: x}]}", "probe: expected none where the port must be"),
        (
            "kind: udp, port: 161, probe: {send: x, expect: y}",
            "probe: expected only what to send where the port must be closed",
        ),
        ("kind: udp, port: 161", "probe: a UDP port answers only what it understands"),
    ],
)
def test_what_it_may_not_stand_beside(file: Write, fields: str, found: str) -> None:
    closed = "" if "expect: shut" in fields else ", expect: closed"
    (problem,) = refused(file(f"{HEAD}  - {{host: x, {fields}{closed}}}\n"))
    assert found in problem


def test_no_advice_asks_what_is_spoken_there(file: Write) -> None:
    text = f"""{HEAD}  - {{name: web, kind: http, port: 443, {FULL}}}
  - {{name: sql, port: 5432, expect: closed, {FULL}, retries: 0}}
"""
    rules = [one.rule for one in advice(check([file(text)]).targets)]
    assert rules == ["web_only"], "a closed port does not tell a dead host from a dead service"


def test_an_entry_for_what_should_not_be_open_to_all(file: Write) -> None:
    inventory = check([file(f"{HEAD}  - {{name: web, kind: http, port: 443, {FULL}}}\n")])
    found = OpenPort("db.example.com", 5432, None)
    made = closed_entry(found, inventory)
    assert made is not None
    assert made["kind"] == "tcp"
    text = f"{HEAD}  {as_yaml(made)}\n"
    assert check([file(text)]).targets[0].expect == "closed"
    assert closed_entry(OpenPort("db.example.com", 22, None), inventory) is None
