"""The whole line in one network namespace: real probers, real Kafka, a real packet filter.

All faults happen side by side, at an interval that is long beside the 3 s in which an outage is
told; each target has its own host, so that rechecks and diagnoses of one say nothing of another.
"""

import asyncio
from pathlib import Path

import pytest

from tests.system.conftest import REGIONS
from tests.system.ground import Filter, Listener, Mailbox, Redis
from tests.system.stack import Stack, eventually

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

HOSTS = {
    "closed": "127.0.1.1",
    "one-of-three": "127.0.1.2",
    "two-of-three": "127.0.1.3",
    "two-of-four": "127.0.1.4",
    "three-of-four": "127.0.1.5",
    "unanimous": "127.0.1.6",
    "redis": "127.0.1.7",
    "silent": "127.0.1.8",
}
DETECT_MS = 3_000


def inventory(mailbox: Mailbox) -> dict[str, object]:
    def target(name: str, regions: str, **more: object) -> dict[str, object]:
        return {
            "name": name,
            "host": HOSTS[name],
            "port": 6379 if name == "redis" else 7000,
            "regions": regions.split(),
            "interval": "20s",
            "criticality": "important",
            "team": "ops",
            **more,
        }

    return {
        "regions": {
            name: {"internal": True, "source": address} for name, address in REGIONS.items()
        },
        "routes": {"mail": {"urls": [mailbox.url], "severities": ["critical"]}},
        "teams": {"ops": {"routes": ["mail"]}},
        "targets": [
            target("closed", "a b c"),
            target("one-of-three", "a b c"),
            target("two-of-three", "a b c"),
            target("two-of-four", "a b c d"),
            target("three-of-four", "a b c d"),
            target("unanimous", "a b c", consensus="unanimous"),
            target("redis", "a b c"),
            target("silent", "a b d"),
        ],
    }


async def seen_up(stack: Stack) -> bool:
    """Whether every region has found every target up."""
    results = await stack.results()
    ups = {(one.target, one.region) for one in results if one.status == "up"}
    return len(ups) == 3 * 6 + 4 * 2


async def more_results(stack: Stack, target: str, regions: set[str]) -> bool:
    """Waits until each of `regions` has checked `target` once more."""
    ends = await stack.result_ends()

    async def checked() -> bool:
        fresh = await stack.results(since=ends)
        return regions <= {r.region for r in fresh if r.target == target and r.status != "missed"}

    return bool(await eventually(f"{target} checked by {regions}", checked, 150))


async def test_quorum_decides(
    stack: Stack, packet_filter: Filter, mailbox: Mailbox, tmp_path: Path
) -> None:
    listeners = {name: Listener(host, 7000) for name, host in HOSTS.items() if name != "redis"}
    redis = Redis(HOSTS["redis"], 6379, tmp_path)
    redis.start()
    try:
        await eventually("redis answers", lambda: redis.answers)
        await stack.apply(inventory(mailbox), "quorum")
        await eventually("every region has found every target up", lambda: seen_up(stack), 120)

        listeners["closed"].close()
        redis.stop()
        for name, regions in {
            "one-of-three": "a",
            "two-of-three": "a b",
            "two-of-four": "a b",
            "three-of-four": "a b c",
            "unanimous": "a b",
            "silent": "a b d",
        }.items():
            packet_filter.drop([REGIONS[region] for region in regions.split()], HOSTS[name])

        down = ["closed", "two-of-three", "three-of-four", "redis", "silent"]
        await eventually(f"{down} are opened", lambda: all(stack.told(name) for name in down), 150)
        await detected_and_explained(stack)
        # Every region has looked again, long after: those without their votes stay quiet.
        await asyncio.gather(
            *(
                more_results(stack, name, set(regions))
                for name, regions in {
                    "one-of-three": "abc",
                    "two-of-four": "abcd",
                    "unanimous": "abc",
                }.items()
            )
        )
        for name in ("one-of-three", "two-of-four", "unanimous"):
            assert stack.told(name) == []

        packet_filter.drop([REGIONS["c"]], HOSTS["unanimous"])
        listeners["closed"].open()
        redis.start()
        packet_filter.lift(REGIONS["a"], HOSTS["two-of-three"])
        stack.roles["probe-d"].kill()
        for region in "abd":
            packet_filter.lift(REGIONS[region], HOSTS["silent"])
        await eventually("unanimous opens", lambda: stack.told("unanimous"), 150)
        await eventually("closed closes", lambda: "closed" in stack.told("closed"), 150)
        await eventually("redis closes", lambda: "closed" in stack.told("redis"), 150)
        await more_results(stack, "two-of-three", {"a", "b", "c"})
        assert stack.told("two-of-three") == ["opened"]  # b still fails
        packet_filter.lift(REGIONS["b"], HOSTS["two-of-three"])
        await eventually("two-of-three closes", lambda: len(stack.told("two-of-three")) == 2, 150)

        await eventually("d is stale", lambda: says(stack, "silent", "d", "stale"), 240)
        assert stack.told("silent") == ["opened"]  # d was down and is silent: it blocks
        stack.roles["probe-d"].start()
        await eventually("silent closes", lambda: len(stack.told("silent")) == 2, 150)

        for name in ("closed", "two-of-three", "redis", "silent"):
            assert stack.told(name) == ["opened", "closed"]
            assert len({event.incident_id for event in stack.events(name)}) == 1
            await eventually(
                f"two messages about {name}", lambda n=name: len(mailbox.about(n)) >= 2
            )
    finally:
        redis.stop()
        for listener in listeners.values():
            listener.close()


def says(stack: Stack, target: str, region: str, verdict: str) -> bool:
    """Whether the last event of `target` gives that verdict of a region."""
    return stack.events(target)[-1].regions[region].verdict == verdict


async def detected_and_explained(stack: Stack) -> None:
    reasons = {
        "closed": "connection_refused",
        "redis": "connection_refused",
        "two-of-three": "timed_out",
        "three-of-four": "timed_out",
    }
    for name, reason in reasons.items():
        opened = stack.events(name)[0]
        assert opened.event == "opened"
        assert {said.reason for said in opened.regions.values() if said.verdict == "down"} == {
            reason
        }
    opened = stack.events("closed")[0]
    assert opened.opened_at - opened.first_failed_at <= DETECT_MS
    assert "nothing listens on 7000: the service is down" in opened.summary
    assert "c can connect, a and b can't" in stack.events("two-of-three")[0].summary
