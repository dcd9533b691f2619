"""How each command of the pages is run: in which order, with which answers, to which exit code.

A pattern is one of a shell over the whole command. Of those that fit the longest one counts.
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

WORDS: Final = "correct horse battery staple"
"""A password."""

FILES: Final = (
    *("acl", "acl *", "import *", "check *", "notify test * --file *", "notify channels*"),
    *("inventory check *", "inventory doc *", "inventory lint *", "inventory schema*"),
)
"""They read files or ask one host; what they write is a file in a folder of their own."""

READING: Final = (
    *("backtest *", "checkpoint", "checkpoint --json", "events", "events *", "explain *"),
    *("health", "health --json", "health --timeout *", "incidents", "incidents *"),
    *("notify dry-run *", "notify test *", "notify why *", "replay *", "report *"),
    *("sql *", "status", "status *", "topics check*", "topics copies *"),
)
"""They show what there is, and may run in any order."""

CHANGING: Final = {
    "users": (
        *("user add ann *", "user add bob --scope *", "user link *", "user list*"),
        *("user set bob --scope *", "user set bob --password", "user set bob --disable"),
        *("user remove bob", "user add bob --password-stdin", "user remove bob --yes"),
    ),
    "tokens": ("token add *", "token list*", "token revoke *"),
    "jobs": (
        *("heartbeat key add *", "heartbeat key list*", "beat *", "heartbeat list*"),
        "heartbeat key revoke *",
    ),
    "silences": ("silence add *", "silence list*", "silence end *"),
    "incidents and pauses": (
        *("ack *", "resolve *", "target pause *", "target list --paused", "target resume *"),
    ),
    "status pages": ("status-page apply *", "status-page export*", "status-page list"),
    "inventories": (
        *("inventory diff *", "inventory apply *", "inventory export*", "target remove *"),
        *("target add *", "target list", "target list --team *"),
    ),
    "drill": ("drill --listen *",),
    "topics": ("topics repair*",),
}
"""Commands that change something; those of a chain run in this order, chains beside each other."""


class Code(NamedTuple):
    """An exit code other than 0."""

    pattern: str
    code: int
    why: str


_OPEN: Final = "an incident of one of them is open"
CODES: Final = (
    Code("check *--kind postgres*", 1, "what listens here does not speak PostgreSQL's protocol"),
    Code("events --open", 1, _OPEN),
    Code("explain *", 1, _OPEN),
    Code("incidents", 1, _OPEN),
    Code("incidents --open*", 1, _OPEN),
    Code("inventory lint *", 1, "there is advice"),
    Code("report slo*", 1, "db1 and prod-db miss the SLO of their team"),
    Code("status", 1, _OPEN),
    Code("status *", 1, _OPEN),
)
SILENT: Final = ("beat *",)
"""They print nothing if all went well."""

_PAGE: Final = """
status_pages:
  shop: {title: Shop, groups: [{components: [{name: Orders, id: orders, targets: [prod-db]}]}]}
"""
GIVEN: Final = {
    "sql --format csv -": "SELECT 1 AS one",
    "status-page apply -": _PAGE,
    "user add bob --password-stdin": WORDS,
}
"""What they read from standard input."""

TYPED: Final = {
    "inventory lint --scan *": ("y",),
    "user add ann *": (WORDS, WORDS),
    "user add bob --scope *": (WORDS, WORDS),
    "user set bob --password": (WORDS, WORDS),
}
"""What somebody types at the terminal at which they ask."""


def fitting(words: Sequence[str], patterns: Iterable[str]) -> str | None:
    """The longest of the patterns that fits the command."""
    line = " ".join(words)
    return max((one for one in patterns if fnmatchcase(line, one)), key=len, default=None)


def code_of(words: Sequence[str]) -> int:
    """The exit code that is expected."""
    codes = {one.pattern: one.code for one in CODES}
    pattern = fitting(words, codes)
    return 0 if pattern is None else codes[pattern]
