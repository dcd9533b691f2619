"""What a move can be."""

import pytest

from foundation.settings import Settings
from portquorum.topic_growth.grow import GrowthError, planned

BEFORE = Settings(partitions=16, topic_prefix="pq")


def test_the_installation_keeps_its_name() -> None:
    after = planned(BEFORE, "pq64", 64)
    assert (after.topic_prefix, after.partitions, after.installation) == ("pq64", 64, "pq")
    assert after.event_source("stream") == BEFORE.event_source("stream")


@pytest.mark.parametrize("count", [16, 8, 24, 2048])
def test_other_counts_than_multiples_are_refused(count: int) -> None:
    with pytest.raises(GrowthError, match="a multiple of 16 partitions"):
        planned(BEFORE, "pq64", count)


@pytest.mark.parametrize(("prefix", "why"), [("pq", "another prefix"), ("p q", "is none")])
def test_a_prefix_that_can_not_be_is_refused(prefix: str, why: str) -> None:
    with pytest.raises(GrowthError, match=why):
        planned(BEFORE, prefix, 64)
