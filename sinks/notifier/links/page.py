"""The page of a link: what it is about, and a form for each thing that can be done. Pure."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from msgspec import UNSET, Struct

from schemas.incident import IncidentEvent
from schemas.notifier_state import Subject
from schemas.plain_text import one_line
from sinks.notifier.texts import words

_STYLE: Final = (
    ":root{color-scheme:light dark;font:1.05rem/1.5 system-ui,sans-serif}"
    "main{max-width:38rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}"
    "h1{font-size:1.3rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}"
    "dt{opacity:.75}dd{margin:0}form{border-top:1px solid #8888;padding:1rem 0}"
    "input,button{font:inherit;padding:.4rem .7rem}form p{margin:.5rem 0 0;opacity:.75}"
    ".said{border-left:.3rem solid #1a7f37;padding-left:.7rem}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_SHOWN: Final = 300

HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    # `no-referrer` would have browsers send `Origin: null` with the form of this page (Fetch,
    # "append a request Origin header"). To other origins this one sends nothing, too.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
"""Of every answer: nothing of it is run, framed, kept, found or told to another server."""


class LinkForm(Struct, frozen=True):
    """One button: the token that it posts to, beside this page, and its words."""

    token: str
    label: str
    about: str


def page(
    title: str,
    said: str = "",
    facts: Sequence[tuple[str, str]] = (),
    forms: Sequence[LinkForm] = (),
) -> str:
    """The page; everything in it may have come from outside."""
    return _template().render(
        title=_short(title),
        said=_short(said),
        facts=[(name, _short(value)) for name, value in facts],
        forms=forms,
        style=Markup(_STYLE),  # noqa: S704 - our own
    )


def title_of(event: IncidentEvent) -> str:
    """What it is, and where: `TCP Port Unreachable: orders-db (db1.example.com:5432)`."""
    place = words.place(event)
    return f"{words.what(event, 'opened')}: {event.name}" + (
        "" if place == event.name else f" ({place})"
    )


def facts_of(event: IncidentEvent, subject: Subject, silenced: str | None) -> list[tuple[str, str]]:
    """The lines about an incident."""
    began = event.first_failed_at
    if event.episode_began_at is not UNSET:
        began = event.episode_began_at
    down = sum(one.verdict == "down" for one in event.regions.values())
    found = [
        ("Target", f"{event.name} ({event.target})"),
        ("Where", words.place(event)),
        ("Since", _time(began)),
        ("Severity", event.severity),
        ("Regions", f"{down} of {len(event.regions)} see it down"),
        ("What", event.summary),
    ]
    if subject.episode > 1:
        found.append(("Outage", f"number {subject.episode} of this incident"))
    if subject.phase == "improved":
        found.append(("Now", "better: no quorum says down any more"))
    if event.acknowledged_by is not None:
        found.append(("Acknowledged", f"by {event.acknowledged_by}"))
    if silenced is not None:
        found.append(("Silenced", silenced))
    return [(name, value) for name, value in found if value]


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"


def _short(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
