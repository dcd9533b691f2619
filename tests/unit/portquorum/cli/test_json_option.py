"""Every command has `--json`, or a reason why it has none."""

from collections.abc import Iterator

import click
import pytest
import typer

from portquorum.cli.app import app
from portquorum.cli.options import chosen_format

WITHOUT = {
    "demo": "shows itself to a person",
    "up": "runs until Ctrl-C; PORTQUORUM_LOG_FORMAT=json makes its output JSON lines",
    "probe": "a role: its log is JSON lines where standard error is no terminal",
    "stream": "a role, as probe",
    "sink": "a role, as probe",
    "beat": "its output is that of the command that it runs",
    "receiver": "a role, as probe",
    "web": "a role, as probe",
    "inventory schema": "its output is a JSON document",
    "topics copies": "its output is a JSON document",
    "dev kafka": "a service: runs until Ctrl-C, services.json has its address",
    "dev clickhouse": "a service, as dev kafka",
}
PASSED_ON = "bench "
"""All that stands behind `bench NAME` goes to the benchmark, `--json` too."""


def commands(of: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    if isinstance(of, click.Group) or hasattr(of, "commands"):
        for name, command in of.commands.items():
            yield from commands(command, f"{path} {name}".strip())
    else:
        yield path, of


ALL = dict(commands(typer.main.get_command(app)))


def test_the_walk_finds_the_commands() -> None:
    assert {"status", "incidents", "report uptime", "inventory apply", "target add"} <= set(ALL)
    assert set(WITHOUT) <= set(ALL)


@pytest.mark.parametrize("name", [name for name in ALL if not name.startswith(PASSED_ON)])
def test_a_command_has_the_option_or_a_reason(name: str) -> None:
    options = {option for one in ALL[name].params for option in one.opts}
    assert "--json" in options or name in WITHOUT, f"{name} has no --json"


def test_the_short_form_of_a_format() -> None:
    assert chosen_format("table", "table", json=True) == "json"
    assert chosen_format("json", "table", json=True) == "json"
    assert chosen_format("csv", "table", json=False) == "csv"
    with pytest.raises(typer.BadParameter, match="--json or --format csv"):
        chosen_format("csv", "table", json=True)
