"""What the events of a job say, in words (rule 16)."""

from datetime import UTC, datetime
from typing import Final

from schemas.duration import WHOLE_SECONDS, duration_text
from schemas.incident import ClosedBecause, IncidentType
from schemas.plain_text import one_line
from schemas.probe import HeartbeatProbe
from schemas.result import CheckResult
from schemas.target import Target
from streams.diagnosis import Diagnosis
from streams.state.heartbeats import Down, JobState

MOST_WORDS: Final = 200
"""Characters of what a job said that an event quotes."""

_OVER: Final[dict[IncidentType, str]] = {
    "unreachable": "succeeded again",
    "flapping": "has not failed again",
}
_ENDED: Final[dict[ClosedBecause, str]] = {
    "resolved": "was resolved by hand",
    "target_removed": "is no longer watched; its incident ends",
    "target_changed": "is no job that reports itself any more; its incident ends",
    "target_paused": "is not enabled any more by its inventory; its incident ends",
    "steady": "no longer fails and succeeds in turn, it stays down; its flapping ends",
    "flapping": "fails and succeeds again and again; an incident of its flapping takes over",
}


def summary(job: JobState, target: Target, down: Down, found: Diagnosis, of: IncidentType) -> str:
    """The sentence of an event that tells how it is now, with its diagnosis."""
    now = f"{_what(down, job.probe)}. {_last(job)}{found.sentence}"
    if of == "flapping":
        return f"{target.name} fails and succeeds again and again; now it {now}"
    return f"{target.name} {now}"


def words_of(result: CheckResult) -> str | None:
    """What a job said of its failure, on one line; None if it said nothing.

    That is the text of the report, else the last line of the output that is not blank. The text of
    a report that only names the exit code is none.
    """
    texts = (*(result.output or "").split("\n"), result.detail or "")
    lines = [line for text in texts if (line := " ".join(one_line(text).split()))]
    if lines and lines[-1] == f"exit code {result.exit_code}":
        del lines[-1]
    if not lines:
        return None
    return lines[-1] if len(lines[-1]) <= MOST_WORDS else f"{lines[-1][: MOST_WORDS - 1]}\u2026"


def detail(down: Down) -> str | None:
    """What the verdict says beside its reason."""
    match down.reason:
        case "job_failed":
            code = "" if down.exit_code is None else f"exit code {down.exit_code}"
            return ": ".join(filter(None, (code, _quoted(down.words)))) or None
        case "job_overran":
            return f"began {_time(down.began or down.since)}, did not end"
        case _:
            if down.began is not None:
                return f"due {_time(down.since)}; began {_time(down.began)}, did not end"
            return f"due {_time(down.since)}"


def closing(because: ClosedBecause, of: IncidentType, *, fast: bool) -> str:
    """What has become of a job whose incident closes, after its name."""
    if because in _ENDED:
        return _ENDED[because]
    if of == "flapping":
        return f"{_OVER[of]} for {'half an hour' if fast else 'two hours'}"
    return _OVER[of]


def _what(down: Down, probe: HeartbeatProbe) -> str:
    match down.reason:
        case "job_failed":
            code = "" if down.exit_code is None else f" (exit code {down.exit_code})"
            words = f": {_quoted(down.words)}" if down.words else ""
            return f"reported that it failed{code}{words}"
        case "job_overran":
            limit = duration_text(probe.max_runtime_ms or 0, WHOLE_SECONDS)
            return f"runs for more than {limit}: it began at {_time(down.began or down.since)}"
        case _:
            grace = duration_text(probe.grace_ms, WHOLE_SECONDS)
            began = ""
            if down.began is not None:
                began = f"; a run that began at {_time(down.began)} did not end"
            return f"did not report: due at {_time(down.since)}, with {grace} of grace{began}"


def _quoted(words: str | None) -> str:
    """What a job said, told as a quotation: nothing of it can be taken for a word of ours."""
    return "" if words is None else '"{}"'.format(words.replace('"', "'"))


def _last(job: JobState) -> str:
    """When it reported last, as a sentence."""
    last, down = job.last, job.down
    if last is None:
        return "It has not reported yet. "
    if down is not None and down.reason == "job_failed":
        return ""
    return f"Its last report, a {'failure' if last.failed else 'success'}, came {_time(last.at)}. "


def _time(at: int) -> str:
    """`2026-12-12 14:00:05 UTC`."""
    return datetime.fromtimestamp(at // 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
