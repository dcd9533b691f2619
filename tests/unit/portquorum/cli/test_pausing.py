"""What `target pause` and `resume` refuse before they ask Kafka, in one sentence."""

import pytest
from typer.testing import CliRunner

from portquorum.cli.app import app
from portquorum.cli.errors import WrongUseError

WHY = ("--reason", "new disk")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("db", "--reason", "  "), "expected a --reason"),
        (("db", *WHY, "--for", "2h", "--until", "2030-01-01"), "expected --for TIME or --until"),
        (("db", *WHY, "--for", "soon"), "--for: "),
        (("db", *WHY, "--until", "soon"), "--until: "),
        (("db", *WHY, "--until", "2020-01-01T00:00"), "expected an end in the future, found 2020"),
        (("db", *WHY, "--until", "2030-01-01", "--timezone", "Mars/One"), "Mars/One"),
    ],
)
def test_a_pause_that_can_not_be_meant(arguments: tuple[str, ...], says: str) -> None:
    found = CliRunner().invoke(app, ["target", "pause", *arguments])
    assert isinstance(found.exception, WrongUseError)
    assert says in str(found.exception)
