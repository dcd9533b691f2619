"""The real services that integration and system tests share: one of each in a test run."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from clickhouse_connect.driver.exceptions import DatabaseError

from foundation.clickhouse import connect
from foundation.settings import Settings
from portquorum.embedded.clickhouse.main import EmbeddedClickHouse
from portquorum.embedded.kafka.main import EmbeddedKafka

# The first start fetches 45 MB; every later one takes seconds.
START_TIMEOUT_S = 300


@contextmanager
def running_kafka(folder: Path) -> Iterator[str]:
    """Kafka on a free port; yields the bootstrap server."""
    with EmbeddedKafka(folder, "127.0.0.1:0") as service:
        yield service.bootstrap_servers


@contextmanager
def running_clickhouse(folder: Path) -> Iterator[str]:
    """ClickHouse on a free port; yields the URL with the full-rights user and the database."""
    with EmbeddedClickHouse(folder, "127.0.0.1:0") as service:
        yield service.url


def views_rest(url: str) -> None:
    """Ends the schedules of all refreshable views there: five a database, some each minute."""
    with closing(connect(Settings(clickhouse=url))) as client:
        scheduled = "SELECT database, view FROM system.view_refreshes WHERE status != 'Disabled'"
        for database, view in client.query(scheduled).result_rows:
            with suppress(DatabaseError):  # it was dropped
                client.command(f"SYSTEM STOP VIEW `{database}`.`{view}`")


def views_work(url: str, *databases: str) -> None:
    """Takes the schedules of these databases up again; what was due meanwhile is done then."""
    resting = (
        "SELECT database, view FROM system.view_refreshes "
        "WHERE status = 'Disabled' AND database IN %(names)s"
    )
    with closing(connect(Settings(clickhouse=url))) as client:
        found = client.query(resting, parameters={"names": databases}).result_rows
        for act in ("START", "WAIT"):
            for database, view in found:
                with suppress(DatabaseError):  # of a refresh
                    client.command(f"SYSTEM {act} VIEW `{database}`.`{view}`")
