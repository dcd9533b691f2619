"""Explains a job that reports itself (rule 16)."""

from collections.abc import Iterator
from typing import Final

from schemas.duration import COARSE, duration_text
from schemas.result import REASON_TEXT, RECEIVER
from streams import diagnosis
from streams.diagnosis import Facts
from streams.explain.format import date_and_time, time_of_day
from streams.explain.model import (
    ExplainedStatus,
    Explanation,
    FlappingExplained,
    IncidentExplained,
    JobExplained,
    RegionExplained,
    RunExplained,
    VotesExplained,
)
from streams.rules import flapping
from streams.rules.heartbeat_incidents import verdict_of
from streams.rules.heartbeats import may_have_come
from streams.rules.receivers import DEAF_AFTER_MS
from streams.state.heartbeats import NEVER, JobState, Run
from streams.state.partition_state import PartitionState
from streams.state.target_state import OpenIncident

MOST_DEAF: Final = 5
"""Most deaf times that are told."""


def explained(state: PartitionState, job: JobState) -> Explanation:
    """When the job reported last, what is due when, and why it is not judged if it is not."""
    down = job.down is not None
    return Explanation(
        target=job.target,
        partition=state.partition,
        offset=state.offset,
        at=state.now,
        status=_status(job),
        headline=_headline(state, job),
        because=tuple(_because(state, job)),
        would_change=tuple(_would_change(state, job)),
        votes=VotesExplained(
            down=int(down), failing=int(down), slow=0, need=1, fresh=1, majority=1, configured=1
        ),
        regions=(_region(state, job),),
        incidents=() if job.incident is None else (_incident(state, job, job.incident),),
        resolved=(),
        flapping=FlappingExplained(
            transitions=flapping.count(state, job.id),
            limit=flapping.LIMIT,
            slow_transitions=flapping.count_slow(state, job.id),
            slow_limit=flapping.SLOW_LIMIT,
        ),
        recheck=None,
        host_targets=(),
        job=_job(state, job),
    )


def _status(job: JobState) -> ExplainedStatus:
    if job.down is not None:
        return "down"
    return "pending" if job.last is None else "up"


def _headline(state: PartitionState, job: JobState) -> str:
    incident = job.incident
    if incident is not None:
        since = f"since {time_of_day(incident.opened_at)} ({_ago(state, incident.opened_at)})"
        if incident.incident_type == "flapping":
            return f"An incident is open: flapping {since}."
        what = "it was down" if job.down is None else REASON_TEXT[job.down.reason].lower()
        return f"An incident is open: {what}, {since}."
    if job.last is None:
        return "No incident: it has not reported yet."
    if job.last.failed:
        return "No incident, though its last report is a failure: resolved by hand."
    return "No incident: its last report is a success."


def _because(state: PartitionState, job: JobState) -> Iterator[str]:
    if (last := job.last) is not None:
        word = "failure" if last.failed else "success"
        code = "" if last.exit_code is None else f" (exit code {last.exit_code})"
        took = "" if last.began is None else f", {duration_text(last.at - last.began)} after start"
        yield f"The last report, a {word}{code}, came {_when(state, last.at)}{took}."
    limit = job.probe.max_runtime_ms
    for run in job.runs:
        name = "" if run.name is None else f" ({run.name})"
        until = ""
        if run.overran:
            until = "; it ran for too long, which was told"
        elif limit is not None:
            until = f"; it must end by {date_and_time(run.began + limit)}"
        yield f"A run{name} began {_when(state, run.began)} and has not ended{until}."
    yield from _deaf(state, job)


def _deaf(state: PartitionState, job: JobState) -> Iterator[str]:
    """Who could not be heard when, and what is not judged therefore."""
    heard = state.receivers
    if not heard.newest_beat:
        yield "No receiver was ever heard: jobs are not judged."
        return
    if state.now - heard.newest_beat > DEAF_AFTER_MS:
        yield (
            f"No receiver was heard since {date_and_time(heard.newest_beat)}: jobs are not judged "
            "until one is heard again."
        )
    for begin, end in _deaf_times(state, job)[-MOST_DEAF:]:
        if not begin:
            yield f"The first receiver was heard at {date_and_time(end)}."
            continue
        yield (
            f"No receiver was heard from {date_and_time(begin)} to {time_of_day(end)}: what may "
            "have come then was not judged."
        )


def _deaf_times(state: PartitionState, job: JobState) -> list[tuple[int, int]]:
    """The deaf times for which a report is not judged: the one that is due, and the one before."""
    since = job.since if job.due is None else min(job.since, may_have_come(job, job.due))
    # Of one that was not judged `since` is the end of the deaf time.
    ended = None if job.after is None else job.since
    return [one for one in state.receivers.deaf if one[1] > since or one[1] == ended]


def _would_change(state: PartitionState, job: JobState) -> Iterator[str]:
    incident = job.incident
    if incident is not None and incident.incident_type == "flapping":
        quiet_ms = flapping.quiet_ms(state, job.id, down=incident.down)
        quiet_at = state.log_at(incident.turned_at + quiet_ms)
        yield (
            f"The flapping ends when it stays {'down' if incident.down else 'up'} until "
            f"{time_of_day(quiet_at)} ({_in(state, quiet_at)})."
        )
    elif incident is not None:
        yield "The incident closes with the next success."
    else:
        yield "An incident opens at once when it reports a failure."
    if job.due is None:
        yield "Nothing is due any more by its schedule."
    else:
        grace = duration_text(job.probe.grace_ms)
        deadline = job.deadline
        moved = ""
        if deadline > job.due + job.probe.grace_ms:
            moved = ", moved by the start of a run"
        yield (
            f"The next report is due at {date_and_time(job.due)} ({_in(state, job.due)}); it is "
            f"missed at {date_and_time(deadline)} ({grace} of grace{moved})."
        )


def _job(state: PartitionState, job: JobState) -> JobExplained:
    last, deadline = job.last, job.deadline
    return JobExplained(
        reported_at=None if last is None else last.at,
        failed=last is not None and last.failed,
        due_at=job.due,
        deadline=None if deadline >= NEVER else deadline,
        runs=tuple(_run(one, job.probe.max_runtime_ms) for one in job.runs),
        heard_at=state.receivers.newest_beat or None,
        deaf=tuple(_deaf_times(state, job)),
    )


def _run(run: Run, limit: int | None) -> RunExplained:
    ends_by = None if limit is None else run.began + limit
    return RunExplained(name=run.name, began_at=run.began, ends_by=ends_by, overran=run.overran)


def _region(state: PartitionState, job: JobState) -> RegionExplained:
    known = state.regions.get(RECEIVER)
    silent = known is not None and known.silent
    return RegionExplained(
        region=RECEIVER,
        said=verdict_of(job),
        counts=True,
        newest_at=None if job.last is None else job.last.at,
        last_word=None if job.last is None else "down" if job.down is not None else "up",
        failures_needed=1,
        successes_needed=1,
        silent_since=known.last_beat_at if known is not None and silent else None,
    )


def _incident(state: PartitionState, job: JobState, incident: OpenIncident) -> IncidentExplained:
    found = None
    if job.down is not None:
        known = Facts(target=job.target, failing=((RECEIVER, job.down.reason),), at=state.now)
        found = diagnosis.diagnose(known)
    return IncidentExplained(
        incident_id=incident.incident_id,
        incident_type=incident.incident_type,
        opened_at=incident.opened_at,
        first_failed_at=incident.first_failed_at,
        episode=incident.episode,
        improved=False,
        acknowledged_by=incident.acknowledged_by,
        acknowledged_note=incident.acknowledged_note,
        likely=incident.diagnosis,
        sentence=None if found is None else found.sentence,
        first_steps=() if found is None else found.first_steps,
    )


def _when(state: PartitionState, at: int) -> str:
    return f"at {date_and_time(at)} ({_ago(state, at)} ago)"


def _ago(state: PartitionState, at: int) -> str:
    return duration_text(max(0, state.now - at), COARSE)


def _in(state: PartitionState, at: int) -> str:
    if at <= state.now:
        return f"{_ago(state, at)} ago"
    return f"{duration_text(at - state.now, COARSE)} from now"
