# ruff: noqa: ARG002 - the answers are the same, whoever asks
"""What changes something, made by hand: it remembers what was asked, and the fleet follows."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec.structs import replace

from portquorum.access.principal import Principal
from portquorum.changing.acts import (
    PauseMade,
    Said,
    SilenceMade,
    WantedSilence,
    WindowMade,
)
from portquorum.changing.edits import (
    BulkDone,
    BulkEdit,
    BulkLeftOut,
    BulkPlan,
    CheckSaid,
    Written,
)
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.changing.office import (
    SessionSeen,
    TokenShown,
    UserSeen,
    WantedToken,
    WantedUser,
)
from portquorum.inventory.document import MaintenanceEntry, TargetEntry
from portquorum.web.answers import TargetRow
from schemas.target import Target
from schemas.web import Audit, Bulk, IncidentNote, Scope
from tests.browser.web.nights import HOUR, MINUTE, NOW

SECRET = "pq_0a1b2c3d_" + "s3cret" * 7


class Rows:
    """The targets that a fleet shows; its tests give one that has `rows`."""

    rows: tuple[TargetRow, ...]
    version: int


class HandMadeActs:
    """Remembers each act in `asked`; refuses the next one with `refusal`, once."""

    def __init__(self, fleet: Any) -> None:
        self.fleet = fleet
        self.asked: list[tuple[Any, ...]] = []
        self.refusal: ChangeError | None = None
        self.written: dict[str, list[IncidentNote]] = {}
        self.windows: dict[str, WindowMade] = {}

    def _ask(self, *what: Any) -> None:
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal
        self.asked.append(what)

    async def acknowledge(
        self, who: Principal, incidents: Sequence[str], note: str
    ) -> tuple[Said, ...]:
        self._ask("acknowledge", who.name, tuple(incidents), note)
        return tuple(_said(one, who, "acknowledged", note) for one in incidents)

    async def resolve(
        self, who: Principal, incidents: Sequence[str], note: str
    ) -> tuple[Said, ...]:
        self._ask("resolve", who.name, tuple(incidents), note)
        return tuple(_said(one, who, "resolved", note) for one in incidents)

    async def note(self, who: Principal, incident: str, text: str) -> IncidentNote:
        self._ask("note", who.name, incident, text)
        made = IncidentNote(id="0" * 16, incident_id=incident, at=NOW, by=who.name, text=text)
        self.written.setdefault(incident, []).append(made)
        return made

    def notes(self, incident: str) -> Sequence[IncidentNote]:
        return self.written.get(incident, [])

    async def silence(
        self, who: Principal, wanted: WantedSilence, *, dry_run: bool = False
    ) -> SilenceMade:
        self._ask("silence", who.name, wanted, dry_run)
        named = wanted.match.targets
        ids = [one.id for one in self.fleet.rows if not named or one.id in named]
        return SilenceMade(
            id="" if dry_run else "5f00",
            match=wanted.match,
            reason=wanted.reason,
            by=who.name,
            begins_at=NOW,
            ends_at=wanted.ends_at or NOW + (wanted.for_ms or 0),
            targets=tuple(ids[:100]),
            targets_total=len(ids),
            incidents=("one",),
            incidents_total=1,
            in_force=True,
            dry_run=dry_run,
        )

    async def end_silence(self, who: Principal, silence: str) -> SilenceMade:
        self._ask("end_silence", who.name, silence)
        row = next(one for one in self.fleet.silences().silences if one.id == silence)
        return SilenceMade(
            id=silence,
            match=row.match,
            reason=row.reason,
            by=row.by,
            begins_at=row.begins_at,
            ends_at=NOW,
            targets=(),
            targets_total=0,
            incidents=(),
            incidents_total=0,
            in_force=True,
        )

    def window(self, name: str) -> WindowMade | None:
        return self.windows.get(name)

    async def put_window(
        self, who: Principal, name: str, entry: MaintenanceEntry, if_version: int | None
    ) -> WindowMade:
        self._ask("put_window", who.name, name, entry, if_version)
        made = WindowMade(name=name, version=(if_version or 0) + 1, entry=entry, targets_total=2)
        self.windows[name] = made
        return made

    async def remove_window(self, who: Principal, name: str, if_version: int | None) -> None:
        self._ask("remove_window", who.name, name, if_version)
        del self.windows[name]

    async def pause(
        self, who: Principal, targets: Sequence[str], until: int | None, reason: str
    ) -> tuple[PauseMade, ...]:
        self._ask("pause", who.name, tuple(targets), until, reason)
        become(self.fleet, targets, state="paused")
        return tuple(PauseMade(target=one, paused=True, until=until) for one in targets)

    async def resume(self, who: Principal, targets: Sequence[str]) -> tuple[PauseMade, ...]:
        self._ask("resume", who.name, tuple(targets))
        become(self.fleet, targets, state="up")
        return tuple(PauseMade(target=one, paused=False) for one in targets)


def become(fleet: Any, targets: Iterable[str], **changes: Any) -> None:
    """Changes some rows of a fleet."""
    named = set(targets)
    fleet.rows = tuple(replace(one, **changes) if one.id in named else one for one in fleet.rows)
    fleet.version += 1


def _said(incident: str, who: Principal, outcome: Any, note: str) -> Said:
    return Said(incident_id=incident, target="t", by=who.name, outcome=outcome, note=note)


class HandMadeEdits:
    """An inventory in memory; `answer` is what a check says."""

    def __init__(self, fleet: Any) -> None:
        self.fleet = fleet
        self.asked: list[tuple[Any, ...]] = []
        self.refusal: ChangeError | None = None
        self.written: dict[str, Written] = {}
        self.bulks: dict[str, tuple[Bulk, tuple[TargetRow, ...]]] = {}
        self.answer = CheckSaid(
            up=False,
            reason="refused",
            detail="nothing listens",
            address="203.0.113.7",
            total_ms=12.25,
            phases={"dns_ms": 2.0, "connect_ms": 10.25},
        )

    def _ask(self, *what: Any) -> None:
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal
        self.asked.append(what)

    def own(self, row: TargetRow) -> None:
        """A target that the page has."""
        entry = TargetEntry(name=row.name, kind=row.kind, host=row.host, port=row.port)
        self.written[row.id] = _written(row.id, 3, entry, "Aino")

    def get(self, target: str) -> Written | None:
        return self.written.get(target)

    def owner(self, target: str) -> str | None:
        return "web" if target in self.written else "inventory.yaml"

    async def put(
        self, who: Principal, target: str, entry: TargetEntry, if_version: int | None
    ) -> Written:
        self._ask("put", who.name, target, entry, if_version)
        now = self.written[target].version if target in self.written else 0
        if if_version is not None and if_version != now:
            detail = f"expected version {if_version}, found {now}: somebody else was first"
            raise ChangeError(HTTPStatus.CONFLICT, detail, version=now)
        if entry.host == "wrong":
            errors = [FieldError(field="host", message="expected a host, found 'wrong'")]
            raise ChangeError(HTTPStatus.BAD_REQUEST, "host is wrong", errors=errors)
        self.written[target] = _written(target, now + 1, entry, who.name)
        row = replace(
            self.fleet.rows[-1],
            id=target,
            name=entry.name or target,
            kind=entry.kind,
            host=entry.host,
            port=entry.port,
            place=target if entry.host is None else f"{entry.host}:{entry.port}",
            state="pending",
            source="web",
        )
        others = tuple(one for one in self.fleet.rows if one.id != target)
        self.fleet.rows = (*others, row)
        self.fleet.version += 1
        return self.written[target]

    async def patch(
        self, who: Principal, target: str, merge: Mapping[str, Any], if_version: int | None
    ) -> Written:
        raise NotImplementedError

    async def remove(self, who: Principal, target: str, if_version: int | None) -> None:
        self._ask("remove", who.name, target, if_version)
        del self.written[target]
        self.fleet.rows = tuple(one for one in self.fleet.rows if one.id != target)
        self.fleet.version += 1

    async def check(self, who: Principal, entry: TargetEntry) -> CheckSaid:
        self._ask("check", who.name, entry)
        return self.answer

    async def check_now(self, who: Principal, target: str) -> CheckSaid:
        self._ask("check_now", who.name, target)
        return self.answer

    async def preview(self, who: Principal, targets: Sequence[str], edit: BulkEdit) -> BulkPlan:
        self._ask("preview", who.name, tuple(targets), edit)
        return self._plan(targets, edit)

    def _plan(self, targets: Sequence[str], edit: BulkEdit) -> BulkPlan:
        taken, files = list(targets), []
        if edit.action in {"patch", "remove"}:
            taken = [one for one in targets if one in self.written]
            files = [one for one in targets if one not in self.written]
        digest = hashlib.sha256("\n".join(taken).encode() + msgspec.json.encode(edit)).hexdigest()
        left = BulkLeftOut(why="file", count=len(files), some=tuple(files[:100]))
        return BulkPlan(
            count=len(taken),
            some=tuple(taken[:100]),
            left_out=(left,) if files else (),
            confirmation=digest,
            edit=edit,
        )

    async def apply(
        self, who: Principal, targets: Sequence[str], edit: BulkEdit, confirmation: str
    ) -> BulkDone:
        self._ask("apply", who.name, tuple(targets), edit, confirmation)
        plan = self._plan(targets, edit)
        if plan.confirmation != confirmation:
            raise ChangeError(HTTPStatus.CONFLICT, "what is matched has changed since the preview")
        before = tuple(one for one in self.fleet.rows if one.id in targets)
        if edit.action in {"pause", "resume"}:
            state = "paused" if edit.action == "pause" else "up"
            become(self.fleet, targets, state=state)
        change = f"{len(self.bulks) + 1:016x}"
        bulk = Bulk(id=change, at=NOW, by=who.name, action=edit.action, targets=tuple(targets))
        self.bulks[change] = (bulk, before)
        return BulkDone(id=change, changed=plan.count, left_out=plan.left_out)

    def bulk(self, bulk: str) -> Bulk | None:
        found = self.bulks.get(bulk)
        return None if found is None else found[0]

    async def undo(self, who: Principal, bulk: str) -> BulkDone:
        self._ask("undo", who.name, bulk)
        record, before = self.bulks[bulk]
        by_id = {one.id: one for one in before}
        self.fleet.rows = tuple(by_id.get(one.id, one) for one in self.fleet.rows)
        self.fleet.version += 1
        self.bulks[bulk] = (replace(record, undone_by=who.name), before)
        return BulkDone(id=None, changed=len(before), left_out=())

    def yaml(self) -> str:
        return "targets:\n- name: written here\n"


def _written(target: str, version: int, entry: TargetEntry, by: str) -> Written:
    return Written(
        id=target,
        version=version,
        entry=entry,
        target=Target(
            id=target,
            name=entry.name or target,
            kind=entry.kind,
            host=entry.host,
            port=entry.port,
            regions=("fra",),
            interval_ms=30_000,
            timeout_ms=3_000,
            version=NOW,
            source="web",
            team=entry.team,
            tags=entry.tags or (),
        ),
        at=NOW,
        by=by,
    )


class HandMadeOffice:
    """Three users, two tokens, a log."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.refusal: ChangeError | None = None
        self.people = [
            _user("aino", "admin"),
            _user("mika", "operator", teams=("payments", "database")),
            _user("guest@example.com", "viewer", disabled=True),
        ]
        self.known = [
            _token("0a1b2c3d", "deploy", "operator", last_used_at=NOW - 3 * MINUTE),
            _token("1a1b2c3d", "wall screen", "viewer", expires_at=None),
        ]
        self.log = [_change(number) for number in range(60)]

    def _ask(self, *what: Any) -> None:
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal
        self.asked.append(what)

    def users(self) -> Sequence[UserSeen]:
        return self.people

    async def put_user(
        self, who: Principal, name: str, wanted: WantedUser, if_version: int | None
    ) -> UserSeen:
        self._ask("put_user", who.name, name, wanted, if_version)
        return self.people[0]

    async def remove_user(self, who: Principal, name: str, if_version: int | None) -> None:
        self._ask("remove_user", who.name, name, if_version)
        self.people = [one for one in self.people if one.name != name]

    async def invite(
        self, who: Principal, scope: Scope, teams: Sequence[str], tags: Sequence[str] = ()
    ) -> str:
        self._ask("invite", who.name, scope, tuple(teams), *([tuple(tags)] if tags else []))
        return "inv_" + "x" * 43

    async def change_password(self, who: Principal, old: str, new: str) -> None:
        self._ask("change_password", who.name, old, new)

    def sessions(self, who: Principal) -> Sequence[SessionSeen]:
        return [
            SessionSeen(
                id=f"{one:064x}",
                via="password",
                created_at=NOW - one * HOUR,
                seen_at=NOW - one * MINUTE,
                expires_at=NOW + 100 * HOUR,
                is_this=one == 0,
            )
            for one in range(3)
        ]

    async def end_session(self, who: Principal, session: str) -> None:
        self._ask("end_session", who.name, session)

    def tokens(self, who: Principal) -> Sequence[TokenShown]:
        return self.known

    async def add_token(self, who: Principal, wanted: WantedToken) -> TokenShown:
        self._ask("add_token", who.name, wanted)
        made = _token("2a1b2c3d", wanted.name, wanted.scope)
        self.known.append(made)
        return replace(made, secret=SECRET)

    async def revoke_token(self, who: Principal, token: str) -> None:
        self._ask("revoke_token", who.name, token)
        self.known = [one for one in self.known if one.id != token]

    def audit(
        self, *, by: str = "", about: str = "", before: str = "", limit: int = 100
    ) -> Sequence[Audit]:
        found = [
            one
            for one in self.log
            if (not by or one.by == by) and about in one.about and (not before or one.id < before)
        ]
        return found[:limit]


def _user(name: str, scope: Scope, **changes: Any) -> UserSeen:
    usual = UserSeen(
        name=name,
        scope=scope,
        teams=(),
        tags=(),
        disabled=False,
        has_password=True,
        version=2,
        created_at=NOW - 99 * HOUR,
        sessions=1,
    )
    return replace(usual, **changes)


def _token(token: str, name: str, scope: Scope, **changes: Any) -> TokenShown:
    usual = TokenShown(
        id=token,
        name=name,
        scope=scope,
        teams=(),
        tags=(),
        owner="aino",
        created_at=NOW - 99 * HOUR,
        expires_at=NOW + 900 * HOUR,
        last_used_at=None,
    )
    return replace(usual, **changes)


def _change(number: int) -> Audit:
    by = "aino" if number % 3 else "mika"
    return Audit(
        id=f"{999 - number:016x}",
        at=NOW - number * 7 * MINUTE,
        by=by,
        action="target changed" if number % 2 else "silence made",
        about=f"target/orders-db-{number}" if number % 2 else "silence/7f3a",
        detail="" if number % 2 else "the disk is being replaced; 17 targets",
        before='{"interval":"60s","tags":["prod"],"host":"a.example.com"}' if number % 2 else "",
        after='{"interval":"30s","tags":["prod","rack-7"],"host":"a.example.com"}'
        if number % 2
        else "",
    )
