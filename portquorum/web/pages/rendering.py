"""Pages as text: Jinja2 templates with everything escaped and cleaned."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from portquorum.web.answers import Counts, Freshness
from portquorum.web.pages import commands, number_words, row_words
from portquorum.web.pages.address import Address
from portquorum.web.pages.viewer import Viewer, iso
from portquorum.web.words import CLOSED_BECAUSE, DONE, ENGLISH, REASONS
from schemas.plain_text import plain

STATIC: Final = files("portquorum.web") / "static"
NAMES: Final = (
    *("page.css", "page.js"),
    *("icon-down.svg", "icon-slow.svg", "icon-up.svg", "icon-blind.svg"),
)
"""The files beside the pages."""


def render(
    template: str,
    viewer: Viewer,
    freshness: Freshness,
    counts: Counts,
    **values: object,
) -> str:
    """A page; `counts` are those of the whole fleet, for the line above it.

    `values` may have any text: it is escaped, and control characters and marks that turn the
    direction of text are replaced. `json_path` is the page's JSON twin (empty: none).

    Raises:
        jinja2.UndefinedError: the template uses a value that is not there.
    """
    wrong = counts.down + counts.flapping
    blind = freshness.blind_since is not None
    here = Address.of(viewer.here)
    known = {
        "v": viewer,
        "f": freshness,
        "page_address": here,
        "done": DONE.get(here.value("done"), ""),
        "json_path": "",
        "live_path": "/api/v1/events",
        "active": "",
        "shown_counts": row_words.head_counts(counts),
        "count_words": f"({ENGLISH.blind_title}) " if blind else f"({wrong}) " if wrong else "",
        "icon": "blind" if blind else "down" if wrong else "slow" if counts.slow else "up",
    }
    return plain(_environment().get_template(template).render(known | values)).lstrip()


def render_bare(template: str, viewer: Viewer, **values: object) -> str:
    """A page for anybody, who may be a stranger: it has nothing of the fleet.

    Raises:
        jinja2.UndefinedError: the template uses a value that is not there.
    """
    known = {"v": viewer, "icon": "blind"}
    return plain(_environment().get_template(template).render(known | values)).lstrip()


def warm() -> None:
    """Compiles all templates, which takes some 0.3 s: nobody's first page waits for it."""
    environment = _environment()
    for name in environment.list_templates(extensions=["html"]):
        environment.get_template(name)


@cache
def static_url(name: str) -> str:
    """The address of a file beside the pages, other for other bytes: it is kept for a year."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{digest}/{name}"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("portquorum.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(
        w=ENGLISH,
        static=static_url,
        url=number_words.path,
        iso=iso,
        many=number_words.many,
        unit=number_words.unit,
        word_of=row_words.word_of,
        mark_of=row_words.mark_of,
        blind_words=row_words.blind_words,
        place_words=row_words.place_words,
        cause_words=row_words.cause_words,
        cause_url=row_words.cause_url,
        region_words=row_words.region_words,
        closed_words=row_words.closed_words,
        flags=row_words.flags,
        votes_words=row_words.votes_words,
        is_web_link=number_words.is_web_link,
        percent=row_words.percent,
        told_words=row_words.told_words,
        match_words=row_words.match_words,
        clock_is_right=row_words.clock_is_right,
        signed_length=number_words.signed_length,
        strip=row_words.strip,
        ack=commands.ack,
        end_silence=commands.end_silence,
        spared_words=row_words.spared_words,
        count_of=row_words.group_count,
        group_states=row_words.GROUP_STATES,
        reasons=REASONS,
        closed_because=CLOSED_BECAUSE,
        script_words=_script_words(),
    )
    made.filters.update(
        number=number_words.number,
        fill=number_words.fill,
        cut=number_words.cut,
        linked=number_words.linked,
        minus=number_words.minus,
        ms=number_words.milliseconds,
        by_trouble=row_words.by_trouble,
    )
    return made


def _script_words() -> str:
    """What the script says, as JSON: it has no words of its own."""
    w = ENGLISH
    said = {
        "age": w.data_age,
        "new": w.new,
        "gone": w.gone,
        "show": w.show,
        "lost": w.live_lost,
        "copy": w.copy,
        "copied": w.copied,
        "unsent": w.forms.unsent,
        "icons": {one: static_url(f"icon-{one}.svg") for one in ("down", "slow", "up")},
    }
    return msgspec.json.encode(said).decode()
