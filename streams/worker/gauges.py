"""Keeps the gauges of the partitions up to date."""

import asyncio
from collections.abc import Iterable
from typing import Final

from faust import App

from foundation.settings import Settings
from schemas import topics
from streams.state.partition_state import PartitionState
from streams.worker import metrics
from streams.worker.assignment import Assignment

_EVERY_S: Final = 2.0


async def measure(settings: Settings, app: App, assignment: Assignment) -> None:
    """Sets the gauges every 2 s until it is cancelled."""
    topic = settings.topic(topics.RESULTS.name)
    while True:
        await asyncio.sleep(_EVERY_S)
        ends = {
            part.partition: end
            for part, end in app.monitor.tp_end_offsets.items()
            if part.topic == topic
        }
        for partition in assignment.partitions:
            label = str(partition.number)
            metrics.TARGETS.labels(label).set(
                len(partition.state.targets) + len(partition.state.jobs)
            )
            metrics.UNACKNOWLEDGED.labels(label).set(partition.unacknowledged)
            # A partition that is fetched no more shows no end but that of our own ticks.
            done, end = partition.state.offset + 1, ends.get(partition.number, 0)
            metrics.LAG.labels(label).set(max(0, end - done))
            metrics.PROGRESS.show(
                topics.RESULTS.name, partition.number, done, max(end, partition.ticked + 1)
            )
        _measure_regions([one.state for one in assignment.partitions])


def _measure_regions(states: Iterable[PartitionState]) -> None:
    """A region is silent in all partitions at the same time, and suspect in each by itself."""
    silent: dict[str, bool] = {}
    suspect: dict[str, bool] = {}
    for state in states:
        for name, region in state.regions.items():
            silent[name] = silent.get(name, False) or region.silent
            suspect[name] = suspect.get(name, False) or region.suspect
    metrics.show_regions(silent, suspect)
