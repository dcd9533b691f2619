"""The ClickHouse client of commands whose answer somebody waits for."""

from typing import TYPE_CHECKING, Final

from foundation import clickhouse

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from foundation.settings import Settings

ANSWER_S: Final = 30
"""Longest wait for an answer. A fleet of 100,000 targets takes one second (docs/performance.md)."""


def connect(settings: "Settings", answer_s: int = ANSWER_S) -> "Client":
    """A client that gives up on a server which takes connections and answers nothing.

    Raises:
        clickhouse_connect.driver.exceptions.Error: not reachable, refused, or no answer in time.
    """
    return clickhouse.connect(settings, connect_timeout=answer_s, send_receive_timeout=answer_s)
