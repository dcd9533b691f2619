"""The header Authorization of a request: basic (RFC 7617) or bearer (RFC 6750)."""

import re
from base64 import b64encode
from typing import Final

from producers.kinds.check_context import CheckContext
from schemas.probe import BasicAuth

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def authorization(
    context: CheckContext, basic_auth: BasicAuth | None, bearer: str | None
) -> str | None:
    """The value with its secrets, None without either.

    Raises:
        CheckFailedError: `secret_missing`.
    """
    if basic_auth is not None:
        user = context.reveal(basic_auth.username, "basic_auth.username")
        password = context.reveal(basic_auth.password, "basic_auth.password")
        return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
    if bearer is not None:
        return f"Bearer {context.reveal(bearer, 'bearer')}"
    return None


def check_authorization(
    basic_auth: BasicAuth | None, bearer: str | None, headers: dict[str, str]
) -> None:
    """Checks these options of an inventory.

    Raises:
        ValueError: the first error of them.
    """
    names = []
    if basic_auth is not None:
        names.append("basic_auth")
        if ":" in basic_auth.username:
            text = "basic_auth.username: expected a name without a colon (RFC 7617), found one"
            raise ValueError(text)
    if bearer is not None:
        names.append("bearer")
    names += [name for name in headers if name.lower() == "authorization"]
    if len(names) > 1:
        raise ValueError(
            f"expected one of basic_auth, bearer and the header, found {' and '.join(names)}"
        )
    for name, text in (
        ("basic_auth.username", basic_auth.username if basic_auth else ""),
        ("basic_auth.password", basic_auth.password if basic_auth else ""),
        ("bearer", bearer or ""),
    ):
        if _CONTROL.search(text):
            raise ValueError(f"{name}: expected one line without control characters")
