"""The role `web` takes reports, too: without its door, whatever the name in `Host`."""

from pathlib import Path

from foundation.kafka import create_topics
from tests.integration.portquorum.receiver.receivers import (
    asked,
    job,
    publish,
    settings_for,
    share_key,
    written,
)
from tests.integration.portquorum.web.balanced import web
from tests.integration.sinks.notifier import rig

KEY = "qL7x-Yk2_mN0pQ4rS8tUvW"


async def test_reports_at_the_address_of_the_page(kafka: str, tmp_path: Path) -> None:
    settings = settings_for(kafka)
    await create_topics(settings)
    jobs = [job("backup", name="Nightly Backup", tags=("nightly",)), job("twin-1", name="Twin")]
    await publish(
        settings, [*jobs, job("twin-2", name="Twin")], [share_key(KEY, tags=("nightly",))]
    )
    async with web(settings, tmp_path / "web.log") as page:
        headers = ("Host: reports.example.com", "Cookie: session=nobody", "Origin: https://x.test")
        path = f"/ping/{KEY}/nightly-backup"

        async def takes() -> bool:
            return (await asked(page.port, "POST", f"{path}/3", b"words", headers))[0] == 200

        await rig.until(takes, "the first report")
        assert (await asked(page.port, "GET", f"/ping/{KEY}/twin", b"", headers))[0] == 404
        assert (await asked(page.port, "POST", "/ping/nobody", b"", headers))[0] == 404
        new = f"/ping/{KEY}/weekly-report"
        assert (await asked(page.port, "GET", new))[0] == 404
        assert await asked(page.port, "GET", f"{new}/0?create=1") == (201, b"Created")
        assert await asked(page.port, "GET", f"{new}/0?create=1") == (200, b"OK")
        # The page itself is behind its door as ever.
        assert (await asked(page.port, "GET", "/api/v1/overview", b"", headers))[0] == 403
        assert await page.end() == 0
    results, beats = await written(settings)
    assert {(one.target, one.exit_code, one.output) for one in results} == {
        ("backup", 3, "words"),
        ("weekly-report", 0, None),
    }
    assert {(part, beat.targets) for part, beat in beats} >= {(part, 3) for part in range(4)}
    log = (tmp_path / "web.log").read_text()
    assert KEY not in log
    assert "Traceback" not in log
