import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.clickhouse.pending_block import WHOLE, Pending, PendingError, from_metadata, runs

lines = st.sets(
    st.tuples(st.integers(100, 140), st.one_of(st.just(WHOLE), st.integers(0, 500))), max_size=200
)


def test_a_token_names_topic_partition_range_table_and_time() -> None:
    pending = Pending(first=7, last=9, at=1_700_000_000_000)
    assert pending.token("p.results", 3, "results") == "p.results:3:7-9:results:1700000000000"


def test_no_metadata_is_nothing_pending() -> None:
    assert from_metadata("") is None


@given(lines)
def test_metadata_gives_back_what_was_rejected(rejected: set[tuple[int, int]]) -> None:
    pending = Pending(first=100, last=140, at=5, rejected=runs(100, sorted(rejected)))
    again = from_metadata(pending.metadata())
    assert again == pending
    found = {(offset, line) for offset, some in again.rejected_lines().items() for line in some}
    assert found == rejected


def test_neighbouring_lines_take_one_entry() -> None:
    assert runs(10, [(11, 0), (11, 1), (11, 2), (12, 3), (12, 5)]) == (
        (1, 0, 2),
        (2, 3, 3),
        (2, 5, 5),
    )


@pytest.mark.parametrize(
    "metadata",
    [
        "x",
        "{}",
        '{"first": 1}',
        '{"first": 5, "last": 4, "at": 0}',
        '{"first":-1,"last":1,"at":0}',
        '{"x":' + "[" * 4_000,
    ],
)
def test_foreign_metadata_is_refused_with_what_was_found(metadata: str) -> None:
    with pytest.raises(PendingError, match="expected"):
        from_metadata(metadata)
