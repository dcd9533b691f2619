"""An outage of all targets at once, and how few messages each of their people gets.

`portquorum bench notify --storm [--targets N] [--people N] [--interval S] [--json]`.

All targets are of hosts of their own and go down at once; each person has a route of their own
that takes all of them, with one channel, Apprise's `json://`, on this machine. Kafka and
`portquorum notify` run as anybody starts them. It is done with `group_interval`, and once more with
`group_interval` 0, which is one message a host. Measured from the stamp of the first event: the
first message of each person, how late the second one was (after the first one and the interval),
and the last one, when every target has been told to everybody: the send log has exactly one row of
each event and person that says `sent`.
"""

import asyncio
import os
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec
import psutil
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from foundation.kafka import Follower
from foundation.settings import Settings
from portquorum.bench.notify_events import publish, publish_routes
from portquorum.bench.notify_receivers import Channels, channels
from portquorum.bench.process import say
from portquorum.bench.role import environment, running
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas import notification
from schemas.policy import Route
from schemas.topics import NOTIFICATIONS

DEADLINE_S: Final = 1_800.0
"""Time after which a run is given up, in s."""

_READY_S: Final = 60.0
_LOOK_S: Final = 1.0
_WARM: Final = "warm"
_TAG: Final = "storm"


class StormRun(Struct, frozen=True, kw_only=True):
    """One run; times are in s, each that of the person with whom it is worst.

    `messages` is how many a person got at most, `messages_in_all` of all people. `first_s` and
    `last_s` are from the first event to the first and the last message. `digest_late_s` is how much
    later than the interval the second message came after the first one (None without a second).
    """

    targets: int
    people: int
    interval_s: float
    messages: int
    messages_in_all: int
    first_s: float
    digest_late_s: float | None
    last_s: float
    published_s: float
    cpu_s: float
    memory_mb: float


class StormReport(Struct, frozen=True, kw_only=True):
    """Both runs of one invocation."""

    load_before: float
    load_after: float
    cpus: int
    grouped: StormRun
    single: StormRun


class Storm(Struct, frozen=True, kw_only=True):
    """What goes down, and who is told."""

    targets: int
    people: int
    interval_s: float

    def policy(self, port: int) -> list[Route]:
        """A route for each person, and one to warm up."""
        found = [Route(name=_WARM, urls=(f"json://127.0.0.1:{port}/{_WARM}",), tags=(_WARM,))]
        return found + [
            Route(
                name=f"person-{number}",
                urls=(f"json://127.0.0.1:{port}/person-{number}",),
                tags=(_TAG,),
            )
            for number in range(self.people)
        ]


def figures(
    storm: Storm,
    noted: dict[str, tuple[int, int, int]],
    times: dict[str, list[int]],
    began: int,
    *,
    published_s: float,
    cpu_s: float,
    memory_mb: float,
) -> StormRun:
    """The figures of a run. `began` is the stamp of the first event (UTC ms)."""
    people = [f"/person-{number}" for number in range(storm.people)]
    gaps = [times[path][1] - times[path][0] for path in people if len(times[path]) > 1]
    return StormRun(
        targets=storm.targets,
        people=storm.people,
        interval_s=storm.interval_s,
        messages=max(noted[path][2] for path in people),
        messages_in_all=sum(noted[path][2] for path in people),
        first_s=(max(noted[path][0] for path in people) - began) / 1_000,
        digest_late_s=max(gaps) / 1_000 - storm.interval_s if gaps else None,
        last_s=(max(noted[path][1] for path in people) - began) / 1_000,
        published_s=published_s,
        cpu_s=cpu_s,
        memory_mb=memory_mb,
    )


async def _storm(
    settings: Settings, storm: Storm, receivers: Channels, process: subprocess.Popen[bytes]
) -> StormRun:
    await publish(settings, [_WARM], _WARM)
    deadline = time.monotonic() + _READY_S
    while f"/{_WARM}" not in receivers.noted():
        _alive(process, deadline, "the notifier is active")
        await asyncio.sleep(_LOOK_S / 5)
    watched = psutil.Process(process.pid)
    before, began = sum(watched.cpu_times()[:2]), time.time()
    first = await publish(settings, [_TAG] * storm.targets, _TAG)
    published = time.time() - began
    sent: Counter[tuple[str, str]] = Counter()
    deadline = time.monotonic() + DEADLINE_S
    async with Follower(settings, NOTIFICATIONS.full_name(settings.topic_prefix)) as follower:
        while len(sent) < storm.targets * storm.people:
            _alive(process, deadline, "everybody is told of everything")
            await asyncio.sleep(_LOOK_S)
            async for record in follower.present():
                row = notification.decode(record.value or b"")
                if row.status == "sent" and row.route != _WARM:
                    sent[row.event_id, row.route] += 1
    if set(sent.values()) != {1}:
        raise SystemExit("expected one row `sent` of each event and person, found more")
    return figures(
        storm,
        receivers.noted(),
        receivers.times(),
        first[_TAG],
        published_s=published,
        cpu_s=sum(watched.cpu_times()[:2]) - before,
        memory_mb=watched.memory_info().rss / 1e6,
    )


def _alive(process: subprocess.Popen[bytes], deadline: float, what: str) -> None:
    if process.poll() is not None:
        raise SystemExit("the notifier ended")
    if time.monotonic() > deadline:
        raise SystemExit(f"not in time: {what}")


def run(settings: Settings, storm: Storm, folder: Path) -> StormRun:
    """One run with a notifier and topics of its own."""
    name = f"storm-{storm.interval_s:g}"
    settings = msgspec.structs.replace(settings, topic_prefix=f"bench-{name}")
    with channels() as receivers:
        asyncio.run(publish_routes(settings, storm.policy(receivers.port)))
        env = environment(
            settings,
            PORTQUORUM_METRICS="127.0.0.1:0",
            PORTQUORUM_GROUP_INTERVAL_S=str(storm.interval_s),
        )
        with running(["notify"], env, folder / f"notify-{name}.log") as process:
            return asyncio.run(_storm(settings, storm, receivers, process))


def measure(targets: int, people: int, interval_s: float, partitions: int) -> StormReport:
    """Both runs, on a Kafka of their own."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with EmbeddedKafka(folder, "127.0.0.1:0") as service:
            settings = Settings(
                kafka=service.bootstrap_servers, partitions=partitions, data_dir=folder
            )
            runs = []
            for interval in (interval_s, 0.0):
                say(f"{targets:,} targets of {people} people, group_interval {interval:g} s")
                storm = Storm(targets=targets, people=people, interval_s=interval)
                runs.append(run(settings, storm, folder))
    return StormReport(
        load_before=load,
        load_after=os.getloadavg()[0],
        cpus=os.cpu_count() or 1,
        grouped=runs[0],
        single=runs[1],
    )


def show(report: StormReport) -> None:
    """A table, and the ratios."""
    table = Table()
    interval = f"{report.grouped.interval_s:g} s"
    for heading in ("group_interval", "0 (one message a host)", interval, "ratio"):
        table.add_column(heading, justify="right" if heading != "group_interval" else "left")
    rows = (
        ("messages a person, at most", "messages", "{:,}"),
        ("messages in all", "messages_in_all", "{:,}"),
        ("first message, the latest person", "first_s", "{:.2f} s"),
        ("second message, later than the interval", "digest_late_s", "{:.2f} s"),
        ("every target told to everybody", "last_s", "{:.1f} s"),
        ("CPU of the notifier", "cpu_s", "{:.1f} s"),
        ("memory of the notifier", "memory_mb", "{:.0f} MB"),
    )
    for name, field, form in rows:
        single, grouped = getattr(report.single, field), getattr(report.grouped, field)
        ratio = f"{grouped / single:.4f}" if single and field != "digest_late_s" else "–"
        shown = ["–" if one is None else form.format(one) for one in (single, grouped)]
        table.add_row(name, *shown, ratio)
    out = Console(width=120)
    out.print(table)
    out.print(
        f"{report.grouped.targets:,} targets of {report.grouped.people} people, published in"
        f" {report.single.published_s:.2f} and {report.grouped.published_s:.2f} s;"
        f" {report.cpus} CPUs, load before {report.load_before:.1f}, after {report.load_after:.1f}"
    )
