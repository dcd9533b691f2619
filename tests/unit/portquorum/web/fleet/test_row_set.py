from hypothesis import given
from hypothesis import strategies as st

from portquorum.web.fleet.row_set import FEW, RowSet, bits_of, mask_of, rows_of

ROWS = st.integers(0, 3 * FEW)
CHANGES = st.lists(st.tuples(st.booleans(), ROWS), max_size=50)


@given(st.integers(0, 2 * FEW), CHANGES, st.sets(ROWS))
def test_it_is_a_set_whatever_its_size(
    size: int, changes: list[tuple[bool, int]], other: set[int]
) -> None:
    rows, model = RowSet(), set(range(size))
    for row in model:
        rows.add(row)
    for adds, row in changes:
        (rows.add if adds else rows.discard)(row)
        (model.add if adds else model.discard)(row)
    assert rows.count == len(model)
    assert set(rows) == model
    assert rows.mask() == mask_of(model)
    mask = mask_of(other)
    assert rows.count_in(mask, bits_of(mask)) == len(model & other)
    assert all((row in rows) == (row in model) for row in range(3 * FEW))


def test_it_shrinks_back_to_a_plain_set() -> None:
    rows = RowSet()
    for row in range(2 * FEW):
        rows.add(row)
    for row in range(2 * FEW - 3):
        rows.discard(row)
    assert set(rows) == {2 * FEW - 3, 2 * FEW - 2, 2 * FEW - 1}
    assert rows._bits == b""


@given(st.sets(ROWS))
def test_a_mask_gives_its_rows_in_order(model: set[int]) -> None:
    assert list(rows_of(bits_of(mask_of(model)))) == sorted(model)
