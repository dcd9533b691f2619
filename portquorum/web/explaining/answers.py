"""What is asked of the reader of the stream's state, and what it answers."""

from pathlib import Path

import msgspec
from msgspec import Struct

from foundation.settings import Settings
from streams.explain import Explanation


class TargetExplained(Struct, frozen=True, kw_only=True):
    """Why a target has an incident or none, as `portquorum explain` says it. Times are UTC ms.

    `explanation` is null if the stream does not know the target. `log_at` is the newest record of
    the target's partition, `checkpoint_at` the stream's newest checkpoint (null: none), `behind`
    the number of records after it that were applied, too. `complete` is false if the log no longer
    has all of them.
    """

    target: str
    partition: int
    explanation: Explanation | None
    log_at: int
    checkpoint_at: int | None
    behind: int
    complete: bool


class Asked(Struct, frozen=True):
    """One question to the process that reads; `settings` have passwords: by a pipe alone."""

    settings: Settings
    target: str
    partition: int


def encoded(asked: Asked) -> bytes:
    """A question as JSON."""
    return msgspec.json.encode(asked, enc_hook=str)


def decoded(text: bytes) -> Asked:
    """The question of a JSON; only paths of the settings are no types of JSON.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return msgspec.json.decode(text, type=Asked, dec_hook=lambda _, path: Path(path))


class Read(Struct, frozen=True, kw_only=True):
    """Its answer: one of the two. `trouble` is a sentence for people."""

    found: TargetExplained | None = None
    trouble: str = ""
