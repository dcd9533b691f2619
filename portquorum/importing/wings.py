"""All wings, by the word that the command takes."""

from typing import Final

from portquorum.importing import gatus, prometheus
from portquorum.importing.model import SourceKind, Wing

WINGS: Final[dict[SourceKind, Wing]] = {
    "gatus": gatus.read,
    "blackbox": prometheus.read_blackbox,
    "prometheus": prometheus.read_prometheus,
}
