"""The runs of a job from its reports, as rule 16 ends them."""

from portquorum.web.history.answers import JobRun
from portquorum.web.history.job_runs import MOST_RUNNING, Report, runs_of


def report(signal: str, at: int, run: str = "", total_ms: float | None = None) -> Report:
    return Report(
        signal=signal, at=at, run=run, total_ms=total_ms, exit_code=None, output="", detail=""
    )


def told(*reports: Report) -> list[tuple[str, str, int | None, int | None, float | None]]:
    """Run, end, began, ended, duration; the newest first."""
    return [_told(one) for one in runs_of(reports)]


def _told(one: JobRun) -> tuple[str, str, int | None, int | None, float | None]:
    return one.run, one.end, one.began_at, one.ended_at, one.duration_ms


def test_a_start_and_the_end_of_its_run_are_one() -> None:
    found = told(report("start", 10, "a"), report("log", 15), report("fail", 30, "a"))
    assert found == [("a", "fail", 10, 30, 20.0)]


def test_what_the_job_measured_itself_goes_before_what_the_log_says() -> None:
    assert told(report("start", 10), report("success", 30, total_ms=7.5))[0][4] == 7.5


def test_an_end_without_a_start_has_no_length() -> None:
    assert told(report("success", 30)) == [("", "success", None, 30, None)]


def test_a_start_replaces_one_of_its_run_and_what_has_no_end_runs() -> None:
    assert told(report("start", 10, "a"), report("start", 20, "a")) == [
        ("a", "running", 20, None, None)
    ]


def test_an_end_ends_what_began_before_its_run_and_one_without_a_name_ends_all() -> None:
    begun = [report("start", at, run) for at, run in ((10, "a"), (20, "b"), (30, "c"))]
    assert told(*begun, report("success", 40, "b")) == [
        ("b", "success", 20, 40, 20.0),
        ("c", "running", 30, None, None),
        ("a", "lost", 10, None, None),
    ]
    assert [one[1] for one in told(*begun, report("success", 40))] == [
        "success",
        "lost",
        "lost",
        "lost",
    ]


def test_of_more_runs_than_the_rules_keep_the_oldest_is_lost() -> None:
    begun = [report("start", at, f"{at}") for at in range(MOST_RUNNING + 1)]
    ends = [one[1] for one in told(*begun)]
    assert ends == ["running"] * MOST_RUNNING + ["lost"]
