"""Asks every question of docs/analytics.md of a made history, and writes the answers into the page.

`python -m portquorum.bench.analytics [--rows N]`
"""

import argparse
import re
import tempfile
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client

from foundation.clickhouse import connect
from foundation.settings import Settings
from portquorum.bench import history, views
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse

PAGE: Final = Path(__file__).parents[2] / "docs" / "analytics.md"
_QUESTION: Final = re.compile(r"```sql\n(.*?)\n```\n(?:\n```text\n.*?\n```\n)?", re.DOTALL)


def questions(page: str) -> list[tuple[str, list[str]]]:
    """Each SQL of the page, and the columns of the answer that stands under it."""
    found = re.findall(r"```sql\n(.*?)\n```\n(?:\n```text\n(.*?)\n```\n)?", page, re.DOTALL)
    return [(sql, re.findall(r"[\w.]+", answer.split("\n")[0])) for sql, answer in found]


def answered(page: str, client: Client) -> str:
    """The page with the answers of a database under the questions."""

    def answer(found: re.Match[str]) -> str:
        text = client.raw_query(found[1], fmt="PrettySpaceNoEscapesMonoBlock", settings=_SHOWN)
        lines = [line.strip() and line.rstrip() for line in text.decode().splitlines()]
        shown = "\n".join(line for line in lines if line)
        return f"```sql\n{found[1]}\n```\n\n```text\n{shown}\n```\n"

    return _QUESTION.sub(answer, page)


_SHOWN: Final = {"output_format_pretty_row_numbers": 0, "output_format_pretty_color": 0}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m portquorum.bench.analytics", description=__doc__
    )
    parser.add_argument("--rows", type=int, default=2_600_000, metavar="N")
    asked = parser.parse_args()
    count = round(asked.rows / views.DAYS / history.rows_a_day(1) / 20) * 20
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedClickHouse(Path(folder), "127.0.0.1:0") as service,
    ):
        settings = Settings(clickhouse=service.url, results_ttl_days=3650)
        views.fill(settings, count)
        client = connect(settings, send_receive_timeout=600)
        PAGE.write_text(answered(PAGE.read_text(), client))


if __name__ == "__main__":
    main()
