"""`portquorum backtest` on rows in the real ClickHouse, beside the rules fed with the log."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
import pytest
from clickhouse_connect.driver.client import Client

from foundation.clickhouse import connect
from foundation.settings import Settings
from portquorum.bench import history as generated
from portquorum.inventory.false_alarms import per_day, policy_of
from schemas.control import Beat, Control, TargetSet
from schemas.incident import IncidentEvent
from schemas.result import CheckResult
from schemas.target import LatencyLimit, Target
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.tables import RESULTS
from streams.rules.apply import Output, apply
from streams.rules.record import Record
from streams.state.partition_state import new_state
from tests.commands import Said, called
from tests.integration.sinks.clickhouse import rig
from tests.running import still_running

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
TODAY: Final = 20_500
"""Days since 1970 in the past of the tests, which goes on for two days."""

SINCE: Final = TODAY * DAY_MS
UNTIL: Final = SINCE + 2 * DAY_MS
REGIONS: Final = ("ap", "eu", "us")


@pytest.fixture(scope="module")
def settings(clickhouse: str) -> Settings:
    base = clickhouse.rpartition("/")[0]
    name = f"backtest_{uuid.uuid4().hex[:8]}"
    found = Settings(clickhouse=f"{base}/{name}", results_ttl_days=3650)
    migrate(found)
    return found


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    one = connect(settings)
    rig.empty(one, settings)
    yield one
    one.close()


def call(
    settings: Settings, folder: Path, *arguments: str, policy: str = "defaults: {retries: 0}"
) -> Said:
    (folder / "policy.yaml").write_text(policy)
    names = {
        "PORTQUORUM_CLICKHOUSE": settings.clickhouse,
        "PORTQUORUM_DATA_DIR": str(folder),
        "COLUMNS": "160",
    }
    return called(folder, names, "backtest", "--policy", "policy.yaml", *arguments)


SPAN: Final = ("--since", "2026-02-16", "--until", "2026-02-18")


def backtest(settings: Settings, folder: Path, *arguments: str, policy: str) -> dict[str, Any]:
    done = call(settings, folder, *SPAN, "--json", *arguments, policy=policy)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = msgspec.json.decode(done.stdout)
    assert (found["comparison"]["since"], found["comparison"]["until"]) == (SINCE, UNTIL)
    return found


def fleet() -> list[Target]:
    return [
        Target(
            id=f"h{number // 2}-{number % 2}",
            name=f"h{number // 2}-{number % 2}",
            kind="tcp",
            host=f"h{number // 2}.example.com",
            port=80 + number % 2,
            regions=REGIONS,
            interval_ms=300_000,
            timeout_ms=3_000,
            version=1,
            source="test",
            team="web" if number % 3 else None,
        )
        for number in range(12)
    ]


def checks(targets: list[Target], seed: int) -> list[tuple[int, CheckResult]]:
    """What probers would publish, with random outages; in the order of append times.

    The last host never fails.
    """
    draw = random.Random(seed)  # noqa: S311 - a drawing that can be repeated, not a secret
    rows: list[tuple[int, CheckResult]] = []
    for one in targets:
        for start in range(SINCE, UNTIL, 4 * HOUR_MS):
            begin = start + draw.randrange(3 * HOUR_MS)
            end = begin + draw.choice((0, 30_000, 600_000, 3_000_000))
            bad = REGIONS[: draw.randint(1, 3)]
            for number, region in enumerate(REGIONS):
                shift = number * 100_000 + draw.randrange(1_000)
                for at in range(start + shift, start + 4 * HOUR_MS, one.interval_ms):
                    down = one.host != "h5.example.com" and begin <= at < end and region in bad
                    for attempt in range(2 if down else 1):
                        ran = at + attempt * 1_010
                        row = result(one, region, ran, up=not down, attempt=attempt)
                        rows.append((ran + draw.randrange(5, 900), row))
    return sorted(rows, key=lambda row: row[0])


def result(one: Target, region: str, at: int, *, up: bool, attempt: int) -> CheckResult:
    return CheckResult(
        target=one.id,
        kind=one.kind,
        host=one.host,
        port=one.port,
        region=region,
        prober=f"{region}-1",
        scheduled_at=at,
        started_at=at,
        status="up" if up else "down",
        reason=None if up else "connection_refused",
        attempt=attempt,
        cause="retry" if attempt else "schedule",
        target_version=1,
        connect_ms=1.5 if up else None,
    )


def store(client: Client, targets: list[Target], rows: list[tuple[int, CheckResult]]) -> None:
    """As the sink does, and shuffled: nothing may rest on the order of insertion."""
    generated.fill_targets(client, targets, SINCE - DAY_MS)
    lines = []
    for offset, (at, one) in enumerate(rows):
        row = msgspec.to_builtins(one)
        row |= {name: f"{row[name] / 1000:.3f}" for name in ("scheduled_at", "started_at")}
        row["target_version"] = "1700000000.000"
        connect_ms = row.pop("connect_ms", None)
        row["connect_us"] = None if connect_ms is None else round(connect_ms * 1000)
        row["reason"] = one.reason or ""
        row |= {"log_offset": offset, "appended_at": f"{at / 1000:.3f}"}
        lines.append({name: value for name, value in row.items() if name in RESULTS.names})
    random.Random(1).shuffle(lines)  # noqa: S311 - any order will do
    text = "\n".join(msgspec.json.encode(line).decode() for line in lines)
    client.command(f"INSERT INTO results FORMAT JSONEachRow {text}")


def decided(targets: list[Target], rows: list[tuple[int, CheckResult]]) -> list[tuple[Any, ...]]:
    """What the stream decided from the log: the same rules, with the beats of three probers."""
    state = new_state(0, 1)
    outputs: list[Output] = []
    offset = 0

    def append(at: int, results: list[CheckResult], control: Control | None) -> None:
        nonlocal offset
        outputs.extend(apply(state, Record(offset, at, results, control)))
        offset += 1

    for one in targets:
        append(SINCE - 1, [], TargetSet(one))
    records: list[tuple[int, CheckResult | Beat]] = list(rows)
    for at in range(SINCE, UNTIL, 5_000):
        for number, region in enumerate(REGIONS):
            records.append((at + number * 1_700, beat(region, at)))
    for at, record in sorted(records, key=lambda row: row[0]):
        if isinstance(record, Beat):
            append(at, [], record)
        else:
            append(at, [record], None)
    events = [one for one in outputs if isinstance(one, IncidentEvent)]
    closed = {one.incident_id: one.closed_at for one in events if one.event == "closed"}
    return sorted(
        (
            one.target,
            one.incident_type,
            one.first_failed_at,
            one.opened_at,
            closed.get(one.incident_id),
        )
        for one in events
        if one.event == "opened"
    )


def beat(region: str, at: int) -> Beat:
    return Beat(
        region=region,
        prober=f"{region}-1",
        sequence=(at - SINCE) // 5_000,
        started_at=SINCE,
        targets=12,
        failing=0,
        newly_failing=0,
        connectivity=True,
        lag_ms=0,
        spool=0,
        clock_offset_ms=0,
    )


def side(found: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    """The incidents of the lists `names`, as `decided` has them."""
    fields = ("target", "incident_type", "first_failed_at", "opened_at", "closed_at")
    return sorted(
        tuple(one["incident"][field] for field in fields)
        for name in names
        for one in found["comparison"][name]
    )


def test_the_present_policy_gives_what_the_stream_decided_from_the_log(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    targets, rows = fleet(), checks(fleet(), seed=7)
    store(client, targets, rows)
    # Against a policy that opens nothing, all incidents of the present one are `gone`.
    nothing = "defaults: {open_after: 1d}"
    found = backtest(settings, tmp_path, "--workers", "2", policy=nothing)
    expected = decided(targets, rows)
    assert len(expected) > 20
    assert side(found, "gone") == expected
    assert found["comparison"]["proposed"]["figures"]["incidents"] == 0
    scope = found["scope"]
    assert (scope["targets"], scope["hosts"], scope["calm_hosts"]) == (12, 6, 1)
    assert scope["rows"] + scope["calm_rows"] == len(rows)


def test_the_other_policy_gives_what_the_stream_would_have_decided(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    targets, rows = fleet(), checks(fleet(), seed=8)
    store(client, targets, rows)
    found = backtest(settings, tmp_path, policy="teams: {web: {consensus: unanimous, retries: 0}}")
    changed = [
        msgspec.structs.replace(one, consensus="unanimous", retries=0) if one.team else one
        for one in targets
    ]
    before, after = decided(targets, rows), decided(changed, rows)
    figures = [
        found["comparison"][name]["figures"]["incidents"] for name in ("present", "proposed")
    ]
    assert figures == [len(before), len(after)]
    assert side(found, "gone")
    assert set(side(found, "gone")) <= set(before) - set(after)
    assert set(side(found, "new")) <= set(after) - set(before)
    teams = {one["name"]: one for one in found["comparison"]["teams"]}
    assert teams[""]["present"] == teams[""]["proposed"]


def test_a_limit_on_the_latency_is_judged_by_the_stored_times(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    targets = fleet()[:4]
    rows = [
        (at, msgspec.structs.replace(one, connect_ms=80.0))
        if one.target == "h1-0" and one.status == "up" and 3 * HOUR_MS < at - SINCE < 9 * HOUR_MS
        else (at, one)
        for at, one in checks(targets, seed=10)
    ]
    store(client, targets, rows)
    limit = "defaults: {latency: {max_ms: 50, for: 3}}"
    found = backtest(settings, tmp_path, policy=limit)
    limited = [
        msgspec.structs.replace(one, latency=LatencyLimit(max_ms=50, for_results=3))
        for one in targets
    ]
    slow = [one for one in decided(limited, rows) if one[1] == "slow"]
    assert slow
    assert {one[0] for one in slow} == {"h1-0"}
    assert side(found, "new") == slow
    assert found["comparison"]["gone"] == []


def test_the_loss_of_the_time_gives_the_false_alarms_to_expect(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    """Every 40th round of `h0-0` loses a check; `h1-0` is down for the second day, others calm."""
    targets = fleet()[:6]
    rows: list[tuple[int, CheckResult]] = []
    passed = lost = 0
    for one in targets:
        for round_, at in enumerate(range(SINCE - HOUR_MS, UNTIL - 300_000, one.interval_ms)):
            for number, region in enumerate(REGIONS):
                start = at + number * 100_000
                out = one.id == "h1-0" and at >= SINCE + DAY_MS
                alone = one.id == "h0-0" and round_ % 40 == 2 + number
                # Before `SINCE` it is the warm-up, which has a lost check of each region, too.
                passed += at >= SINCE and not out and not alone
                lost += at >= SINCE and alone
                for attempt in range(2 if out or alone else 1):
                    up = not out and attempt == (1 if alone else 0)
                    ran = start + attempt * 1_010
                    rows.append((ran + 10, result(one, region, ran, up=up, attempt=attempt)))
    rows.sort(key=lambda row: row[0])
    store(client, targets, rows)
    found = backtest(settings, tmp_path, policy="defaults: {retries: 0}")
    assert found["scope"]["calm_hosts"] == 1
    expected = found["expected"]
    assert lost > 30
    assert (expected["checks"], expected["lost"]) == (passed + lost, lost)
    assert expected["loss"] == pytest.approx(lost / passed)
    for name, retries, within_s in (("present", 1, 170), ("proposed", 0, 166)):
        alarms = sum(
            per_day(policy_of(msgspec.structs.replace(one, retries=retries)), lost / passed)
            for one in targets
        )
        assert expected[name]["false_alarms_a_day"] == pytest.approx(alarms)
        assert expected[name]["told_within_s"] == within_s
    page = call(settings, tmp_path, *SPAN)
    share = f"{100 * lost / passed:.2f} % of {passed + lost:,} checks"
    assert f"At the loss of these 2 days ({share}) this policy would give" in page.stdout
    html = call(settings, tmp_path, *SPAN, "--format", "html")
    assert f"At the loss of these 2 days ({share}) this policy would give" in html.stdout


def test_filters_and_formats(settings: Settings, client: Client, tmp_path: Path) -> None:
    targets, rows = fleet(), checks(fleet(), seed=9)
    store(client, targets, rows)
    only = backtest(
        settings, tmp_path, "--team", "web", "--target", "h1-0", policy="defaults: {retries: 0}"
    )
    assert only["scope"]["targets"] == 1
    page = call(settings, tmp_path, *SPAN)
    assert page.returncode == 0, page.stderr
    assert "Openings a day" in page.stdout
    assert "history has no beats" in page.stderr
    html = call(settings, tmp_path, *SPAN, "--format", "html")
    assert html.stdout.startswith("<!doctype html>")
    assert html.stdout.endswith("</html>\n")


def test_wrong_use_is_2_and_a_wrong_file_is_1(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    nothing = call(settings, tmp_path)
    assert nothing.returncode == 2
    assert "knows no target yet" in nothing.stderr
    generated.fill_targets(client, fleet(), SINCE)
    assert call(settings, tmp_path, "--team", "nobody").returncode == 2
    assert call(settings, tmp_path, "--since", "soon").returncode == 2
    wrong = call(settings, tmp_path, policy="defaults: {interval: 5s}")
    assert (wrong.returncode, "no such field" in wrong.stderr) == (1, True)
    quiet = call(settings, tmp_path)
    assert quiet.returncode == 0, quiet.stderr
    assert "would have changed nothing" in quiet.stdout


def test_ctrl_c_ends_the_workers_too(settings: Settings, client: Client, tmp_path: Path) -> None:
    """A long history, interrupted when its workers are at work."""
    generated.fill_targets(client, generated.targets(400), SINCE - DAY_MS)
    for day in range(3):
        generated.fill_day(client, 400, TODAY + day)
    (tmp_path / "policy.yaml").write_text("defaults: {retries: 0}")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "portquorum.cli", "backtest", "--policy", "policy.yaml"),
            *("--since", "2026-02-15", "--until", "2026-02-19", "--workers", "2"),
        ],
        env=os.environ | {"PORTQUORUM_CLICKHOUSE": settings.clickhouse},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    one = psutil.Process(process.pid)

    def workers() -> list[psutil.Process]:
        return [c for c in one.children(recursive=True) if "spawn_main" in " ".join(c.cmdline())]

    deadline = time.monotonic() + 60
    while len(workers()) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = one.children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 130
    assert still_running(children, 10) == []
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
