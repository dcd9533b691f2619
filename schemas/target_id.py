"""The id of a target that is made from a name."""

import re
import unicodedata
from typing import Final

LENGTH: Final = 128


def slug(name: str) -> str:
    """An id made from a name: lower case; hyphens replace all but letters, digits, `.` and `_`.

    Empty if no character of the name is valid in an id.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9._]+", "-", plain).strip("-._")[:LENGTH].rstrip("-._")
