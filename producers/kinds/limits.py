"""The words by which servers say that they take no more connections.

Real texts of servers are cases in `tests/system/cases/trackers.json`, with their sources.
"""

import re
from typing import Final

from producers.kinds.dialogue import pattern
from schemas.result import Reason

WORDS: Final = (
    rb"(?i:too many|maximum|max(?:\.|imum)? (?:number|connections|clients|users)|max_client_conn"
    rb"|no more connections|connection (?:count|rate)? ?limit"
    rb"|(?:connections?|users?|clients?) limit"
    rb"|limit (?:is |has been |was )?(?:exceeded|reached)|(?:server|service) (?:is )?(?:too )?full"
    rb"|all (?:connections|slots) (?:are )?in use|concurrent connections|try again later, too busy)"
)
"""Part of a regular expression for the text of a refusal, in any case."""


def refusal(before: bytes) -> tuple[re.Pattern[bytes], Reason]:
    """A refusal that begins with `before` (a regular expression) and has such words in its line."""
    text = before + rb"(?P<text>[^\r\n]*" + WORDS + rb"[^\r\n]*)"
    return pattern(text), "too_many_connections"


GREETING_421: Final[tuple[re.Pattern[bytes], Reason]] = (
    # 421 in place of a greeting: no service for us now (RFC 5321, section 3.8; RFC 959, section
    # 5.4). Whatever its text, that is what servers say at their limit.
    pattern(rb"(?:[0-9]{3}-.*\n)?421(?:[ -](?P<text>[^\r\n]*)|\r?\n)"),
    "too_many_connections",
)
"""A greeting of SMTP or FTP that refuses every service for now."""

NUMBERED: Final = refusal(rb"[45][0-9]{2}[ -]")
"""A refusal of SMTP or FTP with such words."""
