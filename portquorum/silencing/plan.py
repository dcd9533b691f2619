"""A silence as people ask for it: its times, its id, what becomes of it. Pure."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from schemas.duration import DAY_MS
from schemas.policy import Match, Silence
from schemas.wall_clock import zone_named

LONGEST_MS: Final = 366 * DAY_MS
LEAST_LETTERS: Final = 2

SilenceState = Literal["active", "coming", "ended"]


class SilencePlanError(ValueError):
    """What is asked for is no silence; the text says what was expected and what was found."""


class ChosenSilences(Struct, frozen=True):
    """The silences that are meant, and in words those ids that mean none or several."""

    found: tuple[Silence, ...]
    problems: tuple[str, ...]


def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name.

    Raises:
        SilencePlanError: there is no such zone.
    """
    zone = zone_named(name)
    if zone is None:
        raise SilencePlanError(
            f"--timezone: expected a time zone such as Europe/Berlin, found {name!r}"
        )
    return zone


def time_ms(text: str, zone: ZoneInfo) -> int:
    """UTC ms of an ISO 8601 time; on the wall clock of `zone` if it names no offset.

    A time that a clock shows twice (at the end of DST) is the first one; one that no clock shows
    is as much later as the clock was put forward.

    Raises:
        SilencePlanError: not such a time.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        at = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise SilencePlanError(
            f"expected a time such as 2026-12-01T08:00, found {text!r}"
        ) from error
    if at < 0:
        raise SilencePlanError(f"expected a time after 1970, found {text!r}")
    return at


def new_silence(
    match: Match, *, begins_at: int | None, ends_at: int, reason: str, by: str, now: int
) -> Silence:
    """A silence with an id of its own. `begins_at` None: now. Times are UTC ms.

    Raises:
        SilencePlanError: it would have ended already, end before it begins, or last over a year.
    """
    begins = now if begins_at is None else begins_at
    if ends_at <= now:
        raise SilencePlanError(
            "expected an end (--for, --until) in the future, found one that is over"
        )
    if ends_at <= begins:
        raise SilencePlanError(
            "expected an end (--until) after the beginning (--from), found one before it"
        )
    if ends_at - begins > LONGEST_MS:
        raise SilencePlanError(
            "expected a silence of at most 366 days, found a longer one; remove the targets from "
            "the inventory, or the routes, if nobody is to be told of them"
        )
    fields = {name: getattr(match, name) for name in Match.__struct_fields__}
    return Silence(
        **fields,
        name=secrets.token_hex(4),
        begins_at=begins,
        ends_at=ends_at,
        reason=reason,
        by=by,
        created_at=now,
    )


def ended(silence: Silence, by: str, now: int) -> Silence:
    """The silence as it is when `by` ends it now; one that has not begun never does."""
    return structs.replace(silence, begins_at=min(silence.begins_at, now), ends_at=now, ended_by=by)


def state_of(silence: Silence, now: int) -> SilenceState:
    """What a silence is at `now` (UTC ms)."""
    if silence.ends_at <= now:
        return "ended"
    return "coming" if silence.begins_at > now else "active"


def chosen(silences: Mapping[str, Silence], ids: Sequence[str], now: int) -> ChosenSilences:
    """The silences whose ids begin with one of `ids` and that have not ended, each once."""
    found: dict[str, Silence] = {}
    problems = []
    for text in ids:
        begin = text.strip().lower()
        fitting = [one for name, one in silences.items() if begin and name.startswith(begin)]
        going = [one for one in fitting if state_of(one, now) != "ended"]
        exact = [one for one in going if one.name == begin]
        if len(exact or going) == 1:
            one = (exact or going)[0]
            found[one.name] = one
        elif going:
            names = ", ".join(sorted(one.name for one in going))
            problems.append(f"{text!r} is the beginning of several: {names}")
        elif fitting:
            problems.append(f"{fitting[0].name} has ended already")
        else:
            problems.append(f"no silence has an id that begins with {text!r}")
    return ChosenSilences(tuple(found.values()), tuple(problems))
