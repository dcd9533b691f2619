"""`portquorum target pause|resume` beside a real broker: the audit log has what they did."""

import asyncio
import getpass
from pathlib import Path

from foundation.settings import Settings
from portquorum.inventory import apply
from portquorum.journal.journal import opened
from portquorum.web.office.office import RecordsOffice
from tests.commands import called

FILE = """
regions: {eu: {internal: true}}
defaults: {interval: 1h, regions: [eu]}
targets:
  - {id: db, host: db.example.com, port: 5432}
  - {id: web, host: web.example.com, port: 443}
"""


async def test_the_audit_log_has_pauses_and_their_ends(kafka: str, tmp_path: Path) -> None:
    settings = Settings(kafka=kafka, topic_prefix="pause-audit", partitions=1)
    path = tmp_path / "inventory.yaml"
    path.write_text(FILE)
    await apply(settings, [path])
    names = {
        "PORTQUORUM_KAFKA": kafka,
        "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
        "PORTQUORUM_PARTITIONS": "1",
        "PORTQUORUM_DATA_DIR": str(tmp_path),
    }
    for words in (
        ("pause", "db", "--reason", "new disk", "--by", "ann"),
        ("resume", "db"),
        ("pause", "db", "web", "--for", "1h", "--reason", "power", "--yes"),
    ):
        done = await asyncio.to_thread(called, tmp_path, names, "target", *words)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    async with opened(settings) as journal:
        entries = RecordsOffice(journal).audit(about="db")
        assert [(one.action, one.by, one.detail) for one in entries] == [
            ("pause target", getpass.getuser(), "power"),
            ("resume target", getpass.getuser(), ""),
            ("pause target", "ann", "new disk"),
        ]
        assert entries[-1].after == '{"until":"resumed"}'
        assert len(RecordsOffice(journal).audit(about="web")) == 1
