"""MySQL and MariaDB: the greeting, and a refused login.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html

A client that closes in the middle counts as a failed connect, and after `max_connect_errors` of
them the server refuses all connections of that host: a monitor must finish the login. A refused
login does not count.
"""

import re
import struct
from typing import Final

from producers.kinds import access
from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import sized
from schemas.result import Reason

_PACKET: Final = sized(3, more=4, order="little")

# CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH
_CAPABILITIES: Final = 0x1 | 0x200 | 0x8000 | 0x80000
_SSL: Final = 0x800
# Errors that refuse our login and prove that the server is up: 1044, 1045, 1698 access denied, 1130
# our host, 1251 and 1524 another authentication, 1820 and 1862 an old password, 3118 and 4151 a
# locked user, 3159 TLS only, 2012 an unknown user of Vitess and Dolt. In the packet the low byte
# comes first.
_CODES: Final = b"|".join(
    re.escape(struct.pack("<H", code))
    for code in (1044, 1045, 1130, 1251, 1524, 1698, 1820, 1862, 2012, 3118, 3159, 4151)
)
# The SQL state of a refused login is 28000, whatever the code (Azure's gateway: 9000 to 9009).
# PlanetScale's demand for TLS is the unknown error 1105.
_NO_ACCESS: Final = (
    rb"(?:(?:" + _CODES + rb")|..#28000|..(?:#.{5})?[^\0]{0,200}" + access.TLS + rb")"
)
_MOST: Final = 1 << 24
_UTF8: Final = 33


def _packet(number: int, payload: bytes) -> bytes:
    return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload


def _head(capabilities: int) -> bytes:
    return struct.pack("<IIB23x", capabilities, _MOST, _UTF8)


def _login(number: int, capabilities: int) -> bytes:
    return _packet(
        number, _head(capabilities) + b"portquorum\0" + b"\0" + b"mysql_native_password\0"
    )


_GREETS: Final = rb"...\0\x0a(?P<banner>[ -~]{1,64})\0.{4}"
# An error before the greeting has no SQL state. 1130: nobody may come from our host; the server is
# alive, and there is no login to be refused.
_HOST: Final = rb"...\0\xff\x6a\x04"
# 1040 too many connections, 1203 and 1226 too many of one user.
_LIMITS: Final = rb"(?:\x10\x04|\xb3\x04|\xca\x04)"
_TOO_MANY: Final = pattern(rb"...\0\xff" + _LIMITS + rb"(?:#.{5})?(?P<text>.*)")

_GREETING: Final = DialogueStep(
    name="greeting",
    frame=_PACKET,
    good=pattern(_GREETS + rb"|" + _HOST),
    bad=(
        (_TOO_MANY, "too_many_connections"),
        (pattern(rb"...\0\xff(?!\x6a\x04)..(?:#.{5})?(?P<text>.*)"), "unexpected_response"),
    ),
)
_GREETING_BEFORE_TLS: Final = DialogueStep(
    name="greeting",
    frame=_PACKET,
    good=pattern(_GREETS),
    bad=(
        (_TOO_MANY, "too_many_connections"),
        (pattern(rb"...\0\xff..(?:#.{5})?(?P<text>.*)"), "unexpected_response"),
    ),
)


def _login_steps(number: int, capabilities: int) -> tuple[DialogueStep, ...]:
    bad: tuple[tuple[re.Pattern[bytes], Reason], ...] = (
        (pattern(rb"....\xff" + _LIMITS + rb"(?:#.{5})?(?P<text>.*)"), "too_many_connections"),
        (
            pattern(rb"....\xff(?!" + _NO_ACCESS + rb")..(?:#.{5})?(?P<text>.*)"),
            "unexpected_response",
        ),
    )
    return (
        DialogueStep(
            name="answer to the login",
            when=None if capabilities & _SSL else pattern(rb"...\0\x0a"),
            send=_login(number, capabilities),
            frame=_PACKET,
            good=pattern(rb"....(?:\xff" + _NO_ACCESS + rb"|\xfe|\0)"),
            bad=bad,
        ),
        # The server wants another way of authentication: an empty answer ends it.
        DialogueStep(
            name="end of the login",
            when=pattern(rb"....\xfe"),
            send=_packet(number + 2, b""),
            frame=_PACKET,
            good=pattern(rb"....[\xff\0\xfe\x01]"),
        ),
    )


DIALOGUE: Final = Dialogue(
    protocol="MySQL",
    port=3306,
    implicit=False,
    steps=(_GREETING, *_login_steps(1, _CAPABILITIES)),
    starttls=(
        _GREETING_BEFORE_TLS,
        DialogueStep(name="TLS", send=_packet(1, _head(_CAPABILITIES | _SSL)), tls=True),
        *_login_steps(2, _CAPABILITIES | _SSL),
    ),
)
