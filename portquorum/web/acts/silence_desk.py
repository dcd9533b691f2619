"""Silences: made and ended, within limits, and confirmed by the active notifier."""

from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import structs

from portquorum.access.principal import Principal
from portquorum.changing.acts import SilenceMade, WantedSilence
from portquorum.changing.errors import ChangeError
from portquorum.silencing import plan, records
from portquorum.silencing.matching import words
from portquorum.silencing.plan import SilencePlanError
from portquorum.web.acts.desk import AWAY, Desk, cleaned, wall_ms, wrong
from portquorum.web.acts.limits import must_be_bounded
from schemas import policy
from schemas.policy import SILENCES, Match, Silence
from sinks.notifier.matching import Matcher

CONFIRM_S: Final = 3.0
"""Longest wait for the notifier. It follows [policy] and answers within milliseconds."""
SHOWN: Final = 100
_MOST_REASON: Final = 500


class SilenceDesk:
    """Makes silences and ends them."""

    def __init__(self, desk: Desk, *, confirm_s: float = CONFIRM_S) -> None:
        """`confirm_s` is the longest wait for the notifier."""
        self._desk = desk
        self._confirm_s = confirm_s

    async def make(self, who: Principal, wanted: WantedSilence, *, dry_run: bool) -> SilenceMade:
        """As of `Acts.silence`.

        Raises:
            ChangeError: 400, 403, 503.
        """
        self._desk.must_be_read()
        must_be_bounded(who, wanted.match, self._desk.is_within(who))
        self._must_be_known(wanted.match)
        silence = self._planned(who, wanted)
        if dry_run:
            return structs.replace(self._shown(silence), id="", dry_run=True)
        await self._write(silence)
        confirmed = await self._confirmed(silence)
        await self._desk.audit(
            who,
            "make silence",
            [silence.name],
            f"{words(silence)}: {silence.reason}"[:500],
            after=silence,
        )
        return structs.replace(self._shown(silence), in_force=confirmed)

    async def end(self, who: Principal, name: str) -> SilenceMade:
        """As of `Acts.end_silence`.

        Raises:
            ChangeError: 403, 404, 409 (it has ended), 503.
        """
        self._desk.must_be_read()
        found = next((one for one in self._desk.fleet.policy.silences() if one.name == name), None)
        if found is None:
            raise ChangeError(HTTPStatus.NOT_FOUND, f"there is no silence {name[:64]!r}")
        must_be_bounded(who, found, self._desk.is_within(who))
        now = wall_ms()
        if found.ends_at <= now:
            raise ChangeError(HTTPStatus.CONFLICT, f"the silence {name!r} has ended already")
        ended = plan.ended(found, who.name, now)
        await self._write(ended)
        await self._confirmed(ended)
        await self._desk.audit(who, "end silence", [name], before=found, after=ended)
        return self._shown(ended)

    def _must_be_known(self, match: Match) -> None:
        """Checks names that can be checked: a misspelt one would match nothing."""
        inventory = self._desk.fleet.inventory
        for place, name in enumerate(match.targets):
            if "*" not in name and name not in inventory.row_of:
                text = f"expected the id of a target, or several by *, found {name[:128]!r}"
                raise wrong(f"match.targets[{place}]", text)
        there = set(self._desk.fleet.policy.regions) | set(inventory.values("region"))
        for place, name in enumerate(match.regions):
            if name not in there:
                known = ", ".join(sorted(there)[:12]) or "none"
                raise wrong(
                    f"match.regions[{place}]", f"expected a region ({known}), found {name[:63]!r}"
                )

    def _planned(self, who: Principal, wanted: WantedSilence) -> Silence:
        now = wall_ms()
        reason = cleaned("reason", wanted.reason, _MOST_REASON, needed=True)
        if (wanted.ends_at is None) == (wanted.for_ms is None):
            found = "none" if wanted.ends_at is None else "both"
            raise wrong("ends_at", f"expected `ends_at` or `for_ms`, found {found}")
        begins = now if wanted.begins_at is None else wanted.begins_at
        ends = wanted.ends_at if wanted.ends_at is not None else begins + (wanted.for_ms or 0)
        try:
            silence = plan.new_silence(
                wanted.match,
                begins_at=wanted.begins_at,
                ends_at=ends,
                reason=reason,
                by=who.name,
                now=now,
            )
            policy.decode(policy.encode(silence))
        except SilencePlanError as error:
            raise wrong("ends_at", _without_options(str(error))) from error
        except msgspec.ValidationError as error:
            raise wrong("ends_at", str(error)) from error
        return silence

    async def _write(self, silence: Silence) -> None:
        await self._desk.policy({policy.key(SILENCES, silence): policy.encode(silence)})

    async def _confirmed(self, silence: Silence) -> bool:
        try:
            return await records.confirmed(self._desk.settings, [silence], wall_ms, self._confirm_s)
        except AWAY:
            return False  # it is written

    def _shown(self, silence: Silence) -> SilenceMade:
        fields = {name: getattr(silence, name) for name in Match.__struct_fields__}
        match = Match(**fields)
        targets, total = self._desk.fleet.matching(match, SHOWN)
        matcher = Matcher(match)
        incidents = sorted(
            kept.event.incident_id
            for kept in self._desk.fleet.incident_book.open.values()
            if matcher.differs(kept.event) is None
        )
        return SilenceMade(
            id=silence.name,
            match=match,
            reason=silence.reason,
            by=silence.by,
            begins_at=silence.begins_at,
            ends_at=silence.ends_at,
            targets=targets,
            targets_total=total,
            incidents=tuple(incidents[:SHOWN]),
            incidents_total=len(incidents),
            in_force=False,
        )


def _without_options(text: str) -> str:
    """A sentence of the plan without the names of the command's options."""
    for option in (" (--for, --until)", " (--until)", " (--from)"):
        text = text.replace(option, "")
    return text
