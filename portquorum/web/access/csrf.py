"""Cross-site request forgery: a form carries a token that only a page of ours can know.

The token is an HMAC of the secret in the browser's cookie (the session, or `portquorum_form` where
there is no session yet), so nothing is stored, and it ends with the cookie. It is checked at one
place, the guard of all routes (`permission`), for every unsafe method. Beside it stands the check
of Origin and Sec-Fetch-Site (foundation/http_origin.py).
"""

import hashlib
import hmac
from typing import Any, Final

from litestar import Request
from litestar.enums import RequestEncodingType

from portquorum.access.principal import Principal

FIELD: Final = "csrf"
"""The field of each form."""
HEADER: Final = "x-csrf-token"
"""The header of a script."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS: Final = (RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART)


def token(secret: str) -> str:
    """The token of a secret of a cookie: 64 hex digits."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


def token_of(principal: Principal) -> str:
    """What a form of this principal has in the field `csrf`; empty for a program."""
    return token(principal.session) if principal.session else ""


async def has_token(request: Request[Any, Any, Any], secret: str) -> bool:
    """True if the header or the form has the token of the secret.

    Raises:
        litestar.exceptions.ClientException: the form can't be read, or is too long.
    """
    given = request.headers.get(HEADER, "")
    if not given and request.content_type[0] in _FORMS:
        await request.body()  # so that the route can read it, too: a stream is read once
        found = (await request.form()).get(FIELD, "")
        given = found if isinstance(found, str) else ""
    return hmac.compare_digest(given.encode(), token(secret).encode())
