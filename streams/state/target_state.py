"""The state of one target: small while it is calm, larger while there is trouble."""

from msgspec import Struct, field

from schemas.incident import IncidentType, Severity
from schemas.partition import host_key
from schemas.result import Reason
from schemas.target import Target
from streams.state.policy import TargetPolicy
from streams.state.target_details import unpack
from streams.state.windows import Endings, Failing, Slow


class OpenIncident(Struct, gc=False, array_like=True):
    """An open incident; `seen` and `diagnosis` are those of its last event.

    `down`: its episode goes on; the target has been so since `turned_at` (running time). `episode`
    counts its outages; the last one began at `outage_at` (effective time). One of the type `slow`
    has one episode; the outages within a `flapping` one are not counted.
    `severity` is that of the opening (None: that of its type in 0.1). `expires_at` belongs to an
    `expiring` incident: the end of a certificate that its last event told. `recovered_at` belongs
    to a `flapping` one: the log time of its last recovery, 0 if it had none. `told_at` is the `at`
    of its last event (0: unknown, from a checkpoint of 0.1).
    """

    incident_id: str
    incident_type: IncidentType
    opened_at: int
    first_failed_at: int
    seen: dict[str, tuple[str, Reason | None]]
    diagnosis: str
    recovery_asked: bool = False
    acknowledged_by: str | None = None
    down: bool = True
    turned_at: int = 0
    outage_at: int = 0
    episode: int = 1
    severity: Severity | None = None
    expires_at: int = 0
    recovered_at: int = 0
    acknowledged_note: str | None = None
    told_at: int = 0


class Resolution(Struct, frozen=True, gc=False, array_like=True):
    """Who closed an incident by hand, at which log time, and the note."""

    by: str
    at: int
    note: str | None = None


class Trouble(Struct, gc=False, array_like=True):
    """The state of a target that is not calm; a calm one has none.

    `failing`, `pace` and `endings` have the rows of failures, of slow successes and of looks at a
    certificate by the position of their region. `incident` is `unreachable` or `flapping`,
    `slow_incident` is `slow`, `expiring_incident` is `expiring`. `held`: an incident was resolved
    by hand; the next one opens only after consensus has said "not down" once; `slow_held` likewise
    with "not slow", `expiring_held` after all looks were clean once. `held_by` and its siblings
    tell who resolved it, for as long as it holds (None also in a checkpoint of 0.1).
    """

    failing: dict[int, Failing] = field(default_factory=dict)
    incident: OpenIncident | None = None
    held: bool = False
    pace: dict[int, Slow] = field(default_factory=dict)
    slow_incident: OpenIncident | None = None
    slow_held: bool = False
    endings: dict[int, Endings] = field(default_factory=dict)
    expiring_incident: OpenIncident | None = None
    expiring_held: bool = False
    held_by: Resolution | None = None
    slow_held_by: Resolution | None = None
    expiring_held_by: Resolution | None = None

    @property
    def over(self) -> bool:
        """True if the target is calm again."""
        return not (
            self.failing
            or self.incident
            or self.held
            or self.pace
            or self.slow_incident
            or self.slow_held
            or self.endings
            or self.expiring_incident
            or self.expiring_held
        )


class TargetState(Struct, gc=False):
    """A target and its state; its windows are in the columns from `slot` on.

    `floor` is the latest start that had counted when windows were last dropped: a window that
    restarts ignores results that did not start later. All fields but `trouble` are constant: a
    changed target gets another `TargetState` (a checkpoint under way still has the old one).
    """

    id: str
    kind: str
    host: str | None
    port: int | None
    policy: TargetPolicy
    slot: int
    trouble: Trouble | None
    floor: int
    definition: bytes

    @property
    def target(self) -> Target:
        """The whole target, built on each call: too expensive for each result."""
        policy, known = self.policy, unpack(self.definition)
        return Target(
            id=self.id,
            name=known.name,
            kind=self.kind,
            host=self.host,
            port=self.port,
            regions=policy.regions,
            interval_ms=policy.interval_ms,
            timeout_ms=policy.timeout_ms,
            version=known.version,
            source=known.source,
            retries=policy.retries,
            retry_delay_ms=policy.retry_delay_ms,
            consensus=policy.consensus,
            open_after_ms=policy.open_after_ms,
            recover_after=policy.recover_after,
            abandon_after_ms=policy.abandon_after_ms,
            latency=policy.latency,
            criticality=known.criticality,
            team=known.team,
            purpose=known.purpose,
            tags=known.tags,
            depends_on=known.depends_on,
            runbook=known.runbook,
            probe=known.probe,
            depends_on_hosts=known.depends_on_hosts,
            expect=policy.expect,
        )

    @property
    def host_key(self) -> str:
        """The key that partitions the target's records."""
        return host_key(self.host, self.id)

    @property
    def incident(self) -> OpenIncident | None:
        """The open incident of the type `unreachable` or `flapping`."""
        return None if self.trouble is None else self.trouble.incident

    @property
    def incidents(self) -> tuple[OpenIncident, ...]:
        """All open incidents, at most one of each type."""
        trouble = self.trouble
        if trouble is None:
            return ()
        incident, slow = trouble.incident, trouble.slow_incident
        if slow is None and trouble.expiring_incident is None:
            return () if incident is None else (incident,)
        every = (incident, slow, trouble.expiring_incident)
        return tuple([one for one in every if one is not None])

    @property
    def held(self) -> bool:
        """See `Trouble`."""
        return self.trouble is not None and self.trouble.held

    @property
    def hot(self) -> bool:
        """True if a deadline could change this target."""
        return self.trouble is not None and not self.trouble.over

    def troubled(self) -> Trouble:
        """The trouble of the target, created if absent; `note_heat` drops it when over."""
        trouble = self.trouble
        if trouble is None:
            trouble = self.trouble = Trouble()
        return trouble
