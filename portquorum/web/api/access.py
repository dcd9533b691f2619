"""Who may come in: oneself, users, invitations, tokens, the audit log."""

from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import quote

from litestar import Response, delete, get, post, put
from litestar.params import PathParameter, QueryParameter
from msgspec import Struct

from portquorum.access.principal import Via
from portquorum.changing.office import Office, TokenShown, UserSeen, WantedToken, WantedUser
from portquorum.web.access.needs import needs
from portquorum.web.api.bodies import Asked, body_of
from portquorum.web.api.changes import changes, versioned
from portquorum.web.api.conditions import etag_of, version_wanted
from portquorum.web.api.entries import json_answer
from portquorum.web.api.parameters import Limit
from portquorum.web.api.repeats import TheRepeats
from portquorum.web.parts import TheOffice, ThePrincipal
from portquorum.web.problem import ProblemError
from schemas.web import Audit, Scope

PATH: Final = "/api/v1"
UserName = Annotated[str, PathParameter(description="The user's name.", max_length=100)]
TokenId = Annotated[str, PathParameter(description="The token's id.", max_length=64)]
_LAST: Final = {409: "Somebody else changed it at the same time, or it is the last admin."}


class Me(Struct, frozen=True, kw_only=True):
    """Who asks. `teams` and `tags` limit what may be changed; both empty: no limit."""

    name: str
    scope: Scope
    via: Via
    teams: tuple[str, ...]
    tags: tuple[str, ...]


class UsersAnswer(Struct, frozen=True, kw_only=True):
    """All users, by name."""

    users: tuple[UserSeen, ...]


class TokensAnswer(Struct, frozen=True, kw_only=True):
    """Tokens, without their secrets."""

    tokens: tuple[TokenShown, ...]


class AuditAnswer(Struct, frozen=True, kw_only=True):
    """Changes, the newest first; `next_before` is empty at the end, else `before` of the next."""

    changes: tuple[Audit, ...]
    next_before: str


class InvitationAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the user may do that comes by the invitation."""

    scope: Scope = "viewer"
    teams: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class InvitationMade(Struct, frozen=True, kw_only=True):
    """A link that makes one user, once, within 24 h: `path` behind the address of the page.

    `path` is None in the answer to a repetition: who has it may come in.
    """

    scope: Scope
    teams: tuple[str, ...]
    tags: tuple[str, ...]
    path: str | None


@get("/me", operation_id="me", summary="Who asks", tags=["access"], opt=needs("viewer"))
async def me(principal: ThePrincipal) -> Response[Me]:
    """What you may do with this token or session."""
    return json_answer(
        Me(
            name=principal.name,
            scope=principal.scope,
            via=principal.via,
            teams=principal.teams,
            tags=principal.tags,
        ),
        Cache_Control="no-store",
    )


@get("/users", operation_id="users", summary="All users", tags=["access"], opt=needs("admin"))
async def users(office: TheOffice) -> Response[UsersAnswer]:
    """By name; no password, and no hash of one."""
    return json_answer(UsersAnswer(users=tuple(office.users())), Cache_Control="no-store")


@get(
    "/users/{name:str}",
    operation_id="user",
    summary="One user",
    tags=["access"],
    opt=versioned("admin"),
)
async def user(office: TheOffice, name: UserName) -> Response[UserSeen]:
    """`ETag` is the version."""
    found = _user(office, name)
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no user {name[:100]!r}")
    return json_answer(found, ETag=etag_of(found.version))


@put(
    "/users/{name:str}",
    operation_id="put_user",
    summary="Make or change a user",
    tags=["access"],
    opt=changes("admin", WantedUser, has_version=True, made=True, statuses=_LAST),
)
async def put_user(
    request: Asked, principal: ThePrincipal, office: TheOffice, name: UserName
) -> Response[UserSeen]:
    """A field that is not given stays as it is, or gets its default.

    A user without a password comes by OIDC or a proxy alone. The last admin stays one.
    """
    wanted = await body_of(request, WantedUser)
    found = _user(office, name)
    version = version_wanted(request, 0 if found is None else found.version)
    made = await office.put_user(principal, name, wanted, version)
    if found is not None:
        return json_answer(made, ETag=etag_of(made.version))
    place = f"{PATH}/users/{quote(made.name, safe='')}"
    return json_answer(made, HTTPStatus.CREATED, ETag=etag_of(made.version), Location=place)


@delete(
    "/users/{name:str}",
    operation_id="delete_user",
    summary="Remove a user",
    tags=["access"],
    opt=changes("admin", has_version=True, statuses=_LAST),
)
async def delete_user(
    request: Asked, principal: ThePrincipal, office: TheOffice, name: UserName
) -> None:
    """Their sessions and tokens end."""
    found = _user(office, name)
    version = version_wanted(request, 0 if found is None else found.version)
    await office.remove_user(principal, name, version)


@post(
    "/invitations",
    operation_id="make_invitation",
    summary="Invite somebody",
    tags=["access"],
    opt=changes("admin", InvitationAsked),
)
async def make_invitation(
    request: Asked, principal: ThePrincipal, office: TheOffice, repeats: TheRepeats
) -> Response[InvitationMade]:
    """A link by which somebody chooses a name and a password."""
    asked = await body_of(request, InvitationAsked)

    async def made() -> Response[InvitationMade]:
        secret = await office.invite(principal, asked.scope, asked.teams, asked.tags)
        found = InvitationMade(
            scope=asked.scope,
            teams=asked.teams,
            tags=asked.tags,
            path=f"/welcome?invitation={secret}",
        )
        return json_answer(found, HTTPStatus.CREATED, Cache_Control="no-store")

    return await repeats.once(request, principal, made, sealed=frozenset({"path"}))


@get("/tokens", operation_id="tokens", summary="Tokens", tags=["access"], opt=needs("viewer"))
async def tokens(principal: ThePrincipal, office: TheOffice) -> Response[TokensAnswer]:
    """One's own; an admin without limits sees all."""
    found = tuple(office.tokens(principal))
    return json_answer(TokensAnswer(tokens=found), Cache_Control="no-store")


@post(
    "/tokens",
    operation_id="make_token",
    summary="Make a token",
    tags=["access"],
    opt=changes("viewer", WantedToken),
)
async def make_token(
    request: Asked, principal: ThePrincipal, office: TheOffice, repeats: TheRepeats
) -> Response[TokenShown]:
    """It can do no more than who makes it. `secret` is the token: it is in this answer alone.

    A repetition with the same Idempotency-Key gets no secret: revoke the token, and make another.
    """
    wanted = await body_of(request, WantedToken)

    async def made() -> Response[TokenShown]:
        token = await office.add_token(principal, wanted)
        return json_answer(token, HTTPStatus.CREATED, Cache_Control="no-store")

    return await repeats.once(request, principal, made, sealed=frozenset({"secret"}))


@delete(
    "/tokens/{token_id:str}",
    operation_id="revoke_token",
    summary="Revoke a token",
    tags=["access"],
    opt=changes("viewer"),
)
async def revoke_token(principal: ThePrincipal, office: TheOffice, token_id: TokenId) -> None:
    """One's own, or as an admin: nobody comes in with it any more."""
    await office.revoke_token(principal, token_id)


@get(
    "/audit", operation_id="audit", summary="What was changed", tags=["access"], opt=needs("admin")
)
async def audit(
    office: TheOffice,
    by: Annotated[str, QueryParameter(max_length=255, description="Who changed it.")] = "",
    about: Annotated[str, QueryParameter(max_length=255, description="What was changed.")] = "",
    before: Annotated[
        str, QueryParameter(max_length=64, description="`next_before` of the answer before.")
    ] = "",
    limit: Limit = 100,
) -> Response[AuditAnswer]:
    """Who did what to what, when: the newest first."""
    found = tuple(office.audit(by=by, about=about, before=before, limit=limit))
    following = found[-1].id if len(found) == limit else ""
    return json_answer(AuditAnswer(changes=found, next_before=following), Cache_Control="no-store")


def _user(office: Office, name: str) -> UserSeen | None:
    return next((one for one in office.users() if one.name == name), None)
