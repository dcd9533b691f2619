"""The questions of the dashboard on ClickHouse, without the macros of its data source."""

import re
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

FILE: Final = Path(__file__).parents[3] / "deploy" / "grafana" / "portquorum-clickhouse.json"


class GrafanaQuestion(Struct, frozen=True):
    """A question of a panel, as it stands in the file."""

    panel: str
    kind: str
    sql: str

    def asked(self, begin: int, end: int) -> str:
        """What the data source asks of a span (UTC, in s), in steps of an hour.

        https://grafana.com/docs/plugins/grafana-clickhouse-datasource/latest/ (Macros).
        """
        first, last = f"toDateTime({begin})", f"toDateTime({end})"
        sql = re.sub(
            r"\$__timeFilter\((\w+)\)",
            lambda one: f"{one[1]} >= {first} AND {one[1]} <= {last}",
            self.sql,
        )
        sql = re.sub(
            r"\$__timeInterval\((\w+)\)",
            lambda one: f"toStartOfInterval(toDateTime({one[1]}), INTERVAL 3600 second)",
            sql,
        )
        sql = sql.replace("$__interval_s", "3600")
        return sql.replace("$__fromTime", first).replace("$__toTime", last)


GRAFANA: Final = [
    GrafanaQuestion(panel["title"], panel["type"], target["rawSql"])
    for panel in msgspec.json.decode(FILE.read_bytes())["panels"]
    for target in panel.get("targets", ())
]
