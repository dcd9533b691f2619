"""Posts as programs send them: as `portquorum.changing` takes them, with times as people write."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from portquorum.changing.status_edits import PostChange, WantedPost
from portquorum.web.api.moments import moment_ms
from schemas.web import Impact, PostState


class PostBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `WantedPost`; times are UTC ms, or text of ISO 8601 (UTC if it names no zone)."""

    title: str
    text: str
    sort: Literal["incident", "maintenance"] = "incident"
    pages: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    state: PostState | UnsetType = UNSET
    impact: Impact | UnsetType = UNSET
    starts_at: int | str | UnsetType = UNSET
    ends_at: int | str | None = None
    incident_id: str | None = None

    def wanted(self) -> WantedPost:
        """What is asked for.

        Raises:
            ProblemError: a time is none.
        """
        starts, ends = self.starts_at, self.ends_at
        return WantedPost(
            title=self.title,
            text=self.text,
            sort=self.sort,
            pages=self.pages,
            components=self.components,
            state=self.state,
            impact=self.impact,
            starts_at=UNSET if starts is UNSET else moment_ms("starts_at", starts),
            ends_at=None if ends is None else moment_ms("ends_at", ends),
            incident_id=self.incident_id,
        )


class PostChangeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `PostChange`; times as of `PostBody`."""

    state: PostState | UnsetType = UNSET
    text: str = ""
    title: str | UnsetType = UNSET
    impact: Impact | UnsetType = UNSET
    pages: tuple[str, ...] | UnsetType = UNSET
    components: tuple[str, ...] | UnsetType = UNSET
    starts_at: int | str | UnsetType = UNSET
    ends_at: int | str | UnsetType | None = UNSET
    texts: tuple[str, ...] | UnsetType = UNSET

    def change(self) -> PostChange:
        """What is asked for.

        Raises:
            ProblemError: a time is none.
        """
        starts, ends = self.starts_at, self.ends_at
        return PostChange(
            state=self.state,
            text=self.text,
            title=self.title,
            impact=self.impact,
            pages=self.pages,
            components=self.components,
            starts_at=UNSET if starts is UNSET else moment_ms("starts_at", starts),
            ends_at=ends if ends is UNSET or ends is None else moment_ms("ends_at", ends),
            texts=self.texts,
        )
