"""Rows of targets."""

from portquorum.web.answers import State, TargetRow
from portquorum.web.fleet import incident_rows
from portquorum.web.fleet.incident_book import KeptIncident
from portquorum.web.fleet.inventory import Row
from portquorum.web.fleet.kept_target import KeptTarget
from portquorum.web.fleet.known import Known


class TargetRows:
    """Makes rows from what is known."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def since(self, row: Row) -> int | None:
        """From when on a row is in its state, UTC ms; None: not known."""
        record = self._known.inventory.record(row)
        return self._told(row, record, self._known.tally.state(row) or "up")[0]

    def _told(
        self, row: Row, record: KeptTarget, state: State
    ) -> tuple[int | None, str, KeptIncident | None]:
        """From when on, one sentence, and the incident that says so."""
        incidents = list(self._known.incident_book.of_target(record.id))
        lead = incident_rows.leading(incidents)
        if lead is not None and state in {"down", "flapping", "slow", "maintenance"}:
            return lead.event.first_failed_at, lead.event.summary, lead
        if state == "paused":
            pause = self._known.policy.pause(record.id)
            return None if pause is None else pause.paused_at, "", None
        word = self._known.word(row, record)
        if state == "unknown":
            told = self._known.unwatched.since(record.id, record.shared.regions, record.partition)
            said = word.since if word is not None and word.status == "unwatched" else None
            times = [time for time in (told, said) if time is not None]
            return min(times, default=None), self._known.unwatched.summary(record.partition), lead
        if state == "down":
            kept = self._known.resolved(record.id)
            if kept is not None:
                return kept.event.first_failed_at, kept.event.summary, lead
            return None if word is None else word.since, "", lead
        return None, lead.event.summary if lead is not None else "", lead

    def row(self, row: Row) -> TargetRow:
        """A row of the inventory as people read it."""
        record = self._known.inventory.record(row)
        shared = record.shared
        state: State = self._known.tally.state(row) or "up"
        since, summary, lead = self._told(row, record, state)
        silence = None if lead is None else self._known.policy.silencing(lead.event)
        pause = self._known.policy.pause(record.id)
        return TargetRow(
            id=record.id,
            name=record.name,
            kind=record.kind,
            host=record.host,
            port=record.port,
            place=record.place,
            team=shared.team,
            tags=shared.tags,
            criticality=shared.criticality,
            state=state,
            since=since,
            summary=summary,
            incident=None if lead is None else lead.event.incident_id,
            regions=shared.regions,
            expect=shared.expect,
            source=shared.source,
            is_failing=row in self._known.tally.of_flag["failing"],
            is_late=row in self._known.tally.of_flag["late"],
            is_expiring=row in self._known.tally.of_flag["expiring"],
            is_improved=lead is not None and lead.is_improved,
            is_resolved=row in self._known.tally.resolved,
            silence="" if silence is None else silence.name,
            silence_until=None if silence is None else silence.ends_at,
            silence_by="" if silence is None else silence.by,
            silence_reason="" if silence is None else silence.reason,
            enabled=shared.enabled,
            paused_by="" if pause is None else pause.by,
            paused_until=None if pause is None else pause.until,
            pause_reason="" if pause is None else pause.reason,
        )
