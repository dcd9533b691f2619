"""All wings, by the word that the command takes."""

from typing import Final

from portquorum.importing import alertmanager, gatus, nagios, prometheus
from portquorum.importing.csv_table import wing as csv_table
from portquorum.importing.kuma import wing as kuma
from portquorum.importing.model import SourceKind, Wing
from portquorum.importing.nmap import wing as nmap

WINGS: Final[dict[SourceKind, Wing]] = {
    "gatus": gatus.read,
    "kuma": kuma.read,
    "blackbox": prometheus.read_blackbox,
    "prometheus": prometheus.read_prometheus,
    "alertmanager": alertmanager.read,
    "nagios": nagios.read,
    "csv": csv_table.read,
    "nmap": nmap.read,
}
