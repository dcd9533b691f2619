"""`portquorum bench`: measurements on this machine; as `python -m portquorum.bench.…`."""

import runpy
import sys
from typing import Final

import typer

from portquorum.cli.options import examples

app = typer.Typer(
    no_args_is_help=True,
    help="Measure on this machine: each starts what it needs itself. Everything behind the name "
    "goes to the benchmark; --help tells what it takes.",
    epilog=examples(
        "portquorum bench probe --parts prober --rate 2000",
        "portquorum bench stream --json",
        "portquorum bench outage --hosts 200 --ports 100",
    ),
)

_PASS_ON: Final = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}


@app.command(context_settings=_PASS_ON)
def probe(context: typer.Context) -> None:
    """What a TCP check costs: in the engine, in the whole prober, in other programs."""
    _run("portquorum.bench.probe", context)


@app.command(context_settings=_PASS_ON)
def stream(context: typer.Context) -> None:
    """How fast results become incidents, beside a consumer that only decodes."""
    _run("portquorum.bench.stream", context)


@app.command(context_settings=_PASS_ON)
def outage(context: typer.Context) -> None:
    """What the stream makes of thousands of outages at once."""
    _run("portquorum.bench.stream_outage", context)


@app.command(context_settings=_PASS_ON)
def detect(context: typer.Context) -> None:
    """How soon a closed port is an incident, with real probers."""
    _run("portquorum.bench.detect", context)


@app.command(context_settings=_PASS_ON)
def sink(context: typer.Context) -> None:
    """How fast a backlog drains into ClickHouse, beside a bare insert."""
    _run("portquorum.bench.sink", context)


@app.command(context_settings=_PASS_ON)
def status(context: typer.Context) -> None:
    """How fast `status` and `incidents` answer for a large fleet."""
    _run("portquorum.bench.status", context)


@app.command(context_settings=_PASS_ON)
def notify(context: typer.Context) -> None:
    """How soon routes hear of incidents while channels hang; --storm: of an outage of all."""
    _run("portquorum.bench.notify", context)


@app.command(context_settings=_PASS_ON)
def page(context: typer.Context) -> None:
    """What the page costs for a large fleet on a bad night, and 200 live viewers."""
    _run("portquorum.bench.page", context)


@app.command("status-page", context_settings=_PASS_ON)
def status_page(context: typer.Context) -> None:
    """How many readers a status page of 500 components has a second on one core."""
    _run("portquorum.bench.status_page", context)


@app.command(context_settings=_PASS_ON)
def receiver(context: typer.Context) -> None:
    """How long a report of a job takes, beside an answer without Kafka."""
    _run("portquorum.bench.receiver", context)


@app.command(context_settings=_PASS_ON)
def replay(context: typer.Context) -> None:
    """How long `replay` takes, beside a consumer that only decodes the same records."""
    _run("portquorum.bench.replay", context)


@app.command(context_settings=_PASS_ON)
def codec(context: typer.Context) -> None:
    """What each codec of Kafka's record batches costs: bytes, and CPU of all three."""
    _run("portquorum.bench.codec", context)


def _run(module: str, context: typer.Context) -> None:
    sys.argv[1:] = context.args
    runpy.run_module(module, run_name="__main__", alter_sys=True)
