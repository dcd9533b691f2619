"""Rows as ClickHouse writes them, in blocks that end anywhere."""

import io

import pytest

from streams.backtest import history
from streams.backtest.history import HistoryError

UP = (
    b'[1800000000900,["db","tcp","db.example.com",5432,"eu","eu-1",0,1800000000000,"up",null,0,'
    b'"schedule",0]]\n'
)
DOWN = (
    b'[1800000001900,["hb","heartbeat",null,null,"eu","eu-1",0,1800000001000,"down","timed_out",1,'
    b'"retry",0,null,null,null,1.5,null,2.25]]\n'
)


class Blocks(io.BytesIO):
    """Gives at most so many bytes at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self.size = size

    def read(self, most: int | None = -1, /) -> bytes:
        del most
        return super().read(self.size)


@pytest.mark.parametrize("size", [1, 7, 100, len(UP), 10_000])
def test_rows_are_whole_wherever_a_block_ends(size: int) -> None:
    rows = [row for some in history._lines(Blocks((UP + DOWN) * 3, size)) for row in some]
    assert [at for at, _ in rows] == [1_800_000_000_900, 1_800_000_001_900] * 3
    up, down = rows[0][1], rows[1][1]
    assert (up.target, up.host, up.port, up.status, up.reason) == (
        "db",
        "db.example.com",
        5432,
        "up",
        None,
    )
    assert up.counted
    assert up.identity == "db|eu|eu-1|1800000000000|0"
    assert (down.host, down.port, down.reason, down.cause) == (None, None, "timed_out", "retry")
    assert (up.connect_ms, down.connect_ms, down.total_ms) == (None, 1.5, 2.25)


def test_an_error_among_the_rows_is_shown() -> None:
    broken = UP + b"Code: 241. DB::Exception: Memory limit exceeded"
    with pytest.raises(HistoryError, match=r"Code: 241\. DB::Exception: Memory limit exceeded"):
        list(history._lines(Blocks(broken, 10_000)))
