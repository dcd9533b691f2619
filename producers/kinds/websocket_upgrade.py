"""The opening handshake of WebSocket: the request, and the answer to it (RFC 6455, section 4).

Pure, so that the rules can be read in one place; the answer's head comes from
`producers.kinds.http_head`, which reads it as leniently as for the kind `http`. The handshake
itself is judged as strictly as browsers do (WHATWG, WebSockets), for what they refuse no user has.
"""

import base64
import binascii
import hashlib
from typing import Final

from producers.checks.errors import CheckFailedError
from producers.checks.os_errors import shown
from producers.kinds.http_head import Head
from producers.kinds.http_request import AGENT

SWITCHING: Final = 101

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FORBIDDEN: Final = 403
_UPGRADE_REQUIRED: Final = 426


def request(
    target: str,
    authority: str,
    key: bytes,
    own: dict[str, tuple[str, str]],
    subprotocols: tuple[str, ...],
) -> bytes:
    """The bytes of the request; `key` are 16 random bytes. No extension is offered.

    `own` are the user's fields, by name in lower case; they replace ours, except those of the
    upgrade itself.
    """
    fields = {"host": ("Host", authority), "user-agent": ("User-Agent", AGENT)}
    fields |= own
    fields |= {
        "upgrade": ("Upgrade", "websocket"),
        "connection": ("Connection", "Upgrade"),
        "sec-websocket-key": ("Sec-WebSocket-Key", base64.b64encode(key).decode()),
        "sec-websocket-version": ("Sec-WebSocket-Version", "13"),
    }
    if subprotocols:
        fields["sec-websocket-protocol"] = ("Sec-WebSocket-Protocol", ", ".join(subprotocols))
    lines = [f"GET {target} HTTP/1.1"]
    lines += [f"{name}: {value.strip()}" for name, value in fields.values()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def refused(head: Head, *, has_origin: bool) -> str | None:
    """The words for an answer that is not 101, None for 101.

    A redirect is not followed: RFC 6455 leaves that to clients, and browsers do not.
    """
    if head.status == SWITCHING:
        return None
    said = [head.phrase] if head.phrase else []
    later = head.value("retry-after")
    if later is not None:
        said.append(f"Retry-After: {shown(later)}")
    versions = head.value("sec-websocket-version")
    if head.status == _UPGRADE_REQUIRED and versions is not None:
        said.append(f"Sec-WebSocket-Version: {shown(versions)}")
    told = f" ({', '.join(said)})" if said else ""
    text = f"expected the status 101 (Switching Protocols), found {head.status}{told}"
    location = next(iter(head.values("location")), b"")
    if head.status in _REDIRECTS and location:
        # The query may have secrets.
        to = shown(location.partition(b"?")[0])
        text += f": a redirect to {to}, which a client of WebSocket does not follow"
    elif head.status == _FORBIDDEN and not has_origin:
        text += ": some servers want an Origin of theirs (headers: {Origin: …})"
    return text


def accepted(head: Head, key: bytes, subprotocols: tuple[str, ...]) -> str | None:
    """Checks an answer with the status 101; the subprotocol that the server has chosen.

    Raises:
        CheckFailedError: `unexpected_response`: a field that a client must refuse.
    """
    if b"websocket" not in _tokens(head, "upgrade"):
        raise _wrong("Upgrade: websocket", "upgrade", head)
    if b"upgrade" not in _tokens(head, "connection"):
        raise _wrong("Connection: Upgrade", "connection", head)
    proof = _proof(key)
    if head.values("sec-websocket-accept") != [proof]:
        raise _wrong(f"Sec-WebSocket-Accept: {proof.decode()}", "sec-websocket-accept", head)
    if _tokens(head, "sec-websocket-extensions"):
        text = "no Sec-WebSocket-Extensions, since none was offered"
        raise _wrong(text, "sec-websocket-extensions", head)
    return _subprotocol(head, subprotocols)


def _subprotocol(head: Head, offered: tuple[str, ...]) -> str | None:
    found = head.values("sec-websocket-protocol")
    chosen = found[0].decode("latin-1") if len(found) == 1 else None
    if not offered and not found:
        return None
    if chosen in offered:
        return chosen
    if not offered:
        text = "no subprotocol, since none was offered (subprotocols)"
    else:
        text = f"one of the subprotocols {', '.join(offered)}"
    raise _wrong(text, "sec-websocket-protocol", head)


def _wrong(expected: str, name: str, head: Head) -> CheckFailedError:
    value = head.value(name)
    found = "none" if value is None else repr(shown(value))
    text = f"the answer to the upgrade: expected {expected}, found {found}"
    return CheckFailedError("unexpected_response", text)


def _tokens(head: Head, name: str) -> list[bytes]:
    value = head.value(name) or b""
    return [one for each in value.lower().split(b",") if (one := each.strip())]


def _proof(key: bytes) -> bytes:
    """RFC 6455, section 4.2.2, step 5."""
    digest = hashlib.sha1(base64.b64encode(key) + _GUID, usedforsecurity=False).digest()
    return binascii.b2a_base64(digest, newline=False)
