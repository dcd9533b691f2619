"""Acts, edits and office that do what they are asked, in memory; they remember what that was."""

import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from portquorum.access.principal import Principal
from portquorum.changing.acts import PauseMade, Said, SilenceMade, WantedSilence, WindowMade
from portquorum.changing.edits import BulkDone, BulkEdit, BulkPlan, CheckSaid, Written
from portquorum.changing.errors import ChangeError
from portquorum.changing.office import SessionSeen, TokenShown, UserSeen, WantedToken, WantedUser
from portquorum.inventory.document import MaintenanceEntry, TargetEntry
from schemas.web import Audit, Bulk, IncidentNote, Scope
from tests.unit.portquorum.web.fakes import NOW, definition


def expect(wanted: int | None, present: int) -> None:
    if wanted is not None and wanted != present:
        raise ChangeError(HTTPStatus.PRECONDITION_FAILED, "it is another one", version=present)


class Changed:
    """What was asked: the method's name and its arguments without who."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.error: Exception | None = None

    def ask(self, *asked: Any) -> None:
        self.asked.append(asked)
        if self.error is not None:
            raise self.error


class FakeActs(Changed):
    """Knows the incidents inc-0 (open) and inc-9 (closed)."""

    def __init__(self) -> None:
        super().__init__()
        self.outcome: Any = ""
        self.kept_notes: list[IncidentNote] = []
        self.windows: dict[str, WindowMade] = {}

    async def acknowledge(
        self, who: Principal, incidents: Sequence[str], note: str
    ) -> tuple[Said, ...]:
        self.ask("acknowledge", tuple(incidents), note)
        return self._said(who, incidents, "acknowledged", note)

    async def resolve(
        self, who: Principal, incidents: Sequence[str], note: str
    ) -> tuple[Said, ...]:
        self.ask("resolve", tuple(incidents), note)
        return self._said(who, incidents, "resolved", note)

    def _said(
        self, who: Principal, incidents: Sequence[str], outcome: Any, note: str
    ) -> tuple[Said, ...]:
        if incidents[0] != "inc-0":
            raise ChangeError(HTTPStatus.NOT_FOUND, "there is no such incident")
        done = self.outcome or outcome
        return (
            Said(
                incident_id=incidents[0],
                target="db-0",
                by=who.name,
                outcome=done,
                note=note or None,
            ),
        )

    async def note(self, who: Principal, incident: str, text: str) -> IncidentNote:
        self.ask("note", incident, text)
        if incident not in {"inc-0", "inc-9"}:
            raise ChangeError(HTTPStatus.NOT_FOUND, "there is no such incident")
        made = IncidentNote(
            id=secrets.token_hex(8), incident_id=incident, at=NOW, by=who.name, text=text
        )
        self.kept_notes.append(made)
        return made

    def notes(self, incident: str) -> Sequence[IncidentNote]:
        return [one for one in self.kept_notes if one.incident_id == incident]

    async def silence(
        self, who: Principal, wanted: WantedSilence, *, dry_run: bool = False
    ) -> SilenceMade:
        self.ask("silence", wanted, dry_run)
        return SilenceMade(
            id="" if dry_run else "5ce1e9ab",
            match=wanted.match,
            reason=wanted.reason,
            by=who.name,
            begins_at=NOW,
            ends_at=NOW + 1,
            targets=("db-0",),
            targets_total=1,
            incidents=(),
            incidents_total=0,
            in_force=not dry_run,
            dry_run=dry_run,
        )

    async def end_silence(self, who: Principal, silence: str) -> SilenceMade:
        self.ask("end_silence", silence)
        raise ChangeError(HTTPStatus.NOT_FOUND, f"{who.name} has no such silence")

    def window(self, name: str) -> WindowMade | None:
        return self.windows.get(name)

    async def put_window(
        self, who: Principal, name: str, entry: MaintenanceEntry, if_version: int | None
    ) -> WindowMade:
        self.ask("put_window", name, entry, if_version)
        del who
        found = self.windows.get(name)
        version = 0 if found is None else found.version
        expect(if_version, version)
        made = WindowMade(name=name, version=version + 1, entry=entry, targets_total=1)
        self.windows[name] = made
        return made

    async def remove_window(self, who: Principal, name: str, if_version: int | None) -> None:
        self.ask("remove_window", name, if_version)
        del who
        if self.windows.pop(name, None) is None:
            raise ChangeError(HTTPStatus.NOT_FOUND, "there is no such window")

    async def pause(
        self, who: Principal, targets: Sequence[str], until: int | None, reason: str
    ) -> tuple[PauseMade, ...]:
        self.ask("pause", tuple(targets), until, reason)
        return tuple(
            PauseMade(target=one, paused=True, until=until, reason=reason, by=who.name)
            for one in targets
        )

    async def resume(self, who: Principal, targets: Sequence[str]) -> tuple[PauseMade, ...]:
        self.ask("resume", tuple(targets))
        return tuple(PauseMade(target=one, paused=False, by=who.name) for one in targets)


class FakeEdits(Changed):
    """An inventory without rules; `db-0` is of a file."""

    def __init__(self) -> None:
        super().__init__()
        self.written: dict[str, Written] = {}
        self.versions: dict[str, int] = {}
        self.bulks: dict[str, Bulk] = {}

    def get(self, target: str) -> Written | None:
        return self.written.get(target)

    def owner(self, target: str) -> str | None:
        if target.startswith("db-"):
            return "inventory.yaml"
        return "web" if target in self.written else None

    async def put(
        self, who: Principal, target: str, entry: TargetEntry, if_version: int | None
    ) -> Written:
        self.ask("put", target, entry, if_version)
        if target.startswith("db-"):
            raise ChangeError(HTTPStatus.CONFLICT, "it belongs to inventory.yaml")
        there = self.written.get(target)
        expect(if_version, 0 if there is None else there.version)
        version = self.versions[target] = self.versions.get(target, 0) + 1
        resolved = replace(definition(0), id=target, source="web")
        made = Written(
            id=target, version=version, entry=entry, target=resolved, at=NOW, by=who.name
        )
        self.written[target] = made
        return made

    async def patch(
        self, who: Principal, target: str, merge: Mapping[str, Any], if_version: int | None
    ) -> Written:
        self.ask("patch", target, dict(merge), if_version)
        there = self._there(target)
        fields = msgspec.to_builtins(there.entry) | dict(merge)
        try:
            entry = msgspec.convert(fields, TargetEntry)
        except msgspec.ValidationError as error:
            raise ChangeError(HTTPStatus.BAD_REQUEST, str(error)) from error
        return await self.put(who, target, entry, if_version)

    async def remove(self, who: Principal, target: str, if_version: int | None) -> None:
        self.ask("remove", target, if_version)
        del who
        there = self._there(target)
        expect(if_version, there.version)
        del self.written[target]
        self.versions[target] += 1

    def _there(self, target: str) -> Written:
        if target not in self.written:
            raise ChangeError(HTTPStatus.NOT_FOUND, "there is no such target")
        return self.written[target]

    async def check(self, who: Principal, entry: TargetEntry) -> CheckSaid:
        self.ask("check", entry)
        return CheckSaid(up=True, reason="", detail=who.name, address="192.0.2.1", total_ms=1.5)

    async def check_now(self, who: Principal, target: str) -> CheckSaid:
        self.ask("check_now", target)
        return CheckSaid(up=False, reason="refused", detail=who.name, address="", total_ms=None)

    async def preview(self, who: Principal, targets: Sequence[str], edit: BulkEdit) -> BulkPlan:
        self.ask("preview", tuple(targets), edit)
        del who
        return BulkPlan(
            count=len(targets), some=tuple(targets), left_out=(), confirmation="c" * 8, edit=edit
        )

    async def apply(
        self, who: Principal, targets: Sequence[str], edit: BulkEdit, confirmation: str
    ) -> BulkDone:
        self.ask("apply", tuple(targets), edit)
        if confirmation != "c" * 8:
            raise ChangeError(HTTPStatus.CONFLICT, "the targets are other ones now")
        made = Bulk(
            id=secrets.token_hex(8),
            at=NOW,
            by=who.name,
            action=edit.action,
            targets=tuple(targets),
        )
        self.bulks[made.id] = made
        return BulkDone(id=made.id, changed=len(targets), left_out=())

    def bulk(self, bulk: str) -> Bulk | None:
        return self.bulks.get(bulk)

    async def undo(self, who: Principal, bulk: str) -> BulkDone:
        self.ask("undo", bulk)
        del who
        return BulkDone(id=None, changed=len(self.bulks[bulk].targets), left_out=())

    def yaml(self) -> str:
        return "targets: []\n"


class FakeOffice(Changed):
    """Users and tokens in memory; secrets are `hunter2`."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, UserSeen] = {}
        self.shown: dict[str, TokenShown] = {}

    def users(self) -> Sequence[UserSeen]:
        return [self.kept[name] for name in sorted(self.kept)]

    async def put_user(
        self, who: Principal, name: str, wanted: WantedUser, if_version: int | None
    ) -> UserSeen:
        self.ask("put_user", name, wanted, if_version)
        del who
        found = self.kept.get(name)
        version = 0 if found is None else found.version
        expect(if_version, version)
        made = UserSeen(
            name=name,
            scope="viewer" if wanted.scope is UNSET else wanted.scope,
            teams=() if wanted.teams is UNSET else wanted.teams,
            tags=() if wanted.tags is UNSET else wanted.tags,
            disabled=False if wanted.disabled is UNSET else wanted.disabled,
            has_password=wanted.password is not UNSET,
            version=version + 1,
            created_at=NOW,
            sessions=0,
        )
        self.kept[name] = made
        return made

    async def remove_user(self, who: Principal, name: str, if_version: int | None) -> None:
        self.ask("remove_user", name, if_version)
        del who
        if self.kept.pop(name, None) is None:
            raise ChangeError(HTTPStatus.NOT_FOUND, "there is no such user")

    async def invite(
        self, who: Principal, scope: Scope, teams: Sequence[str], tags: Sequence[str] = ()
    ) -> str:
        self.ask("invite", scope, tuple(teams), *([tuple(tags)] if tags else []))
        del who
        return "hunter2"

    async def change_password(self, who: Principal, old: str, new: str) -> None:
        raise NotImplementedError

    def sessions(self, who: Principal) -> Sequence[SessionSeen]:
        del who
        return ()

    async def end_session(self, who: Principal, session: str) -> None:
        raise NotImplementedError

    def tokens(self, who: Principal) -> Sequence[TokenShown]:
        del who
        return [replace(one, secret=None) for one in self.shown.values()]

    async def add_token(self, who: Principal, wanted: WantedToken) -> TokenShown:
        self.ask("add_token", wanted)
        made = TokenShown(
            id=secrets.token_hex(4),
            name=wanted.name,
            scope=wanted.scope,
            teams=wanted.teams,
            tags=wanted.tags,
            owner=who.name,
            created_at=NOW,
            expires_at=None,
            last_used_at=None,
            secret="pq_hunter2",  # noqa: S106 - it is looked for in what is answered
        )
        self.shown[made.id] = made
        return made

    async def revoke_token(self, who: Principal, token: str) -> None:
        self.ask("revoke_token", token)
        del who
        if self.shown.pop(token, None) is None:
            raise ChangeError(HTTPStatus.NOT_FOUND, "there is no such token")

    def audit(
        self, *, by: str = "", about: str = "", before: str = "", limit: int = 100
    ) -> Sequence[Audit]:
        self.ask("audit", by, about, before, limit)
        one = Audit(id="0" * 16, at=NOW, by="ann", action="pause", about="target/db-0")
        return [one][:limit]
