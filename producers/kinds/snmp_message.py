"""Messages of SNMP: a GET of versions 1 and 2c (RFC 1157, 3416), the discovery of 3 (RFC 3414)."""

import ipaddress
import secrets
from typing import Final

from msgspec import Struct

from producers.kinds import ber
from producers.kinds.ber import Value

_VERSIONS: Final = {"1": 0, "2c": 1, "3": 3}
_GET: Final = 0xA0
_RESPONSE: Final = 0xA2
_REPORT: Final = 0xA8
_NULL: Final = b"\x05\0"
_REPORTABLE: Final = b"\x04"
_USER_BASED: Final = 3
_MOST_BYTES: Final = 65_507
_LATEST: Final = 0x7FFFFFFF
_ERRORS: Final = {
    1: "tooBig",
    2: "noSuchName",
    3: "badValue",
    4: "readOnly",
    5: "genErr",
    6: "noAccess",
    13: "resourceUnavailable",
    16: "authorizationError",
}
# In place of a value (RFC 3416, section 3).
_NO_VALUE: Final = {0x80: "noSuchObject", 0x81: "noSuchInstance", 0x82: "endOfMibView"}
_ADDRESS: Final = 0x40
_UNSIGNED: Final = frozenset({0x41, 0x42, 0x43, 0x46, 0x47})
"""Counter32, Gauge32, TimeTicks, Counter64, Unsigned32."""


class Answer(Struct, frozen=True, gc=False):
    """An agent's answer: a value as text, or why there is none."""

    text: str = ""
    wrong: str | None = None


class Get:
    """The question for one value, with a number of its own. `version`: 1 or 2c."""

    def __init__(self, version: str, community: bytes, oid: str) -> None:
        self._version = _VERSIONS[version]
        self._number = 1 + secrets.randbelow(_LATEST)
        self._oid = ber.object_identifier(oid)
        binding = ber.encoded(ber.SEQUENCE, self._oid, _NULL)
        self.message = ber.encoded(
            ber.SEQUENCE,
            ber.integer(self._version),
            ber.encoded(ber.OCTET_STRING, community),
            _get(self._number, binding),
        )

    def read(self, data: bytes) -> Answer | None:
        """The answer to it; None for an answer to something else.

        Raises:
            BerError: it is no answer of these versions.
        """
        message, _ = ber.read(data, ber.SEQUENCE)
        version, rest = ber.read_integer(message.content)
        _, rest = ber.read(rest, ber.OCTET_STRING)
        answer, _ = ber.read(rest, _RESPONSE)
        number, rest = ber.read_integer(answer.content)
        if version != self._version or number != self._number:
            return None
        error, rest = ber.read_integer(rest)
        if error:
            return Answer(wrong=_ERRORS.get(error, f"error {error}"))
        _, rest = ber.read_integer(rest)
        bindings, _ = ber.read(rest, ber.SEQUENCE)
        binding, _ = ber.read(bindings.content, ber.SEQUENCE)
        name, rest = ber.read(binding.content, ber.OBJECT_IDENTIFIER)
        value, _ = ber.read(rest)
        if ber.encoded(name.tag, name.content) != self._oid:
            return Answer(wrong=f"the value of {ber.dotted(name.content)}")
        if value.tag in _NO_VALUE:
            return Answer(wrong=_NO_VALUE[value.tag])
        return Answer(text_of(value))


class Discovery:
    """The question for the engine's id of an agent of version 3, which needs no user.

    RFC 3414, section 4; the message is that of RFC 3412, section 6.
    """

    def __init__(self) -> None:
        self._number = 1 + secrets.randbelow(_LATEST)
        nothing = ber.encoded(ber.OCTET_STRING)
        zero = ber.integer(0)
        user = ber.encoded(ber.SEQUENCE, nothing, zero, zero, nothing, nothing, nothing)
        self.message = ber.encoded(
            ber.SEQUENCE,
            ber.integer(_VERSIONS["3"]),
            ber.encoded(
                ber.SEQUENCE,
                ber.integer(self._number),
                ber.integer(_MOST_BYTES),
                ber.encoded(ber.OCTET_STRING, _REPORTABLE),
                ber.integer(_USER_BASED),
            ),
            ber.encoded(ber.OCTET_STRING, user),
            ber.encoded(ber.SEQUENCE, nothing, nothing, _get(self._number, b"")),
        )

    def read(self, data: bytes) -> Answer | None:
        """The answer to it; None for an answer to something else.

        Raises:
            BerError: it is no answer of this version.
        """
        message, _ = ber.read(data, ber.SEQUENCE)
        version, rest = ber.read_integer(message.content)
        header, rest = ber.read(rest, ber.SEQUENCE)
        number, _ = ber.read_integer(header.content)
        if version != _VERSIONS["3"] or number != self._number:
            return None
        security, rest = ber.read(rest, ber.OCTET_STRING)
        scoped, _ = ber.read(rest, ber.SEQUENCE)
        _, rest = ber.read(scoped.content, ber.OCTET_STRING)
        _, rest = ber.read(rest, ber.OCTET_STRING)
        ber.read(rest, _REPORT)
        user, _ = ber.read(security.content, ber.SEQUENCE)
        engine, rest = ber.read(user.content, ber.OCTET_STRING)
        if not engine.content:
            return Answer(wrong="a report without an engine's id")
        boots, rest = ber.read_integer(rest)
        seconds, _ = ber.read_integer(rest)
        return Answer(f"engine {engine.content.hex()}, boots {boots}, up {seconds} s")


def text_of(value: Value) -> str:
    """A value as text: a number in decimal, a string as it is, other bytes as `0x0a1b`.

    Raises:
        BerError: its content is not of its type.
    """
    tag, content = value.tag, value.content
    if tag == ber.INTEGER:
        return str(ber.integer_of(content))
    if tag in _UNSIGNED:
        number = ber.integer_of(content)
        # Some agents leave out the zero before a number whose first bit is set.
        return str(number if number >= 0 else number + (1 << 8 * len(content)))
    if tag == ber.OBJECT_IDENTIFIER:
        return ber.dotted(content)
    if tag == _ADDRESS and len(content) == 4:
        return str(ipaddress.IPv4Address(content))
    if tag == ber.OCTET_STRING:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            pass
        else:
            if text.translate(_BLANKS).isprintable():
                return text
    return f"0x{content.hex()}" if content else ""


_BLANKS: Final = dict.fromkeys(map(ord, "\t\r\n"), " ")


def _get(number: int, *bindings: bytes) -> bytes:
    listed = ber.encoded(ber.SEQUENCE, *bindings)
    return ber.encoded(_GET, ber.integer(number), ber.integer(0), ber.integer(0), listed)
