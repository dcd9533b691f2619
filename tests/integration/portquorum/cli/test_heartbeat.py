"""`portquorum heartbeat` beside a real broker."""

from pathlib import Path

from foundation.settings import Settings
from portquorum.inventory import publish
from portquorum.journal.journal import opened
from portquorum.sharing.share_keys import ShareKeys
from schemas.web import Audit
from tests.integration.portquorum.cli.test_user import Shell, settings, shell

__all__ = ["settings", "shell"]

OLD = "5f1c2b1e-8a3d-4a5e-9c59-0d1bfa0c2c11"
JOBS = """
regions: {here: {}}
targets:
  - {id: backup, name: Nightly backup, kind: heartbeat, schedule: 0 3 * * *, zone: Europe/Berlin}
  - {id: queue, kind: heartbeat, interval: 1m, enabled: false, tags: [mail]}
  - {host: 127.0.0.1, port: 9}
"""


async def test_keys_and_heartbeats(shell: Shell, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "jobs.yaml"
    file.write_text(JOBS)
    assert (await publish.apply(settings, [file])).added == ("127.0.0.1-9", "backup", "queue")
    # The same file on another day: nothing to write.
    again = await publish.apply(settings, [file])
    assert (again.unchanged, again.changed) == (3, ())

    made = (await shell.json("heartbeat", "key", "add", "backup", "--secret", OLD))["key"]
    assert made["address"] == f"http://127.0.0.1:9480/ping/{OLD}"
    of_all = await shell.call(
        *("heartbeat", "key", "add", "--all", "--expires", "30d", "--tag", "mail"),
        *("--url", "https://beats.example.org/"),
    )
    assert of_all.stdout.startswith("https://beats.example.org/ping/")
    assert of_all.stdout.endswith("/TARGET-ID\n")
    assert "curl -fsS" in of_all.stderr
    done = await shell.call("heartbeat", "key", "add", "backup", "--secret", OLD)
    assert (done.returncode, "another key has this text" in done.stderr) == (1, True)

    listed = (await shell.json("heartbeat", "list"))["heartbeats"]
    assert [(one["id"], one["state"], one["keys"], one["reports_known"]) for one in listed] == [
        ("backup", None, 1, False),
        ("queue", "paused", 0, False),
    ]
    keys = (await shell.json("heartbeat", "key", "list"))["keys"]
    assert {(one["about"], one["secret"]) for one in keys} == {("backup", None), (None, None)}
    assert (await shell.call("heartbeat", "key", "revoke", made["id"])).returncode == 0
    async with opened(settings) as journal:
        found = ShareKeys(journal)
        assert found.find(OLD, "ping") is None
        assert [one.about for one in found.listed()] == [None]
        entries = [one.action for one in journal.book.every(Audit).values()]
    assert entries == ["add key", "add key", "revoke key"]
