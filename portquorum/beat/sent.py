"""A report on its way."""

from typing import NamedTuple


class Sent(NamedTuple):
    """A report: its address and its body."""

    url: str
    body: bytes = b""
