"""What is reached with a key, behind the address of the page. Pure."""

from typing import Final
from urllib.parse import quote

from portquorum.changing.keys import KeyShown

TARGET_ID: Final = "TARGET-ID"
"""Stands for the id of a target, in the address of a key of all of them."""


def path_of(key: KeyShown) -> str:
    """The path (and query) of a key whose text is shown; empty: it is not."""
    if key.secret is None:
        return ""
    about = quote(key.about or TARGET_ID, safe="")
    match key.use:
        case "ping":
            return f"/ping/{key.secret}" if key.about else f"/ping/{key.secret}/{TARGET_ID}"
        case "badge":
            return f"/badge/{about}/status.svg?key={key.secret}"
        case "page":
            return f"/status/{about}?key={key.secret}"
