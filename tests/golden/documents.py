"""The inventories that the recorded story applies."""

import copy
from typing import Any

from schemas.result import NEVER_COUNTED, REASON_TEXT

Document = dict[str, Any]

COUNTED = tuple(reason for reason in REASON_TEXT if reason not in NEVER_COUNTED)
MANY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("tcp", {"port": 8080}),
    ("udp", {"port": 27015, "probe": {"send_hex": "ff ff", "expect_hex": "ff ff 6a"}}),
    ("tls", {"port": 443}),
    ("http", {"probe": {"path": "/health", "expect_json": "$.state", "json_value": '"ok"'}}),
    ("dns", {"probe": {"name": "www.example.com", "expect": ["192.0.2.7"]}}),
    ("icmp", {}),
    ("smtp", {"port": 587}),
    ("imap", {"port": 993}),
    ("pop3", {}),
    ("ftp", {}),
    ("ssh", {}),
    ("redis", {}),
    ("memcached", {}),
    ("postgres", {"probe": {"tls": "starttls"}}),
    ("mysql", {}),
    ("mongodb", {}),
    ("mssql", {}),
    ("amqp", {}),
    ("kafka", {}),
    ("mqtt", {}),
)
"""One target of each kind, all on one host."""


def target(target_id: str, host: str = "", port: int | None = 5432, **more: Any) -> Document:
    """A target on a host of its own, unless `host` is given."""
    entry = {"id": target_id, "host": host or f"{target_id}.example.com", "port": port, **more}
    return {key: value for key, value in entry.items() if value is not None}


def first() -> Document:
    """The inventory at the beginning."""
    slow = {"max_ms": 250, "for": 3}
    targets = [
        *(target(f"why-{reason.replace('_', '-')}", interval="60s") for reason in COUNTED),
        *(
            target(
                f"many-{kind}",
                "many.example.com",
                kind=kind,
                interval="2m",
                **({"port": None} | more),
            )
            for kind, more in MANY
        ),
        target("duo-web", "duo.example.com", 443, kind="http", team="web", tags=["public"]),
        target("duo-db", "duo.example.com", 5432, kind="postgres", depends_on=["duo-web"]),
        target("duo-slow", "duo.example.com", 6379, latency=slow, interval="30s"),
        target("slow-limit", latency=slow, criticality="important", interval="20s"),
        target("slow-usual", latency={"times_usual": 3}, interval="30s"),
        target("slow-rising", latency={"max_ms": 400, "times_usual": 50, "warn_ahead": "36h"}),
        target("slow-accepted", latency={"max_ms": 250, "times_usual": 2.5}, interval="20s"),
        target("slow-removed", latency=slow, interval="20s"),
        target("slow-unlimited", latency=slow, interval="20s"),
        target("slow-open", latency=slow, interval="20s"),
        target("flap-up", interval="20s", retries=0, team="data"),
        target("flap-down", interval="20s", retries=0, team="data", tags=["flaps"]),
        target("flap-open", interval="20s", retries=0),
        target("change-removed"),
        target("change-returns"),
        target("change-kind", port=80),
        target("change-host"),
        target("change-port"),
        target("change-name", team="web", runbook="https://wiki.example.com/name"),
        target("change-strict"),
        target("change-eager"),
        target("change-region-added", regions=["region-0", "region-1", "region-2"]),
        target("change-region-taken", regions=["region-0", "region-1", "region-2"]),
        target("judge-unanimous", consensus="unanimous"),
        target("judge-fraction", consensus=0.34),
        target("judge-after", open_after="30s", recover_after=3, interval="20s"),
        target("judge-abandoned", abandon_after="2m", interval="20s"),
        target("hand-seen", criticality="critical", slo=99.95, downtime_cost_per_hour=1200),
        target("hand-resolved", team="web", criticality="critical"),
        target("stays-down", team="platform", purpose="never comes back"),
        target("word-v6", "2001:db8::7", 22, kind="ssh"),
        target("word-idn", "bücher.example", 443, kind="tls"),
        target("word-dialogue", probe={"steps": [{"send": "PING\r\n", "expect": "+PONG"}]}),
        target("region-alone", "stays-down.example.com", 9001, regions=["region-1"]),
        target("region-pair", regions=["region-0", "region-2"]),
    ]
    return {
        "regions": {
            "region-0": {"connectivity": ["192.0.2.1:53"]},
            "region-1": {"internal": True, "source": "192.0.2.9"},
            "region-2": {"allow": ["10.1.0.0/16"], "deny": ["198.51.100.0/24"]},
        },
        "teams": {
            "platform": {"routes": ["ops", "night"], "slo": 99.9},
            "web": {"routes": ["flaky"]},
            "data": {"routes": ["gone"]},
        },
        "routes": {
            "ops": {"urls": ["json://${GOLDEN_HOOK}/ops"]},
            "night": {
                "urls": ["json://${GOLDEN_HOOK}/refuses", "console://"],
                "severities": ["critical"],
            },
            "flaky": {"urls": ["json://${GOLDEN_HOOK}/flaky"]},
            "gone": {"urls": ["json://${GOLDEN_MISSING}/x"], "tags": ["flaps"]},
            "rest": {"urls": ["json://${GOLDEN_HOOK}/rest"]},
        },
        "defaults": {"interval": "60s", "timeout": "3s", "retries": 1, "retry_delay": "1s"},
        "maintenance": [
            {
                "name": "patch night",
                "targets": ["tag:public", "hand-seen"],
                "start": "2027-01-12T02:00:00Z",
                "duration": "2h",
                "rrule": "FREQ=WEEKLY;COUNT=8",
            },
            {
                "name": "move",
                "targets": ["change-host"],
                "start": "2027-01-15T06:00:00Z",
                "duration": "30m",
            },
        ],
        "targets": targets,
    }


def changed(
    before: Document, *, without: tuple[str, ...] = (), **changes: dict[str, Any]
) -> Document:
    """The inventory without some targets, and others with changed fields (`_` stands for `-`).

    A field that becomes None is taken away.
    """
    document = copy.deepcopy(before)
    document["targets"] = [one for one in document["targets"] if one["id"] not in without]
    for name, fields in changes.items():
        [entry] = [one for one in document["targets"] if one["id"] == name.replace("_", "-")]
        for field, value in fields.items():
            if value is None:
                entry.pop(field, None)
            else:
                entry[field] = value
    return document


JOBS: Document = {
    "targets": [
        {"id": "job-well", "kind": "heartbeat", "interval": "1m", "grace": "30s"},
        {
            "id": "job-nightly",
            "kind": "heartbeat",
            "schedule": "*/5 * * * *",
            "zone": "Europe/Berlin",
            "grace": "1m",
            "criticality": "critical",
        },
        {"id": "job-missed", "kind": "heartbeat", "interval": "2m", "grace": "30s"},
        {"id": "job-failed", "kind": "heartbeat", "interval": "1h", "team": "web"},
        {"id": "job-long", "kind": "heartbeat", "interval": "1h", "max_runtime": "1m"},
        {"id": "job-flaps", "kind": "heartbeat", "interval": "1h"},
    ],
}
"""An inventory of jobs alone, of a third source."""

OTHER: Document = {
    "regions": {},
    "targets": [
        {
            "id": "other-team",
            "host": "other.example.com",
            "port": 25,
            "kind": "smtp",
            "regions": ["region-0", "region-1"],
            "team": "web",
            "interval": "60s",
        }
    ],
}
"""An inventory of another source, which uses the regions and teams of the first."""
