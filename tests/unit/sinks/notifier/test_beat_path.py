import pytest

from sinks.notifier.beat_path import (
    BeatSearch,
    EndsHistory,
    LogEnds,
    interruption,
    stretches,
)

FINE = BeatSearch()


def ends(at: float, results: int = 0, incidents: int = 0) -> LogEnds:
    return LogEnds(at, {0: results, 1: results}, {0: incidents, 1: incidents})


def test_the_oldest_ends_within_the_time_are_the_ones_to_compare_with() -> None:
    history = EndsHistory(120)
    for at in range(0, 300, 15):
        history.add(ends(at))

    oldest = history.oldest(285, 120)
    newer = history.oldest(285, 60)

    assert (oldest, newer) == (ends(165), ends(225))


def test_ends_of_before_a_standstill_of_this_process_are_forgotten() -> None:
    history = EndsHistory(120)
    history.add(ends(0))
    assert history.oldest(500, 120) is None
    history.add(ends(500))
    assert history.oldest(500, 120) == ends(500)


def test_a_beat_is_looked_for_between_the_old_end_and_the_commit() -> None:
    looked, behind = stretches({0: 10, 1: 10, 2: 10, 3: 10}, {0: 11, 1: 10, 2: 400})

    assert looked == {0: (10, 11), 2: (10, 400)}
    assert behind == [1, 3]


@pytest.mark.parametrize(
    ("beats", "old", "decided", "cause", "words"),
    [
        (None, ends(0), {0: 0, 1: 0}, "starting", "long enough"),
        (FINE, None, {0: 0, 1: 0}, "starting", "long enough"),
        (BeatSearch(behind=[3]), ends(0), {0: 0, 1: 0}, "stream", "in partition 3"),
        (BeatSearch(beatless=[1, 0]), ends(0), {0: 0, 1: 0}, "prober", "partitions 0, 1"),
        (FINE, ends(0, incidents=7), {0: 7, 1: 6}, "notifier", "in partition 1"),
        (FINE, ends(0, incidents=7), {0: 7}, "notifier", "in partition 1"),
    ],
)
def test_the_first_part_that_stands_still_is_named(
    beats: BeatSearch | None,
    old: LogEnds | None,
    decided: dict[int, int],
    cause: str,
    words: str,
) -> None:
    found = interruption(beats, old, decided)

    assert found is not None
    assert found.cause == cause
    assert words in found.text


def test_many_partitions_are_counted() -> None:
    found = interruption(BeatSearch(behind=range(64)), ends(0), {})
    assert found is not None
    assert found.text.endswith("partitions 0, 1, 2, 3, 4 and 59 more")


def test_a_beat_that_went_the_whole_way_interrupts_nothing() -> None:
    assert interruption(FINE, ends(0, incidents=7), {0: 7, 1: 9}) is None
    assert interruption(FINE, ends(0), {}) is None
