"""ZooKeeper and what speaks its protocol (ClickHouse Keeper): the four letters `srvr`.

ZooKeeper answers these whatever its `4lw.commands.whitelist` is, and Keeper unless its
`four_letter_word_white_list` leaves them out, which it does not by default. They need no session,
which would be a transaction of the whole ensemble.
https://zookeeper.apache.org/doc/current/zookeeperAdmin.html#sc_4lw
"""

import re
from typing import Final

from producers.kinds.dialogue import Dialogue, DialogueStep, pattern
from producers.kinds.framing import NotThisError

_WORD: Final = b"srvr"
_LAST_LINE: Final = re.compile(
    rb"^(?:Node count: [0-9]+\r?\n|This (?:ZooKeeper )?instance is not currently serving requests)",
    re.MULTILINE,
)
_BEGINS: Final = re.compile(rb"(?i:[a-z ]{0,40}keeper version:)|This ")
_FIRST: Final = 60
_VERSION: Final = re.compile(rb"(?i:(?:zookeeper|keeper) version): *([^\r\n, -]+)")
_MODE: Final = re.compile(rb"^Mode: ([^\r\n]+)", re.MULTILINE)


def _frame(data: bytes) -> int | None:
    """Up to the last line of the answer; the server closes after it."""
    # Four letters that come back are an echo's.
    known = len(data) >= _FIRST or b"\n" in data or data == _WORD
    if b"\0" in data or (known and not _BEGINS.match(data)):
        raise NotThisError
    found = _LAST_LINE.search(data)
    return None if found is None else found.end()


def _tell(answer: bytes) -> str | None:
    """Version and role: `3.8.0, follower`."""
    found = (_VERSION.search(answer), _MODE.search(answer))
    return ", ".join(one[1].decode("latin-1") for one in found if one) or None


def _words(answer: bytes) -> str:
    if _MODE.search(answer):
        return "the server serves reads only: it has lost the others of its ensemble"
    return answer.decode("latin-1").strip()


DIALOGUE: Final = Dialogue(
    protocol="ZooKeeper",
    port=2181,
    steps=(
        DialogueStep(
            name="answer to srvr",
            send=_WORD,
            frame=_frame,
            good=pattern(
                rb"(?:(?P<other>(?:Zookeeper|[^\r\n:]{0,40}Keeper) version:"
                rb".*\nMode: read-only)|(?i:zookeeper|[^\r\n:]{0,40}keeper) version:)"
            ),
            bad=(
                (pattern(rb"(?P<text>This [^\r\n]*not currently serving)"), "unexpected_response"),
            ),
            tell=_tell,
            words=_words,
        ),
    ),
)
