"""`portquorum health` with few rights: what it may not see is said, and is no trouble."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from foundation import kafka
from foundation.settings import Settings
from portquorum.health.gather import look
from portquorum.health.verdict import HealthReport
from schemas import control, policy, topics
from schemas.control import Beat, Tick
from schemas.policy import ApplyMark, Region
from tests.integration.portquorum.cli.authorized_kafka import (
    DESCRIBE,
    GROUP,
    OWNER,
    PASSWORD,
    READ,
    TOPIC,
    answers,
    authorized_kafka,
    grant,
)

pytestmark = pytest.mark.timeout(240)

PREFIX = "portquorum"
NOBODY, LOOKER, READER = "nobody", "looker", "reader"


@pytest.fixture(scope="module")
async def owner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settings]:
    """The settings of a user who may do anything; there are topics, a beat, and no role."""
    folder: Path = tmp_path_factory.mktemp("authorized")
    with authorized_kafka(folder, (NOBODY, LOOKER, READER)) as address:
        settings = Settings(
            kafka=address,
            kafka_security_protocol="SASL_PLAINTEXT",
            kafka_username=OWNER,
            kafka_password=PASSWORD,
            clickhouse="http://127.0.0.1:1/nowhere",
            topic_prefix=PREFIX,
            partitions=2,
        )
        await answers(settings)
        await kafka.create_topics(settings)
        await fill(settings)
        names = [(TOPIC, f"{PREFIX}.", DESCRIBE), (GROUP, f"{PREFIX}-", DESCRIBE)]
        await grant(settings, LOOKER, names)
        read = ("results", "state", "policy")
        await grant(settings, READER, [*names, *((TOPIC, f"{PREFIX}.{one}", READ) for one in read)])
        yield settings


async def fill(settings: Settings) -> None:
    beat = Beat(
        region="eu",
        prober="p",
        sequence=0,
        started_at=0,
        targets=3,
        failing=1,
        newly_failing=0,
        connectivity=True,
        lag_ms=1.0,
        spool=0,
        clock_offset_ms=0,
    )
    async with kafka.producer(settings) as client:
        for part in range(settings.partitions):
            for record in (beat, Tick(worker="w")):
                await client.send_and_wait(
                    settings.topic(topics.RESULTS.name),
                    b"",
                    headers=control.headers(record),
                    partition=part,
                )
        for entry in (Region(name="eu"), ApplyMark(source="files", state="done", at=1)):
            await client.send_and_wait(
                settings.topic(topics.POLICY.name),
                policy.encode(entry),
                key=policy.key("files", entry),
                partition=0,
            )


async def seen_by(owner: Settings, user: str) -> HealthReport:
    return await look(replace(owner, kafka_username=user), 20)


def said(report: HealthReport, part: str) -> tuple[str, str]:
    (line,) = (line for line in report.lines if line.title == part)
    return line.level, line.text


async def test_without_any_right_each_line_says_what_it_lacks(owner: Settings) -> None:
    report = await seen_by(owner, NOBODY)
    assert {line.level for line in report.lines} == {"unknown", "trouble"}
    trouble = [line for line in report.lines if line.level == "trouble"]
    assert [line.part for line in trouble] == ["clickhouse"], report
    assert said(report, "kafka")[1].endswith("and 9 more")
    assert f"needs DESCRIBE on topic {PREFIX}.targets" in said(report, "kafka")[1]
    for part, group in {"stream": "stream", "sink": "sink", "notifier": "notify"}.items():
        level, text = said(report, part)
        assert (level, text) == (
            "unknown",
            f"not visible: needs DESCRIBE on group {PREFIX}-{group}",
        )
    for part in ("checkpoint", "region", "dead letters", "inventory"):
        assert said(report, part)[0] == "unknown"
        assert f"needs DESCRIBE on topic {PREFIX}." in said(report, part)[1]


async def test_with_the_right_to_describe_topics_and_groups(owner: Settings) -> None:
    report = await seen_by(owner, LOOKER)
    assert said(report, "kafka")[0] == "ok"
    # Whoever may see the groups sees that nobody is in them, and how much waits.
    for part, role, count in (("stream", "stream", 4), ("sink", "sink", 6)):
        level, text = said(report, part)
        assert level == "trouble"
        assert f"no {role} runs" in text
        assert f"{count} messages" in text
        assert "age not visible: needs READ on the topics" in text
    assert f"needs READ on topic {PREFIX}.results" in said(report, "region")[1]
    assert f"needs READ on topic {PREFIX}.policy" in said(report, "inventory")[1]
    assert said(report, "dead letters") == ("ok", "none in the last hour")


async def test_with_the_rights_of_the_page(owner: Settings) -> None:
    report = await seen_by(owner, READER)
    everything = await seen_by(owner, OWNER)
    for part in ("kafka", "stream", "checkpoint", "notifier", "dead letters", "inventory"):
        assert said(report, part)[0] == said(everything, part)[0]
        assert "not visible" not in said(report, part)[1]
    (region,) = report.facts.regions
    assert region.last_beat is not None
    assert [one.targets for one in region.probers] in ([], [3])


async def test_a_wrong_password_is_told_within_the_time(owner: Settings) -> None:
    other = PASSWORD[::-1]
    wrong = replace(owner, kafka_password=other)
    async with asyncio.timeout(60):
        report = await look(wrong, 3)
    assert said(report, "kafka")[0] == "trouble"
    assert "refuses the password; PORTQUORUM_KAFKA_USERNAME" in report.summary
    assert other not in str(report)
