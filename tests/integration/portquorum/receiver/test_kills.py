"""A killed receiver loses nothing that it answered: the short form of `make soak`'s."""

from pathlib import Path

from tests.soak.receiver_kills import Plan, run


async def test_what_was_answered_is_written_whoever_is_killed(kafka: str, tmp_path: Path) -> None:
    outcome = await run(Plan(seed=17, jobs=2_000, kills=2), kafka, tmp_path)
    assert outcome.lost == [], outcome.report
    assert outcome.wrong == [], outcome.report
    assert outcome.kills == 2, outcome.report
