"""The long form of tests/integration/sinks/clickhouse/test_truth.py: `make soak`.

A history of 45 days, dense enough for its percentiles, and small ones of many seeds, on servers in
three time zones. `PORTQUORUM_SOAK_HISTORIES` changes the number of the small ones.
"""

import os
from pathlib import Path
from typing import Final

import pytest

from tests.services import running_clickhouse
from tests.truth.played import Played, play
from tests.truth.records import MINUTE

ZONES: Final = ("America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "")


@pytest.mark.soak
@pytest.mark.parametrize("server_zone", ["UTC", "America/St_Johns", "Pacific/Kiritimati"])
def test_a_month_and_many_histories_say_the_truth(
    server_zone: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    soak_seed: int,
    soak_reports: Path,
) -> None:
    monkeypatch.setenv("TZ", server_zone)
    histories = int(os.environ.get("PORTQUORUM_SOAK_HISTORIES", "20"))
    lines: list[str] = []
    with running_clickhouse(tmp_path) as url:
        for number in range(histories + 1):
            seed, zone = soak_seed + number, ZONES[number % len(ZONES)]
            if number == 0:
                played = play(
                    url, seed, zone, days=45, targets=20, interval_ms=10 * MINUTE, ranges=6
                )
            else:
                played = play(url, seed, zone, days=33, targets=6, ranges=6)
            lines += [f"SEED={seed} {zone or 'UTC'}: {line}" for line in _wrong(played)]
    report = soak_reports / f"truth-{soak_seed}-{server_zone.replace('/', '-')}.txt"
    said = "\n".join(lines) or f"{histories + 1} histories agree"
    report.write_text(f"server in {server_zone}\n{said}\n", encoding="utf-8")
    print(said)  # noqa: T201 - soak tests tell
    assert not lines


def _wrong(played: Played) -> list[str]:
    return [*played.wrong_views(), *played.wrong_reports(), *played.broken_identities()]
