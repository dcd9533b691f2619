"""The table of docs/analytics.md has each view that people read."""

import re
from pathlib import Path

from sinks.clickhouse.apply_views import views

PAGE = Path(__file__).parents[3] / "docs" / "analytics.md"


def test_the_table_has_each_view() -> None:
    table = PAGE.read_text().partition("## Every view\n")[2]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = re.findall(r"`(\w+)`", " ".join(rows))
    assert sorted(named) == sorted(set(named))
    assert {view.name for view in views() if view.place == "{database}"} <= set(named)
