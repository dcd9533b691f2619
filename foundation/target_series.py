"""Series of each target in a role's metrics, for as many targets as the settings allow."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import Final, Protocol

from msgspec import Struct
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

LEFT_OUT: Final = "portquorum_target_series_left_out"


class SeriesFamily(Struct, frozen=True):
    """The series of one name: what it says, and the names of its labels."""

    help: str
    labels: tuple[str, ...]


class TargetSample(Struct, frozen=True, gc=False):
    """One value; `labels` in the order of its family."""

    name: str
    labels: tuple[str, ...]
    value: float


class SeriesSource(Protocol):
    """What a role knows of each target. It is asked in the thread of the metrics."""

    @property
    def families(self) -> Mapping[str, SeriesFamily]:
        """All families by name."""

    def targets(self) -> Sequence[str]:
        """The ids of all targets that have series, in any order."""

    def samples(self, targets: Iterable[str]) -> Iterator[TargetSample]:
        """The values of some targets; one that has gone meanwhile has none."""


class TargetCollector(Collector):
    """Gives the series of the first `most` targets by id, and how many are left out."""

    def __init__(self, source: SeriesSource, most: int) -> None:
        self._source = source
        self._most = most

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """All families without values: nothing is asked when it is registered."""
        yield from self._families().values()
        yield _left_out()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The values of now."""
        families = self._families()
        targets = self._source.targets()
        beyond = max(0, len(targets) - self._most)
        shown = nsmallest(self._most, targets) if beyond else targets
        for sample in self._source.samples(shown):
            families[sample.name].add_metric(sample.labels, sample.value)
        yield from families.values()
        yield _left_out(beyond)

    def _families(self) -> dict[str, GaugeMetricFamily]:
        return {
            name: GaugeMetricFamily(name, one.help, labels=one.labels)
            for name, one in self._source.families.items()
        }


def offer(source: SeriesSource, most: int) -> None:
    """Adds the series to this process's metrics, unless `most` is 0."""
    if most:
        REGISTRY.register(TargetCollector(source, most))


def _left_out(value: float | None = None) -> GaugeMetricFamily:
    said = "Targets of this process without series, beyond PORTQUORUM_TARGET_SERIES."
    return GaugeMetricFamily(LEFT_OUT, said, value)
