"""The StatusEdits of `portquorum.changing.status_edits` over a Journal."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Final, Protocol, TypeVar

import msgspec
from msgspec import UNSET, structs

from portquorum.access.passwords import Passwords, PasswordsBusyError
from portquorum.access.principal import Principal
from portquorum.changing.away import kafka_errors_said
from portquorum.changing.errors import ChangeError
from portquorum.changing.status_edits import PostChange, WantedPage, WantedPost
from portquorum.editing.limits import must_be_within, words
from portquorum.editing.published import Published
from portquorum.journal.audit_log import AuditLog, now_ms
from portquorum.journal.protocol import Journal
from portquorum.status_editing import page_rules, post_rules
from portquorum.status_editing.wrong import Wrongs
from schemas.target import Target
from schemas.web import PostUpdate, StatusPage, StatusPost

MOST_PAGES: Final = 200
MOST_POSTS: Final = 5_000
"""Every process keeps all of them."""
MOST_BYTES: Final = 900_000
"""Of a page as it is stored."""

T = TypeVar("T", StatusPage, StatusPost)

_UNREAD: Final = "what there is, is not known yet: the topics are being read; try again"


class KnownTargets(Protocol):
    """The targets of all inventories."""

    @property
    def is_present(self) -> bool:
        """True once they have been read."""

    def target(self, target: str) -> Target | None:
        """A target by its id."""


class PublishedTargets:
    """The targets of [targets]."""

    def __init__(self, published: Published) -> None:
        self._published = published

    @property
    def is_present(self) -> bool:
        return self._published.is_present

    def target(self, target: str) -> Target | None:
        placed = self._published.placed(target)
        return placed[0].target if placed else None


class StatusEditor:
    """The pages and posts of one process."""

    def __init__(
        self,
        journal: Journal,
        targets: KnownTargets,
        passwords: Passwords | None = None,
        now: Callable[[], int] = now_ms,
    ) -> None:
        """`passwords` is that of the process; `now` gives UTC ms."""
        self._journal = journal
        self._targets = targets
        self._passwords = passwords or Passwords()
        self._now = now
        self._audit = AuditLog(journal, now)

    # --- pages

    def pages(self) -> Sequence[StatusPage]:
        return [page for _, page in sorted(self._journal.book.all(StatusPage).items())]

    def page(self, slug: str) -> StatusPage | None:
        return self._journal.book.get(StatusPage, slug)

    def must_be_theirs(self, who: Principal, page: StatusPage) -> None:
        self._must_be_read()
        self._must_be_within(who, page_rules.targets_of(page))

    async def put_page(
        self, who: Principal, slug: str, wanted: WantedPage, if_version: int | None
    ) -> StatusPage:
        before = self.page(slug)
        _must_have_version(before, if_version)
        made = self.planned(who, slug, wanted)
        if wanted.password is not UNSET:
            hashed = await self._hashed(wanted.password, before)
            stamped = self._next(who, before) if made is before and before is not None else made
            made = structs.replace(stamped, password=hashed)
        if before is not None and _is_same(before, made):
            return before
        await self._edit(made)
        await self._audit.record(
            who,
            "add status page" if before is None else "change status page",
            slug,
            _page_words(before, made),
            None if before is None else _shown(before),
            _shown(made),
            change=made.change,
        )
        return made

    def planned(self, who: Principal, slug: str, wanted: WantedPage) -> StatusPage:
        """What `put_page` would make, but for the password; the page itself if it is the same.

        Raises:
            ChangeError: 400, 403, 409 (very many pages), 503 (the topics are being read).
        """
        self._must_be_read()
        before = self.page(slug)
        wrongs = Wrongs()
        if before is None:
            self._check_new(slug, wrongs)
        content = page_rules.content_of(wanted, before, self._is_there, wrongs)
        wrongs.refuse()
        made = StatusPage(
            version=self._journal.book.version(StatusPage, slug) + 1,
            change=secrets.token_hex(8),
            at=self._now(),
            by=who.name[:255],
            slug=slug,
            title=content.title,
            groups=content.groups,
            description=content.description,
            access=wanted.access,
            password=None if before is None else before.password,
            days=wanted.days,
            show_uptime=wanted.show_uptime,
            show_response_times=wanted.show_response_times,
            contact=content.contact,
        )
        self._must_be_within(who, page_rules.targets_of(made))
        if before is not None:
            self._must_be_within(who, page_rules.targets_of(before))
        if len(msgspec.json.encode(made)) > MOST_BYTES:
            wrongs.add("groups", f"expected a page of at most {MOST_BYTES} bytes, found a larger")
            wrongs.refuse()
        return before if before is not None and _is_same(before, made) else made

    async def remove_page(self, who: Principal, slug: str, if_version: int | None) -> None:
        self._must_be_read()
        before = self.page(slug)
        if before is None:
            raise _missing("status page", slug)
        _must_have_version(before, if_version)
        self._must_be_within(who, page_rules.targets_of(before))
        gone = structs.replace(self._next(who, before), password=None, removed=True)
        await self._edit(gone)
        await self._audit.record(
            who, "remove status page", slug, before.title, _shown(before), change=gone.change
        )

    # --- posts

    def posts(self) -> Sequence[StatusPost]:
        found = self._journal.book.all(StatusPost).values()
        return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)

    def post(self, post: str) -> StatusPost | None:
        return self._journal.book.get(StatusPost, post)

    async def add_post(self, who: Principal, wanted: WantedPost) -> StatusPost:
        self._must_be_read()
        if len(self._journal.book.all(StatusPost)) >= MOST_POSTS:
            raise ChangeError(
                HTTPStatus.CONFLICT, f"there are {MOST_POSTS} posts already: remove old ones first"
            )
        now, wrongs = self._now(), Wrongs()
        made = post_rules.new_post(
            wanted, self._blank(who, now), self._components(), now, who.name, wrongs
        )
        wrongs.refuse()
        self._must_be_within_post(who, made)
        await self._edit(made)
        await self._audit.record(
            who, "add post", made.id, _post_words(made), None, made, change=made.change
        )
        return made

    async def change_post(
        self, who: Principal, post: str, change: PostChange, if_version: int | None
    ) -> StatusPost:
        before = self._there(post)
        _must_have_version(before, if_version)
        wrongs = Wrongs()
        made = post_rules.changed_post(
            before, change, self._components(), self._now(), who.name, wrongs
        )
        wrongs.refuse()
        self._must_be_within_post(who, before)
        self._must_be_within_post(who, made)
        if made == before:
            return before
        stamp = self._next(who, before)
        made = structs.replace(
            made, version=stamp.version, change=stamp.change, at=stamp.at, by=stamp.by
        )
        await self._edit(made)
        await self._audit.record(
            who, "change post", made.id, _post_words(made), before, made, change=made.change
        )
        return made

    async def remove_post(self, who: Principal, post: str, if_version: int | None) -> None:
        before = self._there(post)
        _must_have_version(before, if_version)
        self._must_be_within_post(who, before)
        gone = structs.replace(self._next(who, before), removed=True)
        await self._edit(gone)
        await self._audit.record(
            who, "remove post", post, _post_words(before), before, change=gone.change
        )

    # --- parts of them

    def _must_be_read(self) -> None:
        if not (self._journal.is_present.is_set() and self._targets.is_present):
            raise ChangeError(HTTPStatus.SERVICE_UNAVAILABLE, _UNREAD)

    def _check_new(self, slug: str, wrongs: Wrongs) -> None:
        if not page_rules.is_slug(slug):
            wrongs.add(
                "slug",
                f"expected 1 to 63 small letters, digits and - (not `new`), found {slug[:80]!r}",
            )
        if len(self._journal.book.all(StatusPage)) >= MOST_PAGES:
            raise ChangeError(HTTPStatus.CONFLICT, f"there are {MOST_PAGES} status pages already")

    def _is_there(self, target: str) -> bool:
        return self._targets.target(target) is not None

    def _components(self) -> dict[str, frozenset[str]]:
        return {
            page.slug: frozenset(one.id for _, one in page_rules.components_of(page))
            for page in self._journal.book.all(StatusPage).values()
        }

    def _must_be_within(self, who: Principal, targets: Iterable[str]) -> None:
        """All targets that there are; of those that are gone nobody knows whose they were."""
        if who.is_limited:
            for one in dict.fromkeys(targets):
                must_be_within(who, one, self._targets.target(one))

    def _must_be_within_post(self, who: Principal, post: StatusPost) -> None:
        """Somebody with limits writes about components of their own alone, on each of its pages."""
        if not who.is_limited:
            return
        about: set[str] = set()
        for name in post.components:
            slug, _, component = name.partition("/")
            page = self.page(slug)
            found = [] if page is None else list(page_rules.components_of(page))
            for _, one in found:
                if one.id == component:
                    about.add(slug)
                    self._must_be_within(who, one.targets)
        if missing := [one for one in post.pages if one not in about]:
            raise ChangeError(
                HTTPStatus.FORBIDDEN,
                f"{who.name} may write about components of {words(who)} alone: expected one of "
                f"them on the page {missing[0]!r}, found none",
            )

    def _there(self, post: str) -> StatusPost:
        self._must_be_read()
        found = self.post(post)
        if found is None:
            raise _missing("post", post)
        return found

    def _blank(self, who: Principal, now: int) -> StatusPost:
        """A post without content: `post_rules.new_post` fills it."""
        return StatusPost(
            version=1,
            change=secrets.token_hex(8),
            at=now,
            by=who.name[:255],
            id=secrets.token_hex(8),
            pages=(),
            sort="incident",
            title="",
            impact="none",
            updates=(PostUpdate(at=now, state="investigating", text="", by=""),),
            starts_at=now,
            created_at=now,
        )

    def _next(self, who: Principal, before: T) -> T:
        return structs.replace(
            before,
            version=before.version + 1,
            change=secrets.token_hex(8),
            at=self._now(),
            by=who.name[:255],
        )

    async def _hashed(self, password: str | None, before: StatusPage | None) -> str | None:
        """The hash of a password; the same one again keeps its hash, and so all who are let in."""
        if password is None:
            return None
        known = None if before is None else before.password
        try:
            if known is not None and await self._passwords.verify(known, password):
                return known
            return await self._passwords.hash(password)
        except PasswordsBusyError as error:
            raise ChangeError(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error

    async def _edit(self, record: StatusPage | StatusPost) -> None:
        with kafka_errors_said():
            (outcome,) = await self._journal.edit([record])
        if not outcome.accepted:
            raise ChangeError(
                HTTPStatus.CONFLICT,
                "somebody else changed this at the same time; look at it and try again",
                version=outcome.version,
            )


def _must_have_version(before: StatusPage | StatusPost | None, if_version: int | None) -> None:
    present = 0 if before is None else before.version
    if if_version is not None and if_version != present:
        there = f"its version is {present} now" if present else "there is none"
        raise ChangeError(
            HTTPStatus.PRECONDITION_FAILED,
            f"nothing was changed, {there}: somebody else was first; look at it and decide anew",
            version=present,
        )


def _missing(what: str, name: str) -> ChangeError:
    return ChangeError(HTTPStatus.NOT_FOUND, f"there is no {what} {name[:100]!r}")


def _is_same(before: StatusPage, after: StatusPage) -> bool:
    return before == structs.replace(
        after, version=before.version, change=before.change, at=before.at, by=before.by
    )


def _shown(page: StatusPage) -> object:
    """For the audit log: no hash."""
    return page_rules.seen(page)


def _page_words(before: StatusPage | None, after: StatusPage) -> str:
    count = sum(len(group.components) for group in after.groups)
    components = "component" if count == 1 else "components"
    said = f"{after.title}: {count} {components}, {after.access}"
    if before is not None and before.password != after.password:
        said += ", without a password" if after.password is None else ", a new password"
    return said


def _post_words(post: StatusPost) -> str:
    return f"{post.title}: {post.updates[-1].state}, on {', '.join(post.pages)}"
