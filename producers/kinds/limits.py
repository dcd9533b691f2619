"""The words by which servers say that they take no more connections.

Real texts of servers are in `tests/unit/producers/kinds/test_limits.py`, with their sources.
"""

import re
from typing import Final

from producers.kinds.dialogue import pattern
from schemas.result import Reason

# "Too many" of something else, or its maximum, is a refusal for another cause.
_OTHERS: Final = (
    rb"(?! (?:[a-z]+ ){0,3}(?:errors|commands|recipients|failures|attempts|failed|bad|invalid))"
)
WORDS: Final = (
    rb"(?i:(?:too many|maximum)"
    + _OTHERS
    + rb"|max\.? (?:number|connections?|clients?|client connections|users)|max_client_conn"
    rb"|no more connections|connections exceeded|connections? (?:count |rate )?limit"
    rb"|(?:user|client|session)s? limit"
    rb"|(?:limit|concurrency) (?:is |has been |was )?(?:exceeded|reached)"
    rb"|(?:server|service) (?:is )?(?:too )?full"
    rb"|all (?:connections|slots) (?:are )?in use|concurrent connections)"
)
"""Part of a regular expression for the text of a refusal, in any case."""

_LINE: Final = rb"[^\r\n]{0,400}"


def refusal(before: bytes) -> tuple[re.Pattern[bytes], Reason]:
    """A refusal that begins with `before` (a regular expression) and has such words in its line."""
    text = before + rb"(?P<text>" + _LINE + WORDS + _LINE + rb")"
    return pattern(text), "too_many_connections"


GREETING_421: Final[tuple[re.Pattern[bytes], Reason]] = (
    # 421 in place of a greeting: no service for us now (RFC 5321, section 3.8; RFC 959, section
    # 5.4). Whatever its text, that is what servers say at their limit.
    pattern(rb"(?:[0-9]{3}-.*\n)?421(?:[ -](?P<text>[^\r\n]*)|\r?\n)"),
    "too_many_connections",
)
"""A greeting of SMTP or FTP that refuses every service for now."""

END: Final = rb"(?:[ -]|\r?\n)"
"""The character after the code of a reply of SMTP or FTP."""

NUMBERED: Final = refusal(rb"(?:[45][0-9]{2}-[^\n]*\n){0,20}?[45][0-9]{2}[ -]")
"""A refusal of SMTP or FTP with such words in one of its lines."""

GOES_AWAY: Final[tuple[tuple[re.Pattern[bytes], Reason], ...]] = (
    NUMBERED,
    (pattern(rb"(?:[0-9]{3}-.*\n)?(?P<text>421[^\r\n]*)"), "unexpected_response"),
)
"""A server of SMTP or FTP that closes in place of an answer."""

REFUSED: Final = rb"(?P<text>[45][0-9]{2}(?:[ -][^\r\n]*|\r?\n))"
"""Any refusal of SMTP or FTP, as part of a regular expression."""

_TOO_MANY: Final = re.compile(WORDS)


def says_too_many(text: bytes) -> bool:
    """Whether a refusal in words says that there are too many connections."""
    return _TOO_MANY.search(text) is not None
