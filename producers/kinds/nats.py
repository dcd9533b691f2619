"""NATS: the server's INFO, CONNECT without a name, and PING.

TLS begins after INFO (`starttls`), or before it on a server with `handshake_first` (`implicit`).
https://docs.nats.io/reference/reference-protocols/nats-protocol
"""

import re
from typing import Final

from msgspec.structs import replace

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import line, lines_to
from producers.kinds.limits import refusal

_VERSION: Final = re.compile(rb'"version": ?"([^"]{1,100})"')
_TLS_REQUIRED: Final = rb'[^\n]*"tls_required": ?true'
_TLS_THERE: Final = rb'[^\n]*"tls_(?:required|available)": ?true'
# errors of server/errors.go by which nobody without a name, or without TLS, may come in
_STRANGER: Final = (
    rb"-ERR '?(?i:authorization (?:violation|timeout)|secure connection - tls required"
    rb"|user authentication|authentication (?:required|timeout))"
)
_CONNECT: Final = (
    b'CONNECT {"verbose":false,"pedantic":false,"tls_required":false,"name":"portquorum",'
    b'"lang":"python","version":"1","protocol":1}\r\nPING\r\n'
)


def _tell(answer: bytes) -> str | None:
    found = _VERSION.search(answer)
    return f"version {found[1].decode('utf-8', 'replace')}" if found else None


def _words(answer: bytes) -> str:
    if answer.startswith(b"INFO"):
        return "the server wants TLS (tls: starttls): nothing was asked of it"
    return answer.decode("utf-8", "replace").strip()


def _no_tls(answer: bytes) -> str:
    if answer.startswith(b"INFO"):
        return "the server offers no TLS"
    return answer.decode("utf-8", "replace").strip()


_REFUSED: Final = (
    refusal(rb"(?:.*\n)?-ERR "),
    (pattern(rb"(?:.*\n)?(?!" + _STRANGER + rb")-ERR (?P<text>[^\r\n]*)"), "unexpected_response"),
)
_INFO: Final = DialogueStep(
    name="INFO",
    frame=line,
    # A server that goes no further without TLS is up, with a remark.
    good=pattern(rb"INFO[ \t]+\{(?P<other>" + _TLS_REQUIRED + rb")?"),
    bad=_REFUSED,
    tell=_tell,
    words=_words,
)
_PONG: Final = DialogueStep(
    name="PONG",
    send=_CONNECT,
    frame=lines_to(b"PONG", b"-ERR"),
    # Who wants a name and a password, or a certificate, is alive.
    good=pattern(rb"(?:.*\n)?(?:PONG(?=\r?\n)|" + _STRANGER + rb")"),
    bad=_REFUSED,
)

_SECURE_INFO: Final = DialogueStep(
    name="INFO",
    frame=line,
    good=pattern(rb"INFO[ \t]+\{"),
    bad=_REFUSED,
    tell=_tell,
)
_BEFORE_TLS: Final = DialogueStep(
    name="INFO",
    frame=line,
    good=_SECURE_INFO.good,
    bad=(*_REFUSED, (pattern(rb"(?!INFO" + _TLS_THERE + rb")INFO[ \t]+\{"), "tls_failed")),
    tell=_tell,
    words=_no_tls,
    tls=True,
)

DIALOGUE: Final = Dialogue(
    protocol="NATS",
    port=4222,
    steps=(_INFO, replace(_PONG, when=pattern(rb"(?!INFO" + _TLS_REQUIRED + rb")"))),
    starttls=(_BEFORE_TLS, _PONG),
    in_tls=(_SECURE_INFO, _PONG),
)
