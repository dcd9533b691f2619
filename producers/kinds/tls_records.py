"""The progress of a handshake by its TLS records (RFC 5246, section 6.2; RFC 8446, section 5)."""

from typing import Final

_HEADER: Final = 5
_HANDSHAKE: Final = 22
_APPLICATION_DATA: Final = 23
_CERTIFICATE: Final = 11
_TYPES: Final = frozenset(range(20, 25))


def is_tls(start: bytes) -> bool:
    """Whether data begins like TLS: a type of record, then the major version 3."""
    return start[:1] != b"" and start[0] in _TYPES and start[1:2] in {b"", b"\x03"}


def answers_in_tls(start: bytes) -> bool:
    """Whether a server that was not asked in TLS has answered in it: an alert, or a handshake."""
    return start[:1] in {b"\x15", b"\x16"} and start[1:2] == b"\x03"


def has_certificate(flight: bytes) -> bool:
    """Whether what our OpenSSL sends in the handshake has a client's certificate, if empty.

    It has one exactly if the server has asked for it; Python does not tell. Up to TLS 1.2 the
    message is readable. In TLS 1.3 the client's last flight is Finished alone, or Certificate and
    Finished, and OpenSSL writes a record for each message.
    """
    encrypted = at = 0
    while at + _HEADER < len(flight):
        kind = flight[at]
        if kind == _HANDSHAKE and flight[at + _HEADER] == _CERTIFICATE:
            return True
        encrypted += kind == _APPLICATION_DATA
        at += _HEADER + int.from_bytes(flight[at + 3 : at + _HEADER])
    return encrypted > 1
