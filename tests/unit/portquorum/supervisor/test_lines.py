from hypothesis import given
from hypothesis import strategies as st

from portquorum.supervisor.lines import MAX_LINE_BYTES, LineCutter


@given(st.lists(st.binary(max_size=50)))
def test_lines_do_not_depend_on_how_the_bytes_were_chunked(chunks: list[bytes]) -> None:
    whole = LineCutter()
    expected = whole.feed(b"".join(chunks)) + whole.end()
    cutter = LineCutter()
    lines = [line for chunk in chunks for line in cutter.feed(chunk)] + cutter.end()
    assert lines == expected


def test_a_line_without_end_comes_in_pieces_and_never_fills_the_memory() -> None:
    cutter = LineCutter()
    pieces = [piece for _ in range(10) for piece in cutter.feed(b"x" * 50_000)] + cutter.end()
    assert sum(map(len, pieces)) == 500_000
    assert max(map(len, pieces)) <= MAX_LINE_BYTES + 50_000


def test_what_is_no_utf8_is_shown_as_such() -> None:
    assert LineCutter().feed(b"a\xffb\r\n") == ["a�b"]
