"""At every width each word of a table (id, host, number) is whole."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.padding import Padding
from rich.text import Text

from portquorum.presentation.fitted_table import FittedTable, TableColumn
from portquorum.presentation.output import table
from portquorum.presentation.plain_console import PlainConsole

ROWS = [
    (
        "prod-db-with-a-long-identifier-7",
        "tcp db1.eu-central-1.example.com:5432",
        "eu-central-1",
        "down  connection refused by the other side after 3 attempts",
        "12.25 ms",
        "3 min 12 s ago",
    ),
    ("web", "http 10.0.0.7:80", "us", "up", "0.5 ms", "1 s ago"),
]
COLUMNS = ("target", "port", "region", "status", "connect", "checked")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(shown: object, width: int, *, terminal: bool = True) -> list[str]:
    console = PlainConsole()
    console.file = _Terminal() if terminal else io.StringIO()
    console.width = width
    console.print(shown)
    text: str = console.file.getvalue()
    return text.splitlines()


def example() -> FittedTable:
    return table(COLUMNS, ROWS, fold=("status",), drop=("connect", "checked"))


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 200])
def test_no_word_is_broken(width: int) -> None:
    lines = printed(example(), width)
    words = {word for line in lines for word in line.split()}
    for row in ROWS:
        for value in row[:4]:
            assert set(value.split()) <= words, (value, lines)
    widest = max(len(word) for row in ROWS for value in row for word in value.split())
    assert max(map(len, lines)) <= max(width, widest + len("  region: ")), lines


def test_all_columns_at_200() -> None:
    lines = printed(example(), 200)
    assert lines[1].split() == list(COLUMNS)
    assert len([line for line in lines if line.strip()]) == 4


def test_columns_are_left_out_by_their_order_and_the_hint_names_them() -> None:
    rows = [("prod-db", "tcp db1:5432", "eu", "up", "12.25 ms", "3 min 12 s ago")]
    shown = table(COLUMNS, rows, drop=("connect", "checked"))
    assert printed(shown, 70)[1].split() == list(COLUMNS)
    lines = printed(shown, 69)
    assert lines[1].split() == ["target", "port", "region", "status", "checked"]
    assert lines[-1] == "  too narrow for: connect (a wider terminal shows them)"
    lines = printed(shown, 45)
    assert lines[1].split() == ["target", "port", "region", "status"]
    assert "too narrow for: connect, checked" in " ".join(lines)


def test_rows_become_lines_with_every_value() -> None:
    lines = printed(example(), 60)
    assert lines[0] == "prod-db-with-a-long-identifier-7"
    assert lines[1] == "  port: tcp db1.eu-central-1.example.com:5432"
    joined = " ".join(" ".join(lines).split())
    for row in ROWS:
        for title, value in zip(COLUMNS[1:], row[1:], strict=True):
            assert f"{title}: {' '.join(value.split())}" in joined


def test_a_row_is_one_line_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = printed(example(), 80, terminal=False)
    assert [" ".join(line.split()) for line in lines[3:5]] == [
        " ".join(" ".join(row).split()) for row in ROWS
    ]
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, printed(example(), 80, terminal=False))) <= 80


def test_a_table_inside_something_else_keeps_to_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = printed(Padding(example(), (0, 0, 0, 3)), 80, terminal=False)
    assert max(map(len, lines)) <= 80
    assert any("tcp db1.eu-central-1.example.com:5432" in line for line in lines)


def test_charts_go_first_and_are_no_line() -> None:
    columns = [TableColumn(title="target"), TableColumn(title="", drop=1, chart=True)]
    shown = FittedTable(columns, [[Text("prod-db"), Text("█" * 12)]])
    assert any("█" in line for line in printed(shown, 25))
    narrow = printed(shown, 15)
    assert not any("█" in line or "narrow" in line for line in narrow)
    assert printed(shown, 5) == ["prod-db"]


def test_a_table_of_nothing() -> None:
    assert printed(table(COLUMNS, []), 10) == ["nothing"]
    assert printed(table(COLUMNS, []), 80)[1].split() == list(COLUMNS)


@given(
    st.integers(10, 120),
    st.lists(
        st.lists(st.text("ab1.:-é中 ", max_size=60), min_size=3, max_size=3), min_size=1, max_size=4
    ),
    st.sets(st.integers(0, 2)),
    st.booleans(),
)
def test_any_table_at_any_width(
    width: int, rows: list[list[str]], fold: set[int], droppable: bool
) -> None:
    columns = ("first", "second", "third")
    shown = table(
        columns, rows, fold=[columns[one] for one in fold], drop=columns[2:] if droppable else ()
    )
    lines = printed(shown, width)
    words = {word for line in lines for word in line.split()}
    dropped = "too narrow for" in " ".join(" ".join(lines).split())
    for row in rows:
        for value in row[:2] if dropped else row:
            assert set(value.split()) <= words
    words_wide = [cell_len(word) for row in rows for value in row for word in value.split()]
    if not dropped and max(words_wide, default=0) + len("  second: ") <= width:
        assert max(map(cell_len, lines)) <= width
