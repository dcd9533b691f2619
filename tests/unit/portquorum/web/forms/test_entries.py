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
