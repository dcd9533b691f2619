"""What `portquorum health` says of facts: each kind of trouble has its own sentence and level."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from portquorum.health.facts import (
    AppliedFacts,
    CheckpointFacts,
    ClickHouseFacts,
    FailingChannel,
    GroupFacts,
    HealthFacts,
    KafkaFacts,
    LogFacts,
    NotifierFacts,
    PolicyFacts,
    ProberFacts,
    RegionFacts,
    TopicFacts,
)
from portquorum.health.judge import judge
from portquorum.health.told import policy_facts
from portquorum.health.verdict import HealthLine, HealthReport
from schemas import topics
from schemas.duration import DAY_MS
from schemas.policy import DrillDone, DrillPlan

NOW = 1_790_000_000_000
REGIONS = ("ap-south", "eu-west", "us-east")


def topic(name: str, **changes: Any) -> TopicFacts:
    base: dict[str, Any] = {"name": name, "exists": True, "partitions": 16, "expected": 16}
    return TopicFacts(**(base | changes))


def group(role: str, **changes: Any) -> GroupFacts:
    base: dict[str, Any] = {
        "role": role,
        "group": f"portquorum-{role}",
        "state": "Stable",
        "members": 1,
        "lag": 0,
    }
    return GroupFacts(**(base | changes))


def prober(**changes: Any) -> ProberFacts:
    base: dict[str, Any] = {
        "prober": "p1",
        "at": NOW - 2_000,
        "targets": 100,
        "failing": 3,
        "connectivity": True,
        "lag_ms": 2.0,
        "spool": 0,
        "clock_offset_ms": 4,
    }
    return ProberFacts(**(base | changes))


def region(name: str = "us-east", **changes: Any) -> RegionFacts:
    base: dict[str, Any] = {
        "region": name,
        "known": True,
        "probers": (prober(),),
        "last_beat": NOW - 2_000,
        "set_aside": False,
        "group": group(f"probe-{name}"),
        "targets": 100,
    }
    return RegionFacts(**(base | changes))


def well(**changes: Any) -> HealthFacts:
    """Everything runs."""
    base: dict[str, Any] = {
        "kafka": KafkaFacts(
            servers="kafka1:9092",
            brokers=3,
            topics=tuple(topic(one.name) for one in topics.ALL),
        ),
        "clickhouse": ClickHouseFacts(
            server="ch:8123",
            version="26.9",
            schema=5,
            newest_schema=5,
            newest_result=NOW - 3_000,
            targets=100,
            by_region=dict.fromkeys(REGIONS, 100),
            shortest_interval_ms=60_000,
        ),
        "log": LogFacts(now=NOW, newest=NOW - 100),
        "groups": (
            group("stream", lag=40, oldest=NOW - 9_000),
            group("sink", lag=4, oldest=NOW - 900),
            group("notify"),
        ),
        "regions": tuple(region(name) for name in REGIONS),
        "checkpoints": CheckpointFacts(
            partitions=16, oldest=NOW - 9_000, newest=NOW - 8_000, chunks=32
        ),
        "policy": PolicyFacts(
            applied=(AppliedFacts("default", NOW - 7_200_000, True),), regions=REGIONS, routes=2
        ),
        "dead_letters": 0,
    }
    return HealthFacts(**(base | changes))


def line(report: HealthReport, title: str) -> HealthLine:
    (found,) = (one for one in report.lines if one.title == title)
    return found


def said(facts: HealthFacts, title: str) -> tuple[str, str]:
    found = line(judge(facts, 1), title)
    return found.level, found.text


def with_group(role: str, **changes: Any) -> HealthFacts:
    facts = well()
    groups = (replace(one, **changes) if one.role == role else one for one in facts.groups)
    return replace(facts, groups=tuple(groups))


def with_region(**changes: Any) -> HealthFacts:
    return well(regions=(region("ap-south"), region("eu-west"), region(**changes)))


def test_all_well_has_a_line_for_each_part() -> None:
    report = judge(well(), 12)
    assert report.level == "ok"
    assert report.summary == "all well, 3 regions, 100 targets, newest result 3 s old"
    assert {one.level for one in report.lines} == {"ok"}
    assert [one.title for one in report.lines] == [
        "kafka",
        "clickhouse",
        "region ap-south",
        "region eu-west",
        "region us-east",
        "stream",
        "checkpoint",
        "sink",
        "notifier",
        "routes",
        "newest result",
        "dead letters",
        "inventory",
    ]
    assert (report.at, report.took_ms) == (NOW, 12)


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({}, "ok", "1 member, 40 messages after the checkpoints, the oldest 9 s old"),
        ({"members": 0}, "trouble", "no stream runs (portquorum stream)"),
        ({"oldest": NOW - 45_000}, "ok", "45 s old"),
        ({"oldest": NOW - 46_000}, "trouble", "the oldest 46 s old: it stands still"),
        ({"state": "PreparingRebalance"}, "warning", "shares its partitions anew"),
        (
            {"members": None, "hidden": "DESCRIBE on group g", "lag": None},
            "unknown",
            "not visible: needs DESCRIBE on group g",
        ),
        (
            {"members": None, "state": None, "error": "NotCoordinatorForGroupError", "lag": None},
            "trouble",
            "no broker can say who is in group portquorum-stream (NotCoordinatorForGroupError)",
        ),
        (
            {"oldest": None, "lag_hidden": "READ on the topics"},
            "unknown",
            "age not visible: needs READ on the topics",
        ),
        (
            {"lag": None, "oldest": None, "lag_hidden": "DESCRIBE on the topics"},
            "unknown",
            "lag not visible: needs DESCRIBE on the topics",
        ),
    ],
)
def test_the_stream(changes: dict[str, Any], level: str, words: str) -> None:
    found = said(with_group("stream", **changes), "stream")
    assert found[0] == level
    assert words in found[1]


def test_a_stream_with_rare_checkpoints_is_given_time() -> None:
    facts = replace(with_group("stream", oldest=NOW - 100_000), checkpoint_interval_s=60.0)
    assert said(facts, "stream")[0] == "ok"


@pytest.mark.parametrize(
    ("role", "title", "late_ms", "level"),
    [
        ("sink", "sink", 15_000, "ok"),
        ("sink", "sink", 16_000, "warning"),
        ("sink", "sink", 61_000, "trouble"),
        ("notify", "notifier", 20_000, "ok"),
        ("notify", "notifier", 21_000, "warning"),
        ("notify", "notifier", 61_000, "trouble"),
    ],
)
def test_lag_in_seconds(role: str, title: str, late_ms: int, level: str) -> None:
    facts = with_group(role, lag=1_234, oldest=NOW - late_ms)
    found = said(facts, title)
    assert found[0] == level
    assert "1,234 messages behind" in found[1]


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({}, "ok", "1 prober, last beat 2 s ago, 100 targets, 3 failing"),
        ({"last_beat": NOW - 16_000}, "trouble", "silent for 16 s: 100 targets not watched"),
        ({"last_beat": NOW - 16_000, "targets": None}, "trouble", "silent for 16 s"),
        ({"last_beat": None, "probers": ()}, "trouble", "1 prober in the group, and no beat"),
        (
            {"last_beat": None, "probers": (), "group": group("probe-us-east", members=0)},
            "trouble",
            "no prober runs, no beat in sight: 100 targets not watched from here",
        ),
        ({"last_beat": None, "probers": (), "targets": 0}, "ok", "no target names it"),
        ({"set_aside": True}, "trouble", "set aside"),
        ({"probers": (prober(connectivity=False),)}, "trouble", "none of its references answers"),
        (
            {"probers": (prober(connectivity=False), prober(prober="p2"))},
            "warning",
            "2 probers, last beat 2 s ago, 200 targets, 6 failing; prober p1 has no network",
        ),
        ({"probers": (prober(spool=1_000),)}, "ok", "1 prober"),
        ({"probers": (prober(spool=1_001),)}, "warning", "1,001 results of prober p1"),
        ({"probers": (prober(lag_ms=9_000),)}, "warning", "begin 9 s late"),
        ({"probers": (prober(clock_offset_ms=-60_000),)}, "warning", "60 s ahead of the broker's"),
        ({"known": False}, "warning", "the policy does not have this region"),
        (
            {"probers": (prober(), prober(prober="gone", at=NOW - 18_000, failing=90))},
            "ok",
            "1 prober, last beat 2 s ago, 100 targets, 3 failing",
        ),
    ],
)
def test_a_region(changes: dict[str, Any], level: str, words: str) -> None:
    found = said(with_region(**changes), "region us-east")
    assert found[0] == level
    assert words in found[1]


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({}, "ok", "2 receivers, last beat 2 s ago, 40 heartbeats"),
        ({"known": False}, "ok", "40 heartbeats"),
        # One that is a moment gone.
        (
            {"probers": (prober(targets=40), prober(prober="p2", at=NOW - 19_000, targets=41))},
            "ok",
            "1 receiver,",
        ),
        (
            {"last_beat": NOW - 60_000, "probers": ()},
            "trouble",
            "silent for 60 s: 40 heartbeats not judged",
        ),
        (
            {"last_beat": None, "probers": ()},
            "trouble",
            "no receiver runs, no beat in sight: 40 heartbeats not judged",
        ),
        ({"last_beat": None, "probers": (), "targets": 0}, "ok", "no heartbeat is in the inven"),
        ({"last_beat": None, "probers": (), "targets": None}, "trouble", "no beat in sight"),
    ],
)
def test_receivers(changes: dict[str, Any], level: str, words: str) -> None:
    """Each takes the reports of all heartbeats; they are in no group and no policy."""
    both = (prober(targets=40), prober(prober="p2", targets=40))
    more = {"probers": both, "targets": 40, "known": None, "group": group("receiver")} | changes
    facts = well(regions=(region("receiver", **more), region("us-east")))
    found = said(facts, "region receiver")
    assert found[0] == level
    assert words in found[1]
    if level == "ok":
        assert judge(facts, 1).summary.startswith("all well, 1 region,")


def away() -> KafkaFacts:
    return KafkaFacts(servers="kafka1:9092", error="Kafka can't be reached at kafka1:9092: refused")


def test_four_kinds_of_nothing_are_four_sentences() -> None:
    no_groups = tuple(group(role, members=0, state="Dead") for role in ("stream", "sink", "notify"))
    nobody = well(
        groups=no_groups,
        regions=tuple(
            region(name, probers=(), last_beat=None, group=group("probe", **none))
            for name, none in (
                ("eu-west", {"members": 0}),
                ("named by a target alone", {"members": None, "group": ""}),
            )
        ),
    )
    one_away = well(groups=(no_groups[0], *well().groups[1:]))
    no_clickhouse = ClickHouseFacts(server="ch:8123", error="ClickHouse can't be reached at ch")
    summaries = [
        judge(facts, 1).summary
        for facts in (
            one_away,
            nobody,
            replace(well(), kafka=away(), groups=(), regions=()),
            well(clickhouse=no_clickhouse),
        )
    ]
    assert summaries[0].startswith("stream: no stream runs")
    assert summaries[1].startswith("no role runs: nobody is in a consumer group")
    assert summaries[2] == "Kafka can't be reached at kafka1:9092: refused"
    assert summaries[3] == "ClickHouse can't be reached at ch"


def test_with_one_service_away_the_other_is_still_judged() -> None:
    without_kafka = judge(replace(well(), kafka=away(), groups=(), regions=(), policy=None), 1)
    assert without_kafka.level == "trouble"
    assert line(without_kafka, "clickhouse").level == "ok"
    assert line(without_kafka, "newest result").level == "ok"
    for title in ("region", "stream", "checkpoint", "sink", "notifier"):
        assert line(without_kafka, title).level == "unknown"
        assert line(without_kafka, title).text == "Kafka is away"
    gone = ClickHouseFacts(server="ch", error="ClickHouse can't be reached at ch")
    without_clickhouse = judge(well(clickhouse=gone), 1)
    assert without_clickhouse.level == "trouble"
    assert line(without_clickhouse, "newest result").level == "unknown"
    assert line(without_clickhouse, "stream").level == "ok"
    assert line(without_clickhouse, "region eu-west").level == "ok"


def test_a_cluster_that_never_saw_portquorum() -> None:
    absent = tuple(topic(one.name, exists=False, partitions=0) for one in topics.ALL)
    kafka = KafkaFacts(servers="k:1", brokers=1, topics=absent)
    report = judge(well(kafka=kafka, groups=(), regions=()), 1)
    assert report.level == "trouble"
    assert "none of the topics portquorum.*: no role has ever run here" in report.summary
    assert "stream" not in [one.part for one in report.lines]


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"exists": False, "partitions": 0}, "trouble", "topic results does not exist"),
        ({"partitions": 4}, "trouble", "has 4 partitions, PORTQUORUM_PARTITIONS says 16"),
        ({"leaderless": 2}, "trouble", "2 partitions of topic results without a leader"),
        ({"under_replicated": 3}, "warning", "3 partitions lack a replica in sync"),
        ({"hidden": "DESCRIBE on topic t"}, "unknown", "needs DESCRIBE on topic t"),
    ],
)
def test_topics(changes: dict[str, Any], level: str, words: str) -> None:
    results = topic("results", **changes)
    found = said(well(kafka=replace(well().kafka, topics=(results, topic("state")))), "kafka")
    assert found[0] == level
    assert words in found[1]


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"schema": 4}, "warning", "a restart of the sink brings it"),
        ({"schema": 6}, "trouble", "upgrade portquorum"),
        ({"schema": None}, "trouble", "has no tables yet"),
        ({"hidden": "ClickHouse refused: no"}, "unknown", "not visible"),
    ],
)
def test_the_schema(changes: dict[str, Any], level: str, words: str) -> None:
    found = said(well(clickhouse=replace(well().clickhouse, **changes)), "clickhouse")
    assert found[0] == level
    assert words in found[1]


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"newest_result": NOW - 210_000}, "ok", "3 min old"),
        ({"newest_result": NOW - 211_000}, "trouble", "though a target is checked every 60 s"),
        ({"newest_result": NOW - 211_000, "targets": 0}, "ok", "there are no targets now"),
        ({"newest_result": None}, "trouble", "none in ClickHouse yet"),
        ({"newest_result": None, "targets": 0}, "ok", "there are no targets"),
    ],
)
def test_the_newest_result(changes: dict[str, Any], level: str, words: str) -> None:
    found = said(well(clickhouse=replace(well().clickhouse, **changes)), "newest result")
    assert found[0] == level
    assert words in found[1]


@pytest.mark.parametrize(
    ("changes", "title", "level", "words"),
    [
        ({"dead_letters": 7}, "dead letters", "warning", "7 in the last hour"),
        (
            {"dead_letters": None, "dead_letters_hidden": "DESCRIBE on topic d"},
            "dead letters",
            "unknown",
            "needs DESCRIBE on topic d",
        ),
        (
            {"policy": PolicyFacts(applied=(AppliedFacts("web", NOW, False),), routes=1)},
            "inventory",
            "warning",
            "an apply of web has not ended",
        ),
        ({"policy": PolicyFacts(hidden="READ on topic p")}, "inventory", "unknown", "READ on"),
        (
            {"policy": PolicyFacts(routes=1, missing_routes=("pager",))},
            "routes",
            "warning",
            "no inventory defines the route pager",
        ),
        (
            {"policy": PolicyFacts(routes=1, untold_teams=("db", "web"))},
            "routes",
            "warning",
            "incidents of db, web go to the notifier's console alone",
        ),
        ({"policy": PolicyFacts()}, "routes", "warning", "console alone"),
        (
            {"log": LogFacts(now=NOW, clock_offset_ms=-60_000)},
            "clock",
            "warning",
            "this machine's clock is 60 s ahead of the broker's",
        ),
        ({"checkpoints": CheckpointFacts()}, "checkpoint", "warning", "none yet"),
        (
            {"checkpoints": CheckpointFacts(partitions=1, oldest=1, newest=NOW - 46_000)},
            "checkpoint",
            "trouble",
            "newest 46 s old",
        ),
        (
            {"checkpoints": CheckpointFacts(hidden="READ on topic s")},
            "checkpoint",
            "unknown",
            "needs READ on topic s",
        ),
        ({"log": LogFacts(now=NOW, hidden="READ on topic r")}, "region", "unknown", "READ on"),
    ],
)
def test_the_rest(changes: dict[str, Any], title: str, level: str, words: str) -> None:
    found = said(well(**changes), title)
    assert found[0] == level
    assert words in found[1]


def test_what_cannot_be_seen_is_no_trouble_and_no_warning() -> None:
    facts = with_group("sink", hidden="DESCRIBE on group portquorum-sink", members=None, lag=None)
    report = judge(facts, 1)
    assert report.level == "ok"
    assert report.summary.endswith("; some of it is not visible")


def test_a_hidden_group_is_not_taken_for_one_that_nobody_is_in() -> None:
    groups = (
        group("stream", members=0),
        group("sink", members=None, hidden="DESCRIBE on group portquorum-sink"),
        group("notify", members=0),
    )
    silent = tuple(region(name, probers=(), last_beat=None) for name in REGIONS)
    assert "no role runs" not in judge(well(groups=groups, regions=silent), 1).summary


def test_the_summary_is_one_line_of_the_worst_and_how_many_more() -> None:
    facts = replace(with_group("stream", members=0), dead_letters=4)
    facts = replace(facts, regions=tuple(region(name, set_aside=True) for name in REGIONS))
    summary = judge(facts, 1).summary
    assert summary.startswith("region ap-south: ")
    assert summary.endswith("; and 2 more")
    assert "dead letters" not in summary
    assert "\n" not in summary


def test_the_page_says_of_each_part_what_is_trouble() -> None:
    page = (Path(__file__).parents[4] / "docs" / "deploy.md").read_text()
    facts = replace(well(), log=LogFacts(now=NOW, clock_offset_ms=60_000))
    parts = {one.part for one in judge(facts, 1).lines}
    assert len(parts) == 12
    assert [part for part in sorted(parts) if f"\n| `{part}` |" not in page] == []


def failing(name: str = "oncall", since: int = NOW - 60_000, **changes: Any) -> FailingChannel:
    base: dict[str, Any] = {
        "channel": f"{name}/4015d4c1fd5ff73b/slack",
        "short_name": f"{name} (slack)",
        "since": since,
        "waiting": 3,
        "error": "HTTP 500",
    }
    return FailingChannel(**(base | changes))


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({}, "ok", "none fails, 0 open"),
        ({"open": 1_200, "waiting": 2}, "ok", "none fails, 1,200 open, 2 messages on the way"),
        (
            {"failing": (failing(),)},
            "warning",
            "oncall (slack) fails for 60 s, 3 messages wait (HTTP 500)",
        ),
        (
            {"failing": (failing(since=NOW - 121_000, waiting=1, error=""),)},
            "trouble",
            "oncall (slack) fails for 2 min, 1 message waits",
        ),
        ({"given_up": 1}, "warning", "1 message given up in the last hour (portquorum notify"),
        ({"unreadable": 2}, "warning", "2 records of [notifier-state] can't be read"),
        ({"hidden": "READ on topics a and b"}, "unknown", "not visible: needs READ on topics"),
    ],
)
def test_channels(changes: dict[str, Any], level: str, words: str) -> None:
    facts = NotifierFacts(**({"term": 3, "owner": "host-1", "active_since": NOW} | changes))
    found = said(well(notifier=facts), "channels")
    assert found[0] == level
    assert found[1].startswith(words)


def test_no_line_on_channels_before_a_notifier_was_active() -> None:
    titles = {one.title for one in judge(well(notifier=NotifierFacts()), 1).lines}
    assert "channels" not in titles
    assert "notifier" in titles


@pytest.mark.parametrize(
    ("entries", "level", "words"),
    [
        ((DrillPlan(name="drill", every_ms=7 * DAY_MS),), "warning", "there was none yet, one"),
        ((DrillDone(name="last", at=NOW - 3 * DAY_MS),), "ok", "all stages came in time 3 d ago"),
        (
            (
                DrillDone(name="last", at=NOW - 8 * DAY_MS),
                DrillPlan(name="drill", every_ms=7 * DAY_MS),
            ),
            "warning",
            "overdue: the last one was 8 d ago, one every 7 d is planned",
        ),
        (
            (
                DrillDone(name="last", at=NOW - DAY_MS, overdue="message"),
                DrillPlan(name="drill", every_ms=7 * DAY_MS),
            ),
            "warning",
            "in the last one, 24 h ago, message did not come in time",
        ),
    ],
)
def test_fire_drills(entries: tuple[DrillDone | DrillPlan, ...], level: str, words: str) -> None:
    found, text = said(replace(well(), policy=policy_facts(entries)), "drill")
    assert found == level
    assert words in text


def test_no_line_on_drills_without_a_plan_and_a_drill() -> None:
    assert "drill" not in {line.title for line in judge(well(), 1).lines}


def versions(sink: str | None, stream: str | None, prober: str | None) -> HealthFacts:
    facts = well()
    given = {"sink": (sink, sink), "stream": (stream,), "notify": (sink,)}
    groups = tuple(replace(one, versions=given[one.role]) for one in facts.groups)
    regions = tuple(
        replace(one, group=replace(one.group, versions=(prober,))) for one in facts.regions
    )
    return replace(facts, groups=groups, regions=regions)


def test_an_upgrade_that_is_under_way_says_who_is_of_which_version() -> None:
    for facts in (well(), versions("0.8.0", "0.8.0", "0.8.1"), versions(None, None, None)):
        assert "versions" not in {line.title for line in judge(facts, 1).lines}
    found, text = said(versions("0.8.0", "0.7.2", None), "versions")
    assert (found, text) == (
        "ok",
        "sink 0.8.0, notifier 0.8.0, stream 0.7.2, prober before: an upgrade in its order",
    )


def test_versions_that_run_out_of_order_are_a_warning_that_says_what_to_do() -> None:
    found, text = said(versions("0.7.0", "0.8.0", "0.8.0"), "versions")
    assert found == "warning"
    assert text == (
        "2 sinks of 0.7.0 beside a stream of 0.8.0, and can't read all that is written: upgrade "
        "the sinks (docs/operations.md#upgrade)"
    )
    found, text = said(versions("0.8.0", None, "0.8.0"), "versions")
    assert found == "warning"
    assert text.startswith("a stream of an older version beside 3 probers of 0.8.0 (one ap-south)")
