"""The table of docs/kinds.md: the numbers that `tests/wide/test_traces.py` holds servers to."""

from pathlib import Path

from tests.wide.log_servers import EVERY
from tests.wide.traces import CHECKS, Traces, table

PAGE = Path(__file__).parents[3] / "docs" / "kinds.md"


def test_the_page_says_what_is_measured() -> None:
    said = [(one, Traces(one.lines * CHECKS, one.counted, {}, CHECKS, {})) for one in EVERY]
    assert table(said, CHECKS) in PAGE.read_text()
