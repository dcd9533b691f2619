"""AMQP: the protocol header of 0-9-1 (RabbitMQ), answered by Connection.Start.

A broker that speaks another version only answers with the header of that. With `version: "1.0"` the
header of AMQP 1.0 with its security layer, answered by the same and the mechanisms for a login.

https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf, sections 2.2.4 and 4.2
https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-security-v1.0-os.html, section 5.3
"""

import re
import struct
from typing import Final

from producers.checks.os_errors import shown
from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import MOST_BYTES, NotThisError, sized
from producers.kinds.limits import WORDS

_HEADER: Final = b"AMQP\0\0\x09\x01"
_FRAME_END: Final = 0xCE
_START: Final = b"\x01\0\0"


def _frame(data: bytes) -> int | None:
    """A frame, or the protocol header of a server with another version."""
    if data.startswith(b"AMQP"):
        return 8 if len(data) >= 8 else None
    if not data.startswith(_START[: len(data)]):
        raise NotThisError
    if len(data) < 7:
        return None
    end = 7 + int.from_bytes(data[3:7], "big") + 1
    if end > MOST_BYTES:
        raise NotThisError
    if len(data) < end:
        return None
    if data[end - 1] != _FRAME_END:
        raise NotThisError
    return end


def _product(answer: bytes) -> str | None:
    """Product and version from the server's properties: long strings of a field table."""
    words = []
    for name in (b"\x07product", b"\x07version"):
        found = re.search(name + rb"S\0\0\0(.)", answer, re.DOTALL)
        if found:
            words.append(answer[found.end() : found.end() + found[1][0]].decode("utf-8", "replace"))
    return " ".join(words) or None


def _words(answer: bytes) -> str:
    """A protocol header (AMQP 1.0, section 2.2; 0-9-1, section 4.2.2) or a refusal in words."""
    if answer.startswith(_START):
        return _close_text(answer[11:])
    if not answer.startswith(b"AMQP") or len(answer) < 8:
        return shown(answer)
    return _version_of(answer, "0-9-1")


def _version_of(answer: bytes, wanted: str) -> str:
    identity, *numbers = answer[4:8]
    if identity in {0, 2, 3} and numbers == [1, 0, 0]:
        layer = {0: "", 2: " (over TLS)", 3: " (SASL)"}[identity]
        version = f"1.0{layer}"
    elif identity == 1:
        version = f"{numbers[1]}-{numbers[2]}"
    else:
        version = "-".join(map(str, numbers))
    return f"the server speaks AMQP {version}, not {wanted}"


def _close_text(arguments: bytes) -> str:
    """Code and text of Connection.Close: a number of two bytes, a string with its length before."""
    if len(arguments) < 3:
        return shown(arguments)
    code, length = struct.unpack(">HB", arguments[:3])
    return f"{code} {shown(arguments[3 : 3 + length])}"


_SASL: Final = b"AMQP\x03\x01\0\0"
_TLS: Final = b"AMQP\x02\x01\0\0"
# "A list of symbols", "a symbol": each with a size of one or four bytes (types, section 1.6).
_SYMBOL: Final = re.compile(rb"[A-Z][A-Z0-9_-]{1,19}")


def _header(data: bytes) -> int | None:
    """A protocol header, which has eight bytes."""
    if not data.startswith(b"AMQP"[: len(data)]):
        raise NotThisError
    return 8 if len(data) >= 8 else None


def _mechanisms(answer: bytes) -> str | None:
    """The ways to log in: `SASL PLAIN, ANONYMOUS`."""
    names = [name.decode() for name in _SYMBOL.findall(answer[11:])]
    return f"SASL {', '.join(names)}" if names else None


def _other(answer: bytes) -> str:
    if answer == _TLS:
        return "the server wants TLS (tls: implicit)"
    return _version_of(answer, "1.0")


# A broker without a security layer answers with the header of plain AMQP 1.0, one that wants TLS
# with that of TLS (sections 2.2, 5.2, 5.3).
_ANY_1_0: Final = rb"AMQP[\0\x02\x03]\x01\0\0"
_VERSION_1_0: Final = Dialogue(
    protocol="AMQP",
    version="1.0",
    port=5672,
    steps=(
        DialogueStep(
            name="header of version 1.0",
            send=_SASL,
            frame=_header,
            good=pattern(rb"(?:(?P<other>" + re.escape(_TLS) + rb")|" + _ANY_1_0 + rb")"),
            bad=((pattern(rb"AMQP(?!" + _ANY_1_0[4:] + rb")"), "unexpected_response"),),
            words=_other,
        ),
        DialogueStep(
            name="list of SASL mechanisms",
            when=pattern(re.escape(_SASL)),
            frame=sized(4),
            # a frame of SASL (type 1), its descriptor as a small or a large number: 0x40
            good=pattern(
                rb".{4}.\x01.{2}.{0,60}?\0"
                rb"(?:\x53\x40|\x80\0{7}\x40|\xa3\x19amqp:sasl-mechanisms:list)"
            ),
            tell=_mechanisms,
        ),
    ),
)

DIALOGUE: Final = Dialogue(
    protocol="AMQP",
    version="0-9-1",
    others=(_VERSION_1_0,),
    port=5672,
    implicit_ports=frozenset({5671}),
    steps=(
        DialogueStep(
            name="Connection.Start",
            send=_HEADER,
            frame=_frame,
            # A broker of AMQP 1.0 or 0-10 answers with its own header: up, with a remark.
            good=pattern(
                rb"(?:\x01\0\0.{4}\0\x0a\0\x0a|(?P<other>AMQP(?:[\0\x02\x03]\x01\0\0|\x01\x01\0\x0a)))"
            ),
            bad=(
                # Who sends our own header back is no broker.
                (pattern(_HEADER), "protocol_mismatch"),
                (pattern(rb"AMQP(?![\0\x02\x03]\x01\0\0|\x01\x01\0\x0a)"), "unexpected_response"),
                # Connection.Close in place of Connection.Start
                (
                    pattern(rb"\x01\0\0.{4}\0\x0a\0\x32.{3}[^\0]{0,255}" + WORDS),
                    "too_many_connections",
                ),
                (pattern(rb"\x01\0\0.{4}\0\x0a\0\x32"), "unexpected_response"),
            ),
            tell=_product,
            words=_words,
        ),
    ),
)
