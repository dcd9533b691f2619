"""How soon a route hears of a burst of incidents, while a third of the channels hang.

`python -m portquorum.bench.notify [--incidents N] [--routes N] [--hanging SHARE] [--json]`.

A Kafka, `portquorum notify` and the channels run on this machine as anybody starts them. Each
incident is of a host of its own and belongs to one route; each route has one channel, Apprise's
`json://`. All incidents are published at once. Measured is the time from the first event of a route
(its stamp on [incidents]) to the moment when the route's channel had read its first message whole,
and to the last message of the channels that answer. The same is done once more without a hanging
channel: what these cost the others is the ratio of the two.

With few routes the p99 over them is the worst one.

`--storm` measures an outage of all targets of some people instead (`notify_storm.py`).
"""

import argparse
import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from foundation.settings import Settings
from portquorum.bench import notify_storm
from portquorum.bench.figures import share
from portquorum.bench.notify_events import publish, publish_routes
from portquorum.bench.notify_receivers import channels
from portquorum.bench.process import say
from portquorum.bench.role import environment, running
from portquorum.embedded.kafka.main import EmbeddedKafka
from schemas.policy import Route

DEADLINE_S: Final = 600.0
"""Time after which a run is given up, in s."""

READY_S: Final = 60.0
"""Longest time for the notifier to start and tell the first incident, in s."""

_WARM: Final = "warm"
_LOOK_S: Final = 0.2


class BurstRun(Struct, frozen=True, kw_only=True):
    """One run. `first_…` are times in s from event to the route's first message, over all routes.

    `healthy_…` are the same for the channels that answer alone; `last_s` is the time from the burst
    to their last message. `messages` is how many they got; `cpu_s` and `memory_mb` are the
    notifier's. `untold` routes got nothing before the run's end.
    """

    incidents: int
    routes: int
    hanging: int
    first_p50: float
    first_p99: float
    first_worst: float
    healthy_p50: float
    healthy_worst: float
    last_s: float
    published_s: float
    messages: int
    untold: int
    cpu_s: float
    memory_mb: float

    @property
    def rate(self) -> float:
        """Messages a second, of the channels that answer."""
        return self.messages / self.last_s if self.last_s > 0 else 0.0


class BurstReport(Struct, frozen=True, kw_only=True):
    """Both runs of one invocation."""

    load_before: float
    cpus: int
    calm: BurstRun
    hanging: BurstRun


class Burst(Struct, frozen=True, kw_only=True):
    """What is published. Of `routes` routes the first `hanging` have a channel that hangs."""

    incidents: int
    routes: int
    hanging: int

    def path(self, number: int) -> str:
        """The path of a route's channel; a route without a number is there to warm up."""
        return f"/hang-{number}" if number < self.hanging else f"/route-{number}"

    def of_route(self, number: int) -> int:
        """How many incidents a route has."""
        return len(range(number, self.incidents, self.routes))

    def policy(self, port: int) -> list[Route]:
        """The routes."""
        found = [Route(name=_WARM, urls=(f"json://127.0.0.1:{port}/{_WARM}",), tags=(_WARM,))]
        return found + [
            Route(
                name=f"route-{number}",
                urls=(f"json://127.0.0.1:{port}{self.path(number)}",),
                tags=(f"team-{number}",),
            )
            for number in range(self.routes)
        ]


def run(settings: Settings, burst: Burst, folder: Path) -> BurstRun:
    """One run with a notifier and topics of its own."""
    name = f"hanging-{burst.hanging}"
    settings = msgspec.structs.replace(settings, topic_prefix=f"bench-{name}")
    log = folder / f"notify-{name}.log"
    with channels() as receivers:
        asyncio.run(publish_routes(settings, burst.policy(receivers.port)))
        env = environment(
            settings, PORTQUORUM_METRICS="127.0.0.1:0", PORTQUORUM_GROUP_INTERVAL_S="0"
        )
        with running(["notify"], env, log) as process:
            asyncio.run(publish(settings, [_WARM], _WARM))
            _wait(lambda: f"/{_WARM}" in receivers.noted(), process, log, READY_S)
            watched = psutil.Process(process.pid)
            before = sum(watched.cpu_times()[:2])
            began = time.time()
            tags = [f"team-{number % burst.routes}" for number in range(burst.incidents)]
            first = asyncio.run(publish(settings, tags, "burst"))
            published = time.time() - began
            _wait(lambda: whole(burst, receivers.noted()), process, log, DEADLINE_S)
            noted = receivers.noted()
            return figures(
                burst,
                noted,
                {int(tag.removeprefix("team-")): at for tag, at in first.items()},
                published_s=published,
                cpu_s=sum(watched.cpu_times()[:2]) - before,
                memory_mb=watched.memory_info().rss / 1e6,
            )


def whole(burst: Burst, noted: dict[str, tuple[int, int, int]]) -> bool:
    """Whether each channel that answers has all of its messages, and each other one its first."""
    return all(
        noted.get(burst.path(number), (0, 0, 0))[2]
        >= (min(1, burst.of_route(number)) if number < burst.hanging else burst.of_route(number))
        for number in range(burst.routes)
    )


def figures(
    burst: Burst,
    noted: dict[str, tuple[int, int, int]],
    stamps: dict[int, int],
    *,
    published_s: float,
    cpu_s: float,
    memory_mb: float,
) -> BurstRun:
    """The figures of a run. `stamps` is the time of each route's first event (UTC ms)."""
    times = {
        number: (noted[burst.path(number)][0] - at) / 1_000
        for number, at in stamps.items()
        if burst.path(number) in noted
    }
    healthy = [seconds for number, seconds in times.items() if number >= burst.hanging]
    answered = [
        noted[path] for n in stamps if (path := burst.path(n)) in noted and n >= burst.hanging
    ]
    return BurstRun(
        incidents=burst.incidents,
        routes=burst.routes,
        hanging=burst.hanging,
        first_p50=share(list(times.values()), 0.5),
        first_p99=share(list(times.values()), 0.99),
        first_worst=max(times.values(), default=0.0),
        healthy_p50=share(healthy, 0.5),
        healthy_worst=max(healthy, default=0.0),
        last_s=(max((last for _, last, _ in answered), default=0) - min(stamps.values())) / 1_000,
        published_s=published_s,
        messages=sum(count for _, _, count in answered),
        untold=len(stamps) - len(times),
        cpu_s=cpu_s,
        memory_mb=memory_mb,
    )


def _wait(
    condition: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, within_s: float
) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        if process.poll() is not None:
            raise SystemExit(f"the notifier ended: {log.read_text()[-2000:]}")
        if time.monotonic() > deadline:
            raise SystemExit(f"not whole within {within_s:.0f} s: {log.read_text()[-2000:]}")
        time.sleep(_LOOK_S)


def measure(incidents: int, routes: int, hanging: int, partitions: int) -> BurstReport:
    """Both runs, on a Kafka of their own."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with EmbeddedKafka(folder, "127.0.0.1:0") as service:
            settings = Settings(
                kafka=service.bootstrap_servers, partitions=partitions, data_dir=folder
            )
            runs = []
            for count in (0, hanging):
                burst = Burst(incidents=incidents, routes=routes, hanging=count)
                say(f"{incidents:,} incidents, {count} of {routes} channels hang")
                runs.append(run(settings, burst, folder))
    return BurstReport(load_before=load, cpus=os.cpu_count() or 1, calm=runs[0], hanging=runs[1])


def show(report: BurstReport) -> None:
    """A table, and the ratio."""
    table = Table()
    for heading in ("", "no channel hangs", f"{report.hanging.hanging} hang", "ratio"):
        table.add_column(heading, justify="right" if heading else "left")
    rows = (
        ("first message of a route, p50", "first_p50"),
        ("p99", "first_p99"),
        ("worst", "first_worst"),
        ("first message where the channel answers, p50", "healthy_p50"),
        ("worst", "healthy_worst"),
        ("last message where the channel answers", "last_s"),
        ("messages a second where the channel answers", "rate"),
        ("CPU of the notifier", "cpu_s"),
    )
    for name, field in rows:
        calm, hanging = getattr(report.calm, field), getattr(report.hanging, field)
        ratio = f"{hanging / calm:.2f}" if calm else "–"
        unit = "" if field == "rate" else " s"
        table.add_row(name, f"{calm:.2f}{unit}", f"{hanging:.2f}{unit}", ratio)
    out = Console(width=120)
    out.print(table)
    out.print(
        f"{report.calm.incidents:,} incidents over {report.calm.routes} routes, published in"
        f" {report.calm.published_s:.2f} and {report.hanging.published_s:.2f} s;"
        f" {report.calm.messages:,} and {report.hanging.messages:,} messages,"
        f" memory {report.calm.memory_mb:.0f} and {report.hanging.memory_mb:.0f} MB,"
        f" {report.cpus} CPUs, load before {report.load_before:.1f}"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--storm", action="store_true", help="an outage of all targets at once")
    parser.add_argument("--targets", type=int, default=2_800, help="of a storm")
    parser.add_argument("--people", type=int, default=10, help="of a storm")
    parser.add_argument("--interval", type=float, default=30.0, help="group_interval, in s")
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--routes", type=int, default=30)
    parser.add_argument("--hanging", type=int, help="channels that hang; default: a third")
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    told: Any = parser.parse_args()
    if told.storm:
        _storm(parser, told)
        return
    hanging = told.routes // 3 if told.hanging is None else told.hanging
    if not 0 <= hanging <= told.routes or told.routes < 1 or told.incidents < told.routes:
        parser.error(
            "expected at least one incident a route, and no more hanging channels than routes"
        )
    report = measure(told.incidents, told.routes, hanging, told.partitions)
    if told.json:
        print(msgspec.json.encode(report).decode())
    else:
        show(report)


def _storm(parser: argparse.ArgumentParser, told: Any) -> None:
    if told.targets < 1 or told.people < 1 or not 0 < told.interval <= 3600:
        parser.error("expected targets, people, and an interval of 0 to 3600 s")
    report = notify_storm.measure(told.targets, told.people, told.interval, told.partitions)
    if told.json:
        print(msgspec.json.encode(report).decode())
    else:
        notify_storm.show(report)


if __name__ == "__main__":
    main()
