"""An acknowledgement that an on-call system knows of. Pure."""

from msgspec import Struct


class ReturnedWord(Struct, frozen=True):
    """Who has it in hand, as the system says it, and a note; both are from outside."""

    by: str
    note: str = ""
