import subprocess
import sys

import pytest
from typer.testing import CliRunner

from foundation.loopback_listener import loopback_listener
from foundation.settings import SettingsError
from portquorum.cli.app import app


def test_one_place_alone() -> None:
    found = CliRunner().invoke(app, ["web", "--fd", "3", "--listen", "127.0.0.1:1"])
    assert found.exit_code == 2
    assert "expected --listen or --fd, found both" in " ".join(found.output.split())


def test_another_address_is_refused_in_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "portquorum.cli", "web", "--listen", "0.0.0.0:9480"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("portquorum: --listen: expected an address of this machine alone")
    assert "ssh -L 9480:127.0.0.1:9480" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_port_beyond_all_is_the_fault_of_the_port() -> None:
    with pytest.raises(SettingsError, match="expected a port of 0 to 65535"):
        loopback_listener("127.0.0.1:99999", "--listen")
    with pytest.raises(SettingsError, match="expected host:port"):
        loopback_listener("127.0.0.1", "--listen")
