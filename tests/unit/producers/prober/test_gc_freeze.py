"""When what is watched is taken out of garbage collection."""

import gc
from collections.abc import Iterator

import pytest

from producers.prober.gc_freeze import GcFreeze


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_what_is_watched_is_frozen_once_it_stays_the_same() -> None:
    tidy = GcFreeze()
    tidy.look(0)
    assert gc.get_freeze_count() == 0, "nothing was ever watched"
    tidy.look(3)
    assert gc.get_freeze_count() == 0, "it may be changing"
    tidy.look(3)
    frozen = gc.get_freeze_count()
    assert frozen > 1_000
    kept = [[] for _ in range(1_000)]  # type: ignore[var-annotated]
    tidy.look(3)
    assert gc.get_freeze_count() <= frozen, "once is enough"
    tidy.look(4)
    tidy.look(4)
    assert gc.get_freeze_count() > frozen
    assert len(kept) == 1_000


def test_what_is_frozen_is_freed_when_nothing_refers_to_it() -> None:
    watched = [[n] for n in range(10_000)]
    tidy = GcFreeze()
    tidy.look(1)
    tidy.look(1)
    frozen = gc.get_freeze_count()
    watched.clear()
    assert gc.get_freeze_count() <= frozen - 10_000
