"""The cookies of access: the session, and the secret of the forms of who has none."""

from typing import Final

from litestar.datastructures import Cookie

from portquorum.web.access.asker import Headers, values

SESSION: Final = "portquorum_session"
FORM: Final = "portquorum_form"
"""The secret of the forms of a browser without a session."""


def named(name: str, *, is_secure: bool) -> str:
    """The cookie's name in the browser.

    With TLS it begins with `__Host-`: no other host of the domain and no page without TLS can set
    it (RFC 6265bis, section 4.1.3.2).
    """
    return f"__Host-{name}" if is_secure else name


def cookie(headers: Headers, name: str, *, is_secure: bool) -> str:
    """A cookie's value; empty if there is none, or more than one: somebody may have added it."""
    wanted = named(name, is_secure=is_secure)
    found = []
    for header in values(headers, "cookie"):
        for part in header.split(";"):
            key, _, text = part.strip().partition("=")
            if key == wanted:
                found.append(text)
    return found[0] if len(found) == 1 else ""


def set_cookie(name: str, value: str, *, is_secure: bool, max_age_s: int | None = None) -> Cookie:
    """A cookie that scripts don't see and other sites' forms don't send.

    `max_age_s` None: until the browser is closed; 0: it is removed.
    """
    return Cookie(
        key=named(name, is_secure=is_secure),
        value=value,
        path="/",
        max_age=max_age_s,
        httponly=True,
        samesite="lax",
        secure=is_secure,
    )
