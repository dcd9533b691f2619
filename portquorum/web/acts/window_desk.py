"""Maintenance windows of the page's own."""

import secrets
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec.structs import replace

from portquorum.access.principal import Principal
from portquorum.changing.acts import WindowMade
from portquorum.changing.errors import ChangeError, FieldError
from portquorum.editing import windows
from portquorum.editing.windows import WindowError, WindowPublisher
from portquorum.inventory.document import PATTERN_TEXT, MaintenanceEntry, Name
from portquorum.web.acts.desk import AWAY, Desk, away, wall_ms, wrong
from portquorum.web.acts.limits import must_cover
from schemas.policy import WEB, Maintenance
from schemas.web import WrittenMaintenance

_MOST_NAME: Final = 63
_NAME_TEXT: Final = PATTERN_TEXT[r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}\Z"]


class WindowDesk:
    """Makes windows, replaces and removes them; each edit replaces a version."""

    def __init__(self, desk: Desk) -> None:
        """Its `publisher` repairs what a killed process left; `run` it."""
        self._desk = desk
        self.publisher = WindowPublisher(desk.journal, self._present, desk.write_policy)

    def get(self, name: str) -> WindowMade | None:
        """As of `Acts.window`."""
        record = self._desk.journal.book.get(WrittenMaintenance, name)
        entry = None if record is None else windows.stored(record.entry)
        if record is None or entry is None:
            return None
        return WindowMade(
            name=name, version=record.version, entry=entry, targets_total=self._covered(entry)
        )

    async def put(
        self, who: Principal, name: str, entry: MaintenanceEntry, if_version: int | None
    ) -> WindowMade:
        """As of `Acts.put_window`.

        Raises:
            ChangeError: 400, 403, 409, 412, 503.
        """
        self._desk.must_be_read()
        _check_name(name)
        present = self.get(name)
        self._must_be_free(name, present)
        _check_version(present, if_version)
        named = replace(entry, name=name)
        try:
            window = windows.resolved(named, self._desk.fleet.inventory.row_of.keys())
        except WindowError as error:
            raise _wrong(error) from error
        within = self._desk.is_within(who)
        must_cover(who, window.targets, within)
        if present is not None:
            must_cover(who, present.entry.targets or (), within)
            if present.entry == named:
                await self._publish(name)
                return present
        made = await self._edit(who, name, named)
        await self._desk.audit(
            who,
            "change maintenance" if present is not None else "add maintenance",
            [name],
            before=None if present is None else present.entry,
            after=named,
        )
        await self._publish(name)
        await self._desk.seen(lambda: self._present().get(name) == window)
        return made

    async def remove(self, who: Principal, name: str, if_version: int | None) -> None:
        """As of `Acts.remove_window`.

        Raises:
            ChangeError: 403, 404, 409, 412, 503.
        """
        self._desk.must_be_read()
        present = self.get(name)
        self._must_be_free(name, present)
        if present is None:
            raise ChangeError(
                HTTPStatus.NOT_FOUND, f"there is no maintenance window {name[:_MOST_NAME]!r}"
            )
        _check_version(present, if_version)
        must_cover(who, present.entry.targets or (), self._desk.is_within(who))
        await self._edit(who, name, present.entry, removed=True)
        await self._desk.audit(who, "remove maintenance", [name], before=present.entry)
        await self._publish(name)
        await self._desk.seen(lambda: name not in self._present())

    async def _edit(
        self, who: Principal, name: str, entry: MaintenanceEntry, *, removed: bool = False
    ) -> WindowMade:
        version = self._desk.journal.book.version(WrittenMaintenance, name) + 1
        edit = WrittenMaintenance(
            version=version,
            change=secrets.token_hex(8),
            at=wall_ms(),
            by=who.name,
            name=name,
            entry=windows.encoded(entry),
            removed=removed,
        )
        try:
            (outcome,) = await self._desk.journal.edit([edit])
        except AWAY as error:
            raise away(error) from error
        if not outcome.accepted:
            raise ChangeError(
                HTTPStatus.CONFLICT,
                f"somebody else changed the window {name!r} at the same time and was first: "
                "nothing of yours was changed; look at it and try again",
                version=outcome.version,
            )
        return WindowMade(
            name=name, version=version, entry=entry, targets_total=self._covered(entry)
        )

    async def _publish(self, name: str) -> None:
        try:
            await self.publisher.publish([name])
        except AWAY as error:
            raise away(error) from error

    def _must_be_free(self, name: str, present: WindowMade | None) -> None:
        """A window of a file keeps its name."""
        if present is not None:
            return
        for one in self._desk.fleet.maintenance().windows:
            if one.name == name and one.source != WEB:
                raise ChangeError(
                    HTTPStatus.CONFLICT,
                    f"the window {name!r} belongs to the inventory {one.source!r}: change it there",
                )

    def _covered(self, entry: MaintenanceEntry) -> int:
        return self._desk.fleet.covered(entry.targets or ())

    def _present(self) -> dict[str, Maintenance]:
        prefix = windows.key_of("")
        return {
            window.maintenance.name: window.maintenance
            for key, window in self._desk.fleet.policy.windows()
            if key.startswith(prefix)
        }


def _check_name(name: str) -> None:
    try:
        msgspec.convert(name, Name)
    except msgspec.ValidationError as error:
        raise wrong("name", f"expected {_NAME_TEXT}, found {name[:_MOST_NAME]!r}") from error


def _check_version(present: WindowMade | None, if_version: int | None) -> None:
    version = 0 if present is None else present.version
    if if_version is not None and if_version != version:
        raise ChangeError(
            HTTPStatus.PRECONDITION_FAILED,
            "it is another version by now: nothing was changed",
            version=version,
        )


def _wrong(error: WindowError) -> ChangeError:
    errors = error.errors or (
        FieldError(field="targets", message="expected targets, start and duration"),
    )
    return ChangeError(
        HTTPStatus.BAD_REQUEST,
        "; ".join(f"{one.field}: {one.message}" for one in errors[:5]),
        errors=errors,
    )
