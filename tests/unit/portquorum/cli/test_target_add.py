"""`portquorum target add` of a job that reports itself, and what can't be checked."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from foundation.settings import SettingsError, load
from portquorum.cli.app import app
from portquorum.inventory import check
from producers.prober.main import run
from schemas.probe import HeartbeatProbe


def test_a_job_is_added_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "inventory.yaml"
    words = [
        *("target", "add", "Nightly backup", "--kind", "heartbeat", "-i", str(file)),
        *("--schedule", "*/5 * * * *", "--zone", "Europe/Berlin", "--max-runtime", "1m"),
    ]
    found = CliRunner().invoke(app, words, env={"PORTQUORUM_DATA_DIR": str(tmp_path)})
    assert found.exit_code == 0, found.output
    assert "added nightly-backup: heartbeat, */5 * * * * (Europe/Berlin)" in found.output
    assert "portquorum heartbeat key add nightly-backup" in found.output
    (target,) = check([file]).targets
    assert isinstance(target.probe, HeartbeatProbe)
    assert (target.probe.schedule, target.probe.max_runtime_ms) == ("*/5 * * * *", 60_000)


def test_a_job_that_is_wrong_leaves_the_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "inventory.yaml"
    words = ["target", "add", "x", "--kind", "heartbeat", "--region", "eu", "-i", str(file)]
    found = CliRunner().invoke(app, words)
    assert found.exit_code != 0
    assert "receivers take its reports" in str(found.exception)
    assert not file.exists()


def test_a_heartbeat_cannot_be_checked_and_the_sentence_leads_on() -> None:
    found = CliRunner().invoke(app, ["check", "backup", "--kind", "heartbeat"])
    assert found.exit_code == 2
    said = " ".join(found.output.replace("│", " ").split())
    assert "the job reports itself" in said
    assert "portquorum heartbeat key add ID" in said


async def test_no_prober_is_of_the_region_of_receivers() -> None:
    with pytest.raises(SettingsError, match="stands for the receivers"):
        await run(load(), region="receiver")
