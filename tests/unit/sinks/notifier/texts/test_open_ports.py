"""Messages of ports that must be closed, and are open."""

from typing import Any

import pytest

from schemas.incident import HostTarget, RegionVerdict
from sinks.notifier.channels.facts import facts
from sinks.notifier.texts.model import Budget, Text
from sinks.notifier.texts.render import render
from tests.unit.sinks.notifier.events import AT, incident_event
from tests.unit.sinks.notifier.texts.deliveries import delivery, news
from tests.unit.sinks.notifier.texts.digests import digest_of

ROOM = Budget(title=250, body=1_000_000)
PLACE = "db1.example.com:23"
REGIONS = {
    "eu-west": RegionVerdict(
        verdict="down", reason="port_open", detail="192.0.2.7: accepts connections", since=AT
    ),
    "us-east": RegionVerdict(verdict="up", since=AT),
}


def open_port(**fields: Any) -> Any:
    values = {
        "expect": "closed",
        "name": "db1 - Telnet 23",
        "target": "db1-telnet",
        "port": 23,
        "regions": REGIONS,
        "summary": f"{PLACE} is open from 1 of 2 regions, and must be closed. It is open from "
        "eu-west only; us-east finds it closed: a firewall lets eu-west in.",
    }
    return incident_event(**(values | fields))


def closed(**fields: Any) -> Any:
    fine = {"eu-west": RegionVerdict(verdict="up", since=AT + 1000), "us-east": REGIONS["us-east"]}
    return open_port(
        **{"event": "closed", "closed_at": AT + 200_000, "regions": fine, "episode": 2, **fields}
    )


def text(action: Any, event: Any) -> Text:
    return render(delivery(action, event), ROOM)


@pytest.mark.parametrize(
    ("action", "event", "subject"),
    [
        ("opened", open_port(), "TCP Port Open"),
        ("worsened", open_port(event="worsened", episode=2), "TCP Port Open Again"),
        ("opened", open_port(kind="udp"), "UDP Port Open"),
        ("reminder", open_port(), "TCP Port Still Open"),
        ("improved", open_port(event="improved"), "TCP Port Closed To Some Regions"),
        ("missed", closed(), "TCP Port Was Open"),
        ("closed", closed(), "TCP Port Closed Again"),
        ("closed", closed(kind="udp"), "UDP Port Closed Again"),
        ("opened", open_port(incident_type="flapping"), "TCP Port Flapping"),
        (
            "closed",
            closed(incident_type="flapping", closed_because="steady"),
            "TCP Port No Longer Flapping, Open For Good",
        ),
        ("closed", closed(closed_because="resolved"), "TCP Port Incident Resolved By Hand"),
        ("closed", closed(closed_because="target_removed"), "TCP Port No Longer Watched"),
    ],
)
def test_subjects(action: Any, event: Any, subject: str) -> None:
    assert text(action, event).subject == f"{subject}: db1 - Telnet 23 ({PLACE})"


def test_the_message_says_from_where_it_is_open() -> None:
    said = text("opened", open_port()).body
    assert "eu-west: Port is open (192.0.2.7: accepts connections)" in said
    assert "us-east: closed" in said
    assert "First seen open: " in said
    assert "reachable" not in said
    assert "failure" not in said


def test_other_ports_of_the_host_that_must_be_closed_are_called_so() -> None:
    others = (
        HostTarget(target="a", name="A", kind="tcp", port=24, status="up", expect="closed"),
        HostTarget(target="b", name="B", kind="tcp", port=25, status="down", expect="closed"),
    )
    said = text("opened", incident_event(host_targets=others)).body
    assert "A (24): closed, as it must be" in said
    assert "B (25): open, and must be closed" in said


def test_a_digest_does_not_count_them_as_parts_of_a_dead_host() -> None:
    open_one = HostTarget(target="b", name="B", kind="tcp", port=25, status="down", expect="closed")
    down = incident_event(target="p1", port=1, host_targets=(open_one,))
    other = incident_event(target="p2", port=2, incident_id="i2", host="db2.example.com")
    said = render(digest_of(("opened", [down, other, open_port(incident_id="i3")])), ROOM).body
    assert "whole host" not in said
    assert "Open, and must be closed (1 host):" in said
    assert "Seen down or open" in said or "from every region" in said


def test_an_on_call_system_hears_of_an_open_port() -> None:
    assert facts(news(open_port())).alert == "PortOpen"
