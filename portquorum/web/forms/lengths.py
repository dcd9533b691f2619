"""Until when: the fields of it, and the time that is meant."""

from typing import Final

from portquorum.changing.errors import FieldError
from portquorum.inventory.duration import parse_ms
from portquorum.silencing.plan import SilencePlanError, time_ms
from portquorum.web.forms.form import Field, Option
from portquorum.web.forms.posted import Posted
from portquorum.web.pages.number_words import fill
from portquorum.web.pages.viewer import Viewer
from portquorum.web.words import ENGLISH
from schemas.wall_clock import zone_or_utc

_W: Final = ENGLISH.forms
_LENGTHS: Final = ("30m", "1h", "4h", "12h", "1d", "3d", "7d")
OPEN: Final = ""
"""The length without an end."""


class NoMomentError(ValueError):
    """What was typed is no time; `error` says what was expected."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.error = FieldError(field=field, message=message)


def length_fields(
    sent: Posted, viewer: Viewer, usual: str, *, without_end: str = "", prefix: str = ""
) -> list[Field]:
    """How long, or until when; `without_end` are the words of the choice of no end, if there is."""
    options = [Option(one, _W.lengths[one]) for one in _LENGTHS]
    if without_end:
        options.append(Option(OPEN, without_end))
    return [
        Field(
            name=f"{prefix}for",
            label=_W.how_long,
            kind="select",
            options=options,
            value=sent.text(f"{prefix}for", usual),
        ),
        moment_field(f"{prefix}until", _W.or_until, sent, viewer, hint=_W.or_until_hint),
    ]


def moment_field(
    name: str, label: str, sent: Posted, viewer: Viewer, *, hint: str = "", is_needed: bool = False
) -> Field:
    """A date with a time of day in the viewer's zone."""
    zone = fill(_W.times_of, zone=viewer.zone_name)
    return Field(
        name=name,
        label=label,
        kind="datetime-local",
        value=sent.text(name),
        hint=f"{hint} {zone}".strip(),
        is_needed=is_needed,
    )


def end_of(sent: Posted, viewer: Viewer, prefix: str = "") -> int | None:
    """UTC ms of the end; None: without one.

    Raises:
        NoMomentError: neither a length nor a time that there is.
    """
    until = moment_of(sent, f"{prefix}until", viewer)
    if until is not None:
        if until <= viewer.now:
            raise NoMomentError(f"{prefix}until", _W.in_the_past)
        return until
    length = sent.text(f"{prefix}for")
    if length == OPEN:
        return None
    try:
        return viewer.now + parse_ms(length)
    except ValueError as error:
        raise NoMomentError(f"{prefix}for", str(error)) from error


def moment_of(sent: Posted, name: str, viewer: Viewer) -> int | None:
    """UTC ms of a field, on the viewer's clock; None: nothing was typed.

    Raises:
        NoMomentError: not such a time.
    """
    text = sent.text(name)
    if not text:
        return None
    try:
        return time_ms(text, zone_or_utc(viewer.zone_name))
    except SilencePlanError as error:
        raise NoMomentError(name, str(error)) from error
