"""All wings, by the word that the command takes."""

from typing import Final

from portquorum.importing import gatus
from portquorum.importing.model import SourceKind, Wing

WINGS: Final[dict[SourceKind, Wing]] = {
    "gatus": gatus.read,
}
