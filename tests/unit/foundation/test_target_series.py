"""Series of each target: as many targets as are allowed, and how many are left out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest

from foundation.target_series import SeriesFamily, TargetCollector, TargetSample


class Source:
    families: Mapping[str, SeriesFamily] = {
        "portquorum_target_up": SeriesFamily("Up.", ("target",))
    }

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.asked = 0

    def targets(self) -> Sequence[str]:
        self.asked += 1
        return self.names

    def samples(self, targets: Iterable[str]) -> Iterator[TargetSample]:
        for name in targets:
            yield TargetSample("portquorum_target_up", (name,), 1.0)


def lines(source: Source, most: int) -> list[str]:
    registry = CollectorRegistry()
    registry.register(TargetCollector(source, most))
    text = generate_latest(registry).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_beyond_the_limit_the_first_by_id_stay_and_the_others_are_counted() -> None:
    source = Source("c", 'a"\n', "b")
    assert lines(source, 2) == [
        'portquorum_target_up{target="a\\"\\n"} 1.0',
        'portquorum_target_up{target="b"} 1.0',
        "portquorum_target_series_left_out 1.0",
    ]
    source.names.remove("b")
    assert lines(source, 2)[1:] == [
        'portquorum_target_up{target="a\\"\\n"} 1.0',
        "portquorum_target_series_left_out 0.0",
    ]


def test_registering_asks_nothing() -> None:
    source = Source("a")
    CollectorRegistry(auto_describe=True).register(TargetCollector(source, 1))
    assert source.asked == 0
