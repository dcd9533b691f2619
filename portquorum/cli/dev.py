"""`portquorum dev`: an embedded service alone."""

from pathlib import Path
from typing import Annotated

import typer

from portquorum.cli.options import DataDir, examples

app = typer.Typer(no_args_is_help=True, help="Run an embedded service alone, for development.")


@app.command(
    epilog=examples(
        "portquorum dev kafka", "portquorum dev kafka --listen 127.0.0.1:19092 --data ./data"
    )
)
def kafka(
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Port 0 takes a free one.")
    ] = "127.0.0.1:9092",
    data: DataDir = None,
) -> None:
    """Run Apache Kafka (one real node) until Ctrl-C."""
    from portquorum.embedded.kafka.main import run_kafka

    raise typer.Exit(run_kafka(_data_dir(data), listen))


@app.command(
    epilog=examples(
        "portquorum dev clickhouse",
        "portquorum dev clickhouse --listen 127.0.0.1:18123 --data ./data",
    )
)
def clickhouse(
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Port 0 takes a free one.")
    ] = "127.0.0.1:8123",
    data: DataDir = None,
) -> None:
    """Run the ClickHouse engine behind its HTTP interface until Ctrl-C."""
    from portquorum.embedded.clickhouse.main import run_clickhouse

    raise typer.Exit(run_clickhouse(_data_dir(data), listen))


def _data_dir(data: Path | None) -> Path:
    from foundation.settings import load

    return data or load().data_dir
