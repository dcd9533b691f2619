"""How a question is asked."""

import pytest

from portquorum.web.history.asking import in_parts


@pytest.mark.parametrize("count", [0, 1, 399, 400, 401, 5_000])
def test_ids_come_in_their_order_and_in_parts_that_fit_into_a_form_of_clickhouse(
    count: int,
) -> None:
    ids = [f"{number:0255d}" for number in range(count)]
    parts = [list(part) for part in in_parts(ids)]
    assert [one for part in parts for one in part] == ids
    assert all(0 < len(str(part)) < 128 * 1024 for part in parts)
