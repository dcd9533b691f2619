"""LDAP (RFC 4511): an anonymous bind, StartTLS (section 4.14), implicit TLS.

A directory that lets no stranger bind says so with a result of its own, and is up. The results are
those of RFC 4511, appendix A.
"""

from typing import Final

from producers.checks.os_errors import shown
from producers.kinds import ber
from producers.kinds.ber import BerError
from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import MOST_BYTES, NotThisError
from producers.kinds.limits import WORDS

_BIND_RESPONSE: Final = 0x61
_EXTENDED_RESPONSE: Final = 0x78
_START_TLS: Final = b"1.3.6.1.4.1.1466.20037"
_NAMES: Final = {
    1: "operationsError",
    2: "protocolError",
    7: "authMethodNotSupported",
    8: "strongerAuthRequired",
    11: "adminLimitExceeded",
    13: "confidentialityRequired",
    48: "inappropriateAuthentication",
    49: "invalidCredentials",
    50: "insufficientAccessRights",
    51: "busy",
    52: "unavailable",
    53: "unwillingToPerform",
    80: "other",
}
# No stranger may bind, not in this way, or not without TLS: 389 Directory Server, OpenLDAP and
# others say it with different ones of these.
_NO_STRANGERS: Final = rb"[\x07\x08\x0d\x30\x31\x32\x35]"

# A length: one byte, or up to four behind their number. Active Directory always sends four.
_LENGTH: Final = rb"(?:[\0-\x7f]|\x81.|\x82.{2}|\x83.{3}|\x84.{4})"


def _message(number: int, operation: bytes) -> bytes:
    return ber.encoded(ber.SEQUENCE, ber.integer(number), operation)


def _answer(number: int, tag: int, code: bytes) -> bytes:
    """A regular expression: the answer to this message, with such a result code."""
    envelope = rb"\x30" + _LENGTH + rb"\x02(?:\x01|\x02\0|\x04\0\0\0)" + bytes([number])
    return envelope + b"[" + bytes([tag]) + b"]" + _LENGTH + rb"\x0a\x01" + code


def _frame(data: bytes) -> int | None:
    """A message; what is no SEQUENCE, or is longer than any answer to a bind, is not LDAP."""
    if data[:1] not in {b"", b"\x30"}:
        raise NotThisError
    try:
        size = ber.size_of(data)
    except BerError as error:
        raise NotThisError from error
    if size is not None and size > MOST_BYTES:
        raise NotThisError
    return size if size is not None and len(data) >= size else None


def _words(answer: bytes) -> str:
    """The result of an answer with the server's own words: `unavailable (52): shutting down`."""
    try:
        message, _ = ber.read(answer, ber.SEQUENCE)
        _, rest = ber.read_integer(message.content)
        operation, _ = ber.read(rest)
        code, rest = ber.read_integer(operation.content, ber.ENUMERATED)
        _, rest = ber.read(rest)
        said, _ = ber.read(rest, ber.OCTET_STRING)
    except BerError:
        return shown(answer)
    name = f"{_NAMES[code]} ({code})" if code in _NAMES else f"result {code}"
    return f"{name}: {shown(said.content)}" if said.content else name


def _tell(answer: bytes) -> str | None:
    """The result, if it is another than success."""
    words = _words(answer)
    return None if words.startswith("result 0") else words


# A message without a question (number 0): the server is about to close (section 4.4.1).
_NOTICE: Final = _answer(0, _EXTENDED_RESPONSE, b".")
_AT_LIMIT: Final = rb".{2,12}[^\0]{0,255}" + WORDS


def _bind(number: int) -> DialogueStep:
    refused = _answer(number, _BIND_RESPONSE, rb"(?!\0|" + _NO_STRANGERS + rb").")
    # version 3, no name, no password (section 4.2 and 5.1.1 of RFC 4513)
    request = ber.integer(3) + ber.encoded(ber.OCTET_STRING) + ber.encoded(0x80)
    return DialogueStep(
        name="answer to an anonymous bind",
        send=_message(number, ber.encoded(0x60, request)),
        frame=_frame,
        good=pattern(_answer(number, _BIND_RESPONSE, rb"(?:\0|" + _NO_STRANGERS + rb")")),
        bad=(
            (
                pattern(rb"(?:" + refused + rb"|" + _NOTICE + rb")" + _AT_LIMIT),
                "too_many_connections",
            ),
            (pattern(refused), "unexpected_response"),
            (pattern(_NOTICE), "unexpected_response"),
        ),
        tell=_tell,
        words=_words,
    )


_TLS: Final = DialogueStep(
    name="answer to StartTLS",
    send=_message(1, ber.encoded(0x77, ber.encoded(0x80, _START_TLS))),
    frame=_frame,
    good=pattern(_answer(1, _EXTENDED_RESPONSE, rb"\0")),
    bad=(
        (pattern(_answer(1, _EXTENDED_RESPONSE, rb"(?!\0).")), "tls_failed"),
        (pattern(_NOTICE), "unexpected_response"),
    ),
    words=_words,
    tls=True,
)

DIALOGUE: Final = Dialogue(
    protocol="LDAP",
    port=389,
    steps=(_bind(1),),
    starttls=(_TLS, _bind(2)),
    implicit_ports=frozenset({636, 3269}),
    bye=_message(3, ber.encoded(0x42)),
)
