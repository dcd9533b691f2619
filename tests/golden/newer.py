"""What 0.2 added, told in the log of 0.2: kinds, ends of certificates, secrets, pauses, drills."""

import msgspec
from msgspec import structs

from schemas.control import TargetPaused, TargetRemoved, TargetResumed
from schemas.policy import DRILLS, PAUSES, SILENCES, DrillDone, Pause, Policy, Silence
from tests.golden.documents import Document, target
from tests.golden.probing import REGIONS, Probing
from tests.golden.stage import Stage, home

DAY_MS = 86_400_000

NEWER: Document = {
    "drill": {"every": "7d"},
    "targets": [
        target("new-websocket", port=443, kind="websocket", probe={"path": "/live"}),
        target("new-grpc", port=50051, kind="grpc", probe={"service": "shop.v1.Cart"}),
        target("new-snmp", port=None, kind="snmp", probe={"version": "1"}),
        target("new-ntp", port=None, kind="ntp", probe={"max_offset_ms": 50}),
        target("new-ldap", port=None, kind="ldap"),
        target("new-nats", port=None, kind="nats"),
        target("new-zookeeper", port=None, kind="zookeeper"),
        target("new-domain", "example.org", None, kind="domain", probe={"warn_days": 20}),
        target("new-ends", port=443, kind="tls", interval="20s", criticality="normal"),
        target(
            "new-secret",
            port=443,
            kind="http",
            interval="20s",
            probe={"headers": {"Authorization": "${PORTQUORUM_SECRET_SHOP}"}},
        ),
        target("new-paused", interval="20s", team="web"),
        target("new-silent", interval="20s", criticality="critical"),
        target("new-worse", interval="20s", retries=0),
    ],
}
"""An inventory of a fourth source."""


def newer(stage: Stage, probing: Probing) -> None:
    """All targets are watched again; then what no rule of 0.1 knew, and its ends."""
    # Nobody checks the simulated fleet any more.
    for known in stage.targets().values():
        if known.source == "simulation":
            removed = TargetRemoved(target=known.id, version=stage.now)
            stage.put("targets", home(known), known.id.encode(), None)
            stage.control(home(known), removed)
    probing.forget()
    probing.quiet.clear()
    probing.look()
    stage.apply(NEWER, "newer", source="newer")
    probing.look()
    probing.run(400)
    _secrets(probing)
    _ends(stage, probing)
    _silenced(stage, probing)
    _paused(stage, probing)
    _worse_again_and_again(probing)
    done = DrillDone(name=DRILLS, at=stage.now, overdue="told", seconds={"open": 12.5})
    _policy(stage, DRILLS, done)


def _secrets(probing: Probing) -> None:
    """A region lacks a secret, and has it."""
    missing = {"PORTQUORUM_SECRET_SHOP": ("new-secret",)}
    probing.found["new-secret", "region-1"] = "secret_missing"
    for _ in range(16):
        probing.beat("region-1", missing_secrets=missing)
        probing.run(4)
    del probing.found["new-secret", "region-1"]
    probing.run(60)


def _ends(stage: Stage, probing: Probing) -> None:
    """A certificate ends in ten days, and is renewed."""
    for left_days in (10, 10, 10, *[90] * 12):
        stage.now += 20_000
        for region in REGIONS:
            result = probing.result("new-ends", region, 9.5)
            end = stage.now + left_days * DAY_MS
            probing.publish([structs.replace(result, cert_expires_at=end)])
        for region in REGIONS:
            probing.beat(region)


def _silenced(stage: Stage, probing: Probing) -> None:
    """An outage that nobody is told of, until somebody ends the silence."""
    silence = Silence(
        name="3f6c",
        begins_at=stage.now,
        ends_at=stage.now + DAY_MS,
        reason="a new disk",
        by="ines",
        created_at=stage.now,
        targets=("new-silent",),
    )
    _policy(stage, SILENCES, silence)
    for region in REGIONS:
        probing.found["new-silent", region] = "timed_out"
    probing.run(90)
    ended = structs.replace(silence, ends_at=stage.now, ended_by="tom")
    _policy(stage, SILENCES, ended)
    probing.run(30)
    for region in REGIONS:
        del probing.found["new-silent", region]
    probing.run(60)


def _paused(stage: Stage, probing: Probing) -> None:
    """What is down is paused, and is well when somebody resumes it."""
    for region in REGIONS:
        probing.found["new-paused", region] = "connection_refused"
    probing.run(90)
    at = home(stage.targets()["new-paused"])
    until = stage.now + DAY_MS
    pause = Pause(name="new-paused", paused_at=stage.now, until=until, reason="it moves", by="ines")
    _policy(stage, PAUSES, pause)
    stage.control(at, TargetPaused(target="new-paused", until=until, by="ines", note="it moves"))
    probing.run(60)
    for region in REGIONS:
        del probing.found["new-paused", region]
    stage.control(at, TargetResumed(target="new-paused", by="tom"))
    stage.put("policy", 0, b"pause/pause/new-paused", None)
    probing.run(60)


def _worse_again_and_again(probing: Probing) -> None:
    """One region sees it down all the time, the others again and again: it flaps."""
    probing.found["new-worse", "region-2"] = "timed_out"
    for _ in range(6):
        for region in REGIONS[:2]:
            probing.found["new-worse", region] = "timed_out"
        probing.run(60)
        for region in REGIONS[:2]:
            del probing.found["new-worse", region]
        probing.run(60)
    del probing.found["new-worse", "region-2"]


def _policy(stage: Stage, source: str, entry: Policy) -> None:
    kind = type(entry).__struct_config__.tag
    key = f"{source}/{kind}/{entry.name}".encode()
    stage.put("policy", 0, key, msgspec.json.encode(entry))
