"""The values of [web]: who may come in, what was changed by the page, the API and the commands.

Two kinds of records, told apart by their keys:

- **Versioned** (`User`, `Token`, `WrittenTarget`, `WrittenMaintenance`, `Request`, `ShareKey`,
  `StatusPage`, `StatusPost`): the key is
  `KIND/ID/VERSION/NONCE`, one of its own for each edit. An edit names the version that it makes,
  one more than the version that it replaces. Of each version the first record in the order of
  offsets counts, and every reader refuses the others. Keys are not those of the object, since
  compaction would keep a refused edit in the place of the accepted one.
- **Single** (all others): the key is `KIND/ID`, and the newest record counts.

A null value removes a key: of an edit that was refused, or that a newer version replaced.
Secrets are here as hashes only.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from schemas._types import Count, LongText, Millis, Name, Names, Note, TargetId, Text
from schemas.json_decoder import JsonDecoder

Scope = Literal["viewer", "operator", "admin"]
"""Reads; acknowledges, resolves, silences, pauses; changes inventory and access."""

Login = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._@+-]{0,99}\Z")]
"""The name of a user, in small letters."""

Version = Annotated[int, Meta(ge=1, le=2**53)]
Made = Annotated[int, Meta(ge=0, le=2**53)]
Nonce = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""A SHA-256 in hex."""


class _Edit(Struct, frozen=True, gc=False, kw_only=True):
    """What all versioned records have.

    `change` is the id of the request (of a bulk change: of all its edits), `at` the writer's clock,
    `by` who asked. `removed`: the object is not there from this version on; its content is the last
    one.
    """

    version: Version
    change: Nonce
    at: Millis
    by: Name
    removed: bool = False


class User(_Edit, frozen=True, gc=False, kw_only=True, tag_field="web", tag="user"):
    """A person. `password` is an argon2id hash (PHC string), None: comes by OIDC or a proxy alone.

    `teams` and `tags` limit what an operator or admin may change to targets that have one of them;
    both empty: no limit. `epoch` grows with each new password: older sessions end.
    """

    name: Login
    scope: Scope
    password: Text | None = None
    teams: Names = ()
    tags: Names = ()
    disabled: bool = False
    epoch: Count = 0
    created_at: Millis


class Token(_Edit, frozen=True, gc=False, kw_only=True, tag_field="web", tag="token"):
    """An access token `pq_ID_SECRET`; of the secret only its SHA-256 is kept.

    `owner` made it; it can do no more than its owner can at that time.
    """

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{8}\Z")]
    name: Name
    secret: Digest
    scope: Scope
    teams: Names = ()
    tags: Names = ()
    owner: Name
    created_at: Millis
    expires_at: Millis | None = None


class WrittenTarget(
    _Edit, frozen=True, gc=False, kw_only=True, tag_field="web", tag="written_target"
):
    """A target of the page's own inventory; `entry` is JSON, one of `targets:` as in a file."""

    id: TargetId
    entry: LongText


class WrittenMaintenance(
    _Edit, frozen=True, gc=False, kw_only=True, tag_field="web", tag="written_maintenance"
):
    """A maintenance window of the page's own; `entry` is JSON, one of `maintenance:`."""

    name: Name
    entry: LongText


class ShareKey(_Edit, frozen=True, gc=False, kw_only=True, tag_field="web", tag="share_key"):
    """A secret in an address that lets in for one thing alone, without a user.

    `secret` is the SHA-256 of the whole text in the address. `use`: `ping` reports heartbeats of
    the target `about` (None: of any heartbeat, by its id behind the key, as far as `teams` and
    `tags` allow), `badge` shows badges of the target `about` (None: of all), `page` opens the
    status page `about`.
    """

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{8}\Z")]
    name: Name
    use: Literal["ping", "badge", "page"]
    secret: Digest
    about: Name | None = None
    teams: Names = ()
    tags: Names = ()
    owner: Name
    created_at: Millis
    expires_at: Millis | None = None


Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\Z")]
PublicText = Annotated[str, Meta(max_length=5_000)]
PublicName = Annotated[str, Meta(min_length=1, max_length=100)]


class StatusComponent(Struct, frozen=True, gc=False, kw_only=True):
    """A line of a status page: the worst of its targets under a public name.

    `id` stays when the name changes: badges, feeds and posts name it.
    """

    id: Slug
    name: PublicName
    targets: Annotated[tuple[TargetId, ...], Meta(min_length=1, max_length=1_000)]
    description: PublicText = ""


class StatusGroup(Struct, frozen=True, gc=False, kw_only=True):
    """Components under a heading; without a name there is none."""

    components: Annotated[tuple[StatusComponent, ...], Meta(max_length=1_000)]
    name: Annotated[str, Meta(max_length=100)] = ""


class StatusPage(_Edit, frozen=True, gc=False, kw_only=True, tag_field="web", tag="status_page"):
    """A status page at `/status/SLUG`; what is on it, in its order.

    `access`: `public` for everybody, `locked` for who knows the `password` (an argon2id hash) or
    has a key. `days` of history are shown. `contact` is a link (https, http or mailto).
    """

    slug: Slug
    title: PublicName
    groups: Annotated[tuple[StatusGroup, ...], Meta(max_length=100)]
    description: PublicText = ""
    access: Literal["public", "locked"] = "public"
    password: Text | None = None
    days: Annotated[int, Meta(ge=1, le=90)] = 90
    show_uptime: bool = True
    show_response_times: bool = False
    contact: Annotated[str, Meta(max_length=500)] = ""


PostState = Literal[
    "investigating",
    "identified",
    "monitoring",
    "resolved",
    "scheduled",
    "in_progress",
    "completed",
]
Impact = Literal["none", "minor", "major", "critical", "maintenance"]


class PostUpdate(Struct, frozen=True, gc=False, kw_only=True):
    """One entry of a post's timeline; `text` is Markdown without HTML."""

    at: Millis
    state: PostState
    text: PublicText
    by: Name


class StatusPost(_Edit, frozen=True, gc=False, kw_only=True, tag_field="web", tag="status_post"):
    """What people write on status pages: of an incident, or of planned work.

    `pages` are slugs, `components` `PAGE/COMPONENT`. The newest of `updates` is last. `starts_at`
    and `ends_at` are those of planned work, or when an incident began and ended (None: not yet).
    `incident_id` is the one from which it was drafted; it is shown to nobody outside.
    """

    id: Nonce
    pages: Annotated[tuple[Slug, ...], Meta(min_length=1, max_length=100)]
    sort: Literal["incident", "maintenance"]
    title: PublicName
    impact: Impact
    components: Annotated[tuple[Name, ...], Meta(max_length=1_000)] = ()
    updates: Annotated[tuple[PostUpdate, ...], Meta(min_length=1, max_length=200)]
    starts_at: Millis
    ends_at: Millis | None = None
    incident_id: Name | None = None
    created_at: Millis


class Request(_Edit, frozen=True, gc=False, kw_only=True, tag_field="web", tag="request"):
    """A request with an Idempotency-Key; version 1 claims the key, version 2 has the answer.

    `key` is the SHA-256 of who asked and the key, `asked` that of method, path and body.
    """

    key: Digest
    asked: Digest
    status: Annotated[int, Meta(ge=0, le=599)] = 0
    answer: LongText = ""


class Session(Struct, frozen=True, gc=False, kw_only=True, tag_field="web", tag="session"):
    """A person who has signed in; `id` is the SHA-256 of the cookie.

    `user` is that of a User with `epoch`; one who came by OIDC has what the provider said.
    """

    id: Digest
    user: Name
    via: Literal["password", "oidc"]
    epoch: Count = 0
    scope: Scope = "viewer"
    teams: Names = ()
    tags: Names = ()
    created_at: Millis
    seen_at: Millis
    expires_at: Millis


class Lockout(Struct, frozen=True, gc=False, kw_only=True, tag_field="web", tag="lockout"):
    """Failed attempts to sign in as `id` (the SHA-256 of the name, or of the address)."""

    id: Digest
    failures: Annotated[int, Meta(ge=0, le=10**9)]
    last_at: Millis
    until: Millis


class Invitation(Struct, frozen=True, gc=False, kw_only=True, tag_field="web", tag="invitation"):
    """A link that makes one user, once; `id` is the SHA-256 of its secret."""

    id: Digest
    scope: Scope
    teams: Names = ()
    tags: Names = ()
    by: Name
    expires_at: Millis


class TokenSeen(Struct, frozen=True, gc=False, kw_only=True, tag_field="web", tag="token_seen"):
    """The last use of a token, to the hour."""

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{8}\Z")]
    at: Millis


class SessionUse(Struct, frozen=True, gc=False, kw_only=True, tag_field="web", tag="session_use"):
    """The last use of a session, if it is later than its `seen_at`.

    A record of its own: one that wrote the whole session anew could bring back a session that was
    ended at the same moment.
    """

    id: Digest
    at: Millis


class IncidentNote(Struct, frozen=True, gc=False, kw_only=True, tag_field="web", tag="note"):
    """What a person wrote beside an incident; `id` is its own."""

    id: Nonce
    incident_id: Name
    at: Millis
    by: Name
    text: Text


class Audit(Struct, frozen=True, gc=False, kw_only=True, tag_field="web", tag="audit"):
    """One change: who did what to what, when. `detail` is one sentence without secrets.

    `id` is the `change` of the edits, or one of its own. `before` and `after` are JSON of the
    object without secrets, empty where there was none.
    """

    id: Nonce
    at: Millis
    by: Name
    action: Name
    about: Text
    detail: Note = ""
    before: LongText = ""
    after: LongText = ""


class Bulk(Struct, frozen=True, gc=False, kw_only=True, tag_field="web", tag="bulk"):
    """A bulk change that can be undone; `id` is the `change` of its edits.

    `targets` are the ids that it changed, `made` the version of each of them then (0: paused or
    resumed, which has no version), `before` the JSON of what each was (empty: there was none). It
    is written before the edits; of those that were refused, another `change` has the version. What
    is long is in several records, numbered by `part` up to `parts`. `undone_at` is when `undone_by`
    put it back; absent in changes that nobody has.
    """

    id: Nonce
    at: Millis
    by: Name
    action: Name
    targets: Annotated[tuple[TargetId, ...], Meta(max_length=10_000)]
    made: Annotated[tuple[Made, ...], Meta(max_length=10_000)] = ()
    before: Annotated[tuple[LongText, ...], Meta(max_length=10_000)] = ()
    undone_by: Name | None = None
    undone_at: Millis | UnsetType = UNSET
    part: Annotated[int, Meta(ge=0, le=100_000)] = 0
    parts: Annotated[int, Meta(ge=1, le=100_001)] = 1


class Claim(Struct, frozen=True, gc=False, kw_only=True, tag_field="web", tag="claim"):
    """Ids that an `inventory apply` of `source` is about to add; removed when it has.

    Those of the source `web` are ids that a process of the page is about to write to [targets]: of
    a process that was killed, others finish that. A claim that stays counts for `CLAIM_MS` of the
    broker's time after its record.
    """

    id: Nonce
    source: Name
    targets: Annotated[tuple[TargetId, ...], Meta(max_length=10_000)]
    part: Annotated[int, Meta(ge=0, le=100_000)] = 0


CLAIM_MS: Final = 600_000

Versioned = (
    User | Token | WrittenTarget | WrittenMaintenance | Request | ShareKey | StatusPage | StatusPost
)
Single = (
    Session | SessionUse | Lockout | Invitation | TokenSeen | IncidentNote | Audit | Bulk | Claim
)
Web = Versioned | Single

_decoder: JsonDecoder[Web] = JsonDecoder(Web)


def identity(record: Web) -> str:
    """`KIND/ID` of the object that a record is of."""
    kind = str(record.__struct_config__.tag)
    match record:
        case User() | WrittenMaintenance():
            return f"{kind}/{record.name}"
        case Request():
            return f"{kind}/{record.key}"
        case StatusPage():
            return f"{kind}/{record.slug}"
        case Claim() | Bulk():
            return f"{kind}/{record.id}.{record.part}"
        case _:
            return f"{kind}/{record.id}"


def key(record: Web, nonce: str = "") -> bytes:
    """The message key. `nonce` (16 hex digits, random) is needed for a versioned record."""
    if isinstance(record, Versioned):
        return f"{identity(record)}/{record.version}/{nonce}".encode()
    return identity(record).encode()


def encode(record: Web) -> bytes:
    """The message value of a record."""
    return msgspec.json.encode(record)


def decode(value: bytes) -> Web:
    """Decodes a value of [web].

    Raises:
        msgspec.DecodeError: not such a record.
    """
    return _decoder.decode(value)
