"""PostgreSQL: SSLRequest and the start of a session, up to the authentication request.

https://www.postgresql.org/docs/current/protocol-flow.html, protocol-message-formats.html

There is no goodbye: the server takes the end of the connection for one. Terminate in the middle of
authentication is a protocol violation, which it logs (auth-sasl.c: "expected SASL response, got
message type 88").
"""

import struct
from typing import Final

from producers.kinds import access
from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import MOST_BYTES, NotThisError
from producers.kinds.limits import WORDS

_USER: Final = b"portquorum"
_PARAMETERS: Final = b"user\0" + _USER + b"\0database\0postgres\0application_name\0portquorum\0\0"
_SSL_REQUEST: Final = struct.pack(">II", 8, 80877103)
_STARTUP: Final = struct.pack(">II", 8 + len(_PARAMETERS), 196608) + _PARAMETERS

_AUTHENTICATED: Final = b"R\0\0\0\x08\0\0\0\0"


def _begun(data: bytes) -> int | None:
    """Up to the deciding message: an authentication request, an error, or ReadyForQuery."""
    start = 0
    while len(data) >= start + 5:
        kind = data[start : start + 1]
        size = int.from_bytes(data[start + 1 : start + 5], "big")
        if kind not in b"RESKZNv" or not 4 <= size <= MOST_BYTES:
            raise NotThisError
        end = start + 1 + size
        if len(data) < end:
            return None
        if kind in b"EZ" or (kind == b"R" and data[start:end] != _AUTHENTICATED):
            return end
        start = end
    return None


def _tls_or_not(data: bytes) -> int | None:
    """One byte alone: `S` or `N`. What else comes with it is another protocol's, or an attack."""
    if not data:
        return None
    if data not in {b"S", b"N"}:
        raise NotThisError
    return 1


# The fields of an ErrorResponse: S(everity), V, C(ode), M(essage), each ended by a NUL.
_BEGINS: Final = rb"(?:R\0\0\0\x08\0{4})?E.*\0"
_ERROR: Final = _BEGINS + rb"C(?!28|3D000)[0-9A-Z]{5}\0M"
# Poolers say with other codes that we may not come in: PgBouncer and Odyssey 08P01, CockroachDB
# 08004, PgCat 58000, Supavisor XX000. "server …" is about the server behind the pooler.
_STRANGER: Final = rb"(?!server )[^\0]{0,400}(?:" + access.UNKNOWN + rb"|" + access.TLS + rb")"
_START: Final = DialogueStep(
    name="answer to the startup message",
    send=_STARTUP,
    frame=_begun,
    # 28000, 28P01: our user may not log in; 3D000: no such database. The server is up in each case.
    good=pattern(rb"(?:.*\0C(?:28...|3D000)\0|R|.*Z\0\0\0\x05|" + _ERROR + _STRANGER + rb")"),
    bad=(
        (
            pattern(_BEGINS + rb"C53300\0M(?P<text>[^\0]*)"),
            "too_many_connections",
        ),
        # Poolers say it with other codes: PgBouncer 08P01, Supavisor XX000.
        (
            pattern(_ERROR + rb"(?P<text>[^\0]{0,400}" + WORDS + rb"[^\0]{0,400})"),
            "too_many_connections",
        ),
        (pattern(_ERROR + rb"(?!" + _STRANGER + rb")(?P<text>[^\0]*)"), "unexpected_response"),
        # Before protocol 3, and from the postmaster when it can't start a process.
        (pattern(rb"E(?P<text>(?!\0)[^\0]*)\n\0"), "unexpected_response"),
    ),
)
_SSL: Final = DialogueStep(
    name="answer to SSLRequest",
    send=_SSL_REQUEST,
    frame=_tls_or_not,
    good=pattern(rb"S"),
    bad=(
        (pattern(rb"(?P<text>N)\Z"), "tls_failed"),
        # From the postmaster when it can't start a process.
        (pattern(rb"E(?P<text>(?!\0)[^\0]{1,400})\n\0\Z"), "unexpected_response"),
    ),
    tls=True,
)

DIALOGUE: Final = Dialogue(
    protocol="PostgreSQL",
    port=5432,
    implicit=False,
    steps=(_START,),
    starttls=(_SSL, _START),
)
