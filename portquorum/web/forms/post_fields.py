"""The fields of a post's form, and what was typed into them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import UNSET, Struct

from portquorum.changing.status_edits import PostChange, StatusEdits, WantedPost
from portquorum.status_editing.page_rules import components_of
from portquorum.status_editing.post_rules import states_of
from portquorum.web.forms.desk import Desk
from portquorum.web.forms.form import Field, Group, Option, options_of
from portquorum.web.forms.lengths import moment_field, moment_of
from portquorum.web.forms.posted import Posted
from portquorum.web.pages.number_words import cut
from portquorum.web.pages.viewer import Viewer
from portquorum.web.words import ENGLISH
from schemas.web import Impact, PostState, StatusPage, StatusPost

_S: Final = ENGLISH.posting
MOST_BOXES: Final = 150
"""Components that can be checked; others are typed."""
_IMPACTS: Final[tuple[Impact, ...]] = ("none", "minor", "major", "critical")


class _Choice(Struct, frozen=True):
    """A component that can be chosen."""

    key: str
    words: str


def _choices(pages: Sequence[StatusPage]) -> list[_Choice]:
    found = []
    for page in pages:
        for group, one in components_of(page):
            named = f"{group.name} / {one.name}" if group.name else one.name
            found.append(_Choice(f"{page.slug}/{one.id}", f"{page.title}: {named}"))
    return found


def field_groups(
    desk: Desk,
    status_edits: StatusEdits,
    draft: WantedPost,
    sent: Posted | None,
    *,
    with_text: bool = True,
) -> tuple[Group, ...]:
    """Title and text, what it is about, and its state, impact and times."""
    pages = status_edits.pages()
    words = [
        Field(
            name="title",
            label=_S.title,
            value=draft.title if sent is None else sent.text("title"),
            is_needed=True,
            most=100,
        )
    ]
    if with_text:
        words.append(text_field(draft.text if sent is None else sent.raw("text")))
    return (
        Group(fields=words),
        Group(legend=_S.about, name="about", fields=_about_fields(pages, draft, sent)),
        Group(fields=_kind_fields(desk, draft, sent, with_state=with_text)),
    )


def _about_fields(
    pages: Sequence[StatusPage], draft: WantedPost, sent: Posted | None
) -> list[Field]:
    chosen = list(draft.components) if sent is None else sent.all("components")
    chosen_pages = list(_whole(draft)) if sent is None else sent.all("pages")
    every = _choices(pages)
    first = [one for one in every if one.key in chosen]
    boxes = [*first, *(one for one in every if one.key not in chosen)][:MOST_BOXES]
    shown = {one.key for one in boxes}
    fields = [
        Field(
            name="components",
            label=_S.components,
            kind="boxes",
            options=[Option(one.key, cut(one.words, 160)) for one in boxes],
            value="\n".join(chosen),
        )
    ]
    left = [one for one in chosen if one not in shown]
    if len(every) > len(boxes) or left or (sent is not None and "others" in sent):
        typed = "\n".join(left) if sent is None else sent.raw("others")
        fields.append(
            Field(
                name="others",
                label=_S.others,
                kind="textarea",
                value=typed,
                hint=_S.others_hint,
                is_code=True,
            )
        )
    fields.append(
        Field(
            name="pages",
            label=_S.whole_pages,
            kind="boxes",
            options=[Option(one.slug, cut(one.title, 100)) for one in pages],
            value="\n".join(chosen_pages),
        )
    )
    return fields


def _whole(draft: WantedPost) -> list[str]:
    """Pages on which a post is without a component."""
    about = {one.partition("/")[0] for one in draft.components}
    return [one for one in draft.pages if one not in about]


def _kind_fields(
    desk: Desk, draft: WantedPost, sent: Posted | None, *, with_state: bool
) -> list[Field]:
    is_work = draft.sort == "maintenance"
    states = states_of(draft.sort)
    state = states[0] if draft.state is UNSET else draft.state
    impact = "minor" if draft.impact is UNSET else draft.impact
    fields = []
    if with_state:
        fields.append(state_field(states, state if sent is None else sent.text("state", state)))
    if not is_work:
        fields.append(
            Field(
                name="impact",
                label=_S.impact,
                kind="select",
                options=options_of(_S.impacts),
                value=impact if sent is None else sent.text("impact", impact),
            )
        )
    typed = sent or _times_of(draft, desk.viewer)
    begins, ends = (_S.work_begins, _S.work_ends) if is_work else (_S.begins, _S.ends)
    return [
        *fields,
        moment_field(
            "starts_at",
            begins,
            typed,
            desk.viewer,
            hint="" if is_work else _S.empty_now,
            is_needed=is_work,
        ),
        moment_field(
            "ends_at",
            ends,
            typed,
            desk.viewer,
            hint="" if is_work else _S.empty_open,
            is_needed=is_work,
        ),
    ]


def _times_of(draft: WantedPost, viewer: Viewer) -> Posted:
    starts = None if draft.starts_at is UNSET else draft.starts_at
    pairs = [("starts_at", starts), ("ends_at", draft.ends_at)]
    return Posted([(name, _local(at, viewer)) for name, at in pairs if at is not None])


def _local(at: int, viewer: Viewer) -> str:
    """As a box for times has it, to the minute."""
    return f"{datetime.fromtimestamp(at / 1000, tz=viewer.zone):%Y-%m-%dT%H:%M}"


def _moment(desk: Desk, sent: Posted, name: str, was: int | None) -> int | None:
    """A time that was typed; one that stands as it was shown keeps its seconds."""
    if was is not None and sent.text(name) == _local(was, desk.viewer):
        return was
    return moment_of(sent, name, desk.viewer)


def state_field(states: Sequence[PostState], value: str) -> Field:
    """The states of its sort."""
    return Field(
        name="state",
        label=_S.state,
        kind="select",
        options=[Option(one, _S.states[one]) for one in states],
        value=value,
    )


def text_field(value: str) -> Field:
    """What everybody reads."""
    return Field(
        name="text",
        label=_S.text,
        kind="textarea",
        value=value,
        hint=_S.text_hint,
        is_needed=True,
        most=5_000,
        rows=6,
    )


def state_of(sent: Posted, states: Sequence[PostState]) -> PostState | None:
    """The state that was chosen; None: none of its sort."""
    return next((one for one in states if one == sent.text("state")), None)


def _impact(sent: Posted, draft: WantedPost) -> Impact:
    if draft.sort == "maintenance":
        return "maintenance"
    return next((one for one in _IMPACTS if one == sent.text("impact")), "minor")


def _components(sent: Posted) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*sent.all("components"), *sent.lines("others"))))


def wanted_post(desk: Desk, sent: Posted, draft: WantedPost) -> WantedPost:
    """The post that was typed.

    Raises:
        NoMomentError: a time is none.
    """
    was = None if draft.starts_at is UNSET else draft.starts_at
    starts = _moment(desk, sent, "starts_at", was)
    return WantedPost(
        title=sent.text("title"),
        text=sent.raw("text"),
        sort=draft.sort,
        pages=tuple(sent.all("pages")),
        components=_components(sent),
        state=state_of(sent, states_of(draft.sort)) or UNSET,
        impact=_impact(sent, draft),
        starts_at=UNSET if starts is None else starts,
        ends_at=_moment(desk, sent, "ends_at", draft.ends_at),
        incident_id=draft.incident_id,
    )


def correction_of(desk: Desk, sent: Posted, draft: WantedPost, texts: Sequence[str]) -> PostChange:
    """What was corrected; `texts` are those of all updates.

    Raises:
        NoMomentError: a time is none.
    """
    was = None if draft.starts_at is UNSET else draft.starts_at
    starts = _moment(desk, sent, "starts_at", was)
    return PostChange(
        title=sent.text("title"),
        impact=_impact(sent, draft),
        pages=tuple(sent.all("pages")),
        components=_components(sent),
        starts_at=UNSET if starts is None else starts,
        ends_at=_moment(desk, sent, "ends_at", draft.ends_at),
        texts=tuple(texts),
    )


def as_wanted(found: StatusPost) -> WantedPost:
    """A post as its form begins with it."""
    return WantedPost(
        title=found.title,
        text=found.updates[-1].text,
        sort=found.sort,
        pages=found.pages,
        components=found.components,
        state=found.updates[-1].state,
        impact=found.impact,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        incident_id=found.incident_id,
    )
