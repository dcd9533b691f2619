"""What stands in the form of a target is what was written, and comes back as it was."""

from typing import Any

import pytest

from portquorum.inventory.document import LatencyEntry, TargetEntry
from portquorum.web.forms.entries import Offered, entry_of, groups_of, sent_of
from portquorum.web.forms.posted import Posted
from producers.kinds.registry import KINDS

PROBES: tuple[tuple[str, dict[str, Any] | None], ...] = (
    *((kind, None) for kind in KINDS),
    ("tcp", {"steps": [{"send": "PING\r\n", "expect": "PONG"}], "tls": "implicit"}),
    ("http", {"path": "/x", "tls": False, "verify": False, "status": [200, "300-399"]}),
    ("http", {"headers": {"X-A": "b: c"}, "expect": " ok", "json": {"a": [1, None]}}),
    (
        "http",
        {"conditions": [{"json": "$.a", "at_most": 1.5, "not": True}], "body": " two\nlines "},
    ),
    ("http", {"basic_auth": {"username": "u", "password": "${PORTQUORUM_SECRET_P}"}}),
    ("dns", {"name": "example.com", "record": "MX", "expect": ["10 mail.example.com."]}),
    ("icmp", {"count": 5, "max_loss": 0.25}),
    ("udp", {"send_hex": "00 ff", "expect_hex": "01"}),
    ("tls", {"min_version": "1.3", "warn_days": 30}),
    ("ntp", {"max_offset_ms": 2.5}),
    ("amqp", {"version": "1.0"}),
)


@pytest.mark.parametrize(
    "entry",
    [
        TargetEntry(kind="heartbeat", name="Nightly", interval="10m", grace="2m"),
        TargetEntry(
            kind="heartbeat",
            id="nightly",
            name="Nightly",
            schedule="*/5 * * * *",
            zone="Europe/Berlin",
            max_runtime="2h",
            team="db",
            tags=("x", "y"),
            depends_on=("a", "b"),
            slo=99.9,
            enabled=False,
        ),
    ],
)
def test_an_entry_of_a_job_comes_back(entry: TargetEntry) -> None:
    groups = groups_of(sent_of(entry), Offered(), with_id=True)
    fields = [one for group in groups for one in group.fields]
    assert not {"host", "port", "regions", "timeout", "retries"} & {one.name for one in fields}
    assert [one.name for one in fields if one.is_needed] == ["name"]
    assert entry_of(Posted([(one.name, one.value) for one in fields]), entry) == (entry, [])


def test_a_check_that_becomes_a_job_keeps_nothing_of_the_check() -> None:
    before = TargetEntry(host="h", port=1, name="x", retries=3, purpose="p", enabled=False)
    sent = Posted([("kind", "heartbeat"), ("name", "x"), ("host", "h"), ("retries", "3")])
    assert entry_of(sent, before) == (
        TargetEntry(kind="heartbeat", name="x", enabled=False),
        [],
    )
    back = Posted([("kind", "tcp"), ("host", "h"), ("port", "1"), ("schedule", "0 3 * * *")])
    job = TargetEntry(kind="heartbeat", name="x", schedule="0 3 * * *", zone="UTC")
    assert entry_of(back, job) == (TargetEntry(host="h", port=1), [])


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"name"}),
        ({"name": "x", "grace": "soon"}, {"grace"}),
        ({"name": "x", "schedule": "x" * 201}, {"schedule"}),
        ({"schedule": "0 3 * *", "grace": "soon"}, {"name", "grace", "schedule"}),
    ],
)
def test_all_that_is_wrong_with_a_job_is_said(fields: dict[str, str], wrong: set[str]) -> None:
    entry, errors = entry_of(Posted([("kind", "heartbeat"), *fields.items()]))
    assert entry is None
    assert {one.field for one in errors} == wrong


@pytest.mark.parametrize(("kind", "probe"), PROBES)
def test_an_entry_comes_back(kind: str, probe: dict[str, Any] | None) -> None:
    entry = TargetEntry(
        kind=kind,
        host="a.example.com",
        port=7,
        name="a, b",
        probe=probe,
        tags=("x", "y"),
        consensus=0.5,
        retries=0,
        latency=LatencyEntry(max_ms=250.5, for_results=4),
        purpose="why\nso",
        enabled=False,
        slo=99.9,
    )
    shown = sent_of(entry)
    fields = [one for group in groups_of(shown, Offered(), with_id=False) for one in group.fields]
    typed = Posted(
        [
            ("options", kind),
            *(
                (one.name, one.value)
                for one in fields
                if one.kind != "checkbox" or one.value == "1"
            ),
        ]
    )
    assert entry_of(typed, entry) == (entry, [])
