"""The columns of a table: our own field names, and those that people write for them."""

import re
from typing import Final

_SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "name": (
        "title",
        "label",
        "service",
        "displayname",
        "friendlyname",
        "monitor",
        "monitorname",
        "servicename",
        "check",
        "checkname",
        "bezeichnung",
        "nom",
        "nombre",
    ),
    "host": (
        "hostname",
        "address",
        "ip",
        "ipaddress",
        "server",
        "target",
        "fqdn",
        "dnsname",
        "hostaddress",
        "device",
        "machine",
        "node",
        "ipadresse",
        "adresse",
        "hote",
        "servidor",
        "hostip",
        "addr",
        "dns",
    ),
    "url": ("uri", "link", "endpoint", "website", "site", "webaddress", "href"),
    "port": ("ports", "portnumber", "tcpport", "portno", "dport", "puerto", "destinationport"),
    "kind": (
        "type",
        "protocol",
        "checktype",
        "monitortype",
        "proto",
        "scheme",
        "probetype",
        "typ",
        "servicetype",
    ),
    "interval": (
        "checkinterval",
        "frequency",
        "every",
        "period",
        "intervall",
        "intervalle",
        "intervals",
        "intervalseconds",
        "checkfrequency",
        "pollinginterval",
    ),
    "timeout": ("timeouts", "timeoutseconds", "checktimeout"),
    "retries": ("maxretries", "retry", "attempts"),
    "retry_delay": ("retryinterval", "retrydelays"),
    "criticality": ("priority", "severity", "importance", "critical", "tier"),
    "tags": ("tag", "labels", "keywords"),
    "group": (
        "folder",
        "category",
        "environment",
        "env",
        "location",
        "gruppe",
        "groupname",
        "project",
        "application",
        "app",
        "cluster",
    ),
    "team": ("owner", "responsible", "contactgroup"),
    "purpose": (
        "description",
        "notes",
        "note",
        "comment",
        "comments",
        "beschreibung",
        "remark",
        "remarks",
        "info",
        "details",
    ),
    "enabled": ("active", "aktiv", "actif", "monitored", "isactive", "isenabled"),
    "disabled": ("paused", "inactive"),
    "regions": ("region", "probes", "checkfrom", "locations"),
    "runbook": ("runbookurl", "documentation", "docs", "wiki"),
    "depends_on": ("dependson", "parent", "parents", "dependency", "dependencies"),
    "id": ("identifier",),
    "max_ms": ("maxms", "maxresponsetime", "responsetimems", "maxlatencyms"),
    "open_after": (),
    "recover_after": (),
    "resolver": (),
    "consensus": (),
    "slo": ("sla", "availability"),
    "downtime_cost_per_hour": (),
    "expect": ("expectedstate",),
    "schedule": ("cron", "cronexpression"),
    "zone": ("timezone", "tz"),
    "grace": ("graceperiod",),
    "max_runtime": (),
    "abandon_after": (),
    "path": ("urlpath", "uripath"),
    "method": ("httpmethod", "verb"),
    "status": (
        "expectedstatus",
        "statuscode",
        "expectedstatuscode",
        "acceptedstatuscodes",
        "validstatus",
        "expectedcode",
        "httpstatus",
        "statuscodes",
    ),
    "keyword": (
        "contains",
        "expectedtext",
        "bodycontains",
        "searchstring",
        "expecttext",
        "expectedkeyword",
    ),
    "verify": ("verifytls", "verifyssl", "sslverify", "tlsverify"),
    "insecure": ("ignoretls", "ignoressl", "skipverify", "insecureskipverify"),
    "tls": ("ssl", "https", "usetls", "usessl", "secure"),
}
"""Our fields, and words for them; letters and digits alone count."""

_BY_WORD: Final = {
    re.sub(r"[^a-z0-9]", "", word): name
    for name, words in _SYNONYMS.items()
    for word in (name, *words)
}
_SECRET: Final = re.compile(r"pass|pwd|secret|token|apikey|community|user|login|credential|account")
_LEAST_KNOWN: Final = 1
_PLACES: Final = frozenset({"host", "url", "name", "port", "kind"})
PROBE: Final = "probe."
LOGIN: Final = "login"


def field_of(header: str) -> str | None:
    """The field that a column is; `probe.NAME` for an option of the check, None if unknown.

    `login`: its cells are not taken.
    """
    text = header.strip().lower()
    if text.startswith(PROBE) and re.fullmatch(r"probe\.[a-z_]+", text):
        return text
    plain = re.sub(r"[^a-z0-9]", "", text)
    known = _BY_WORD.get(plain)
    if known is None and _SECRET.search(plain):
        return LOGIN
    return known


def is_header(cells: tuple[str, ...]) -> bool:
    """Whether a row names columns: one of those that say whom a check asks."""
    if len(cells) == 1:
        return _BY_WORD.get(re.sub(r"[^a-z0-9]", "", cells[0].lower())) in {"host", "url"}
    found = [field_of(cell) for cell in cells]
    return any(one in _PLACES for one in found) and not any(map(_is_place, cells))


def _is_place(cell: str) -> bool:
    """Whether a cell is an address or a URL, as no header is."""
    return "://" in cell or re.fullmatch(r"[0-9.]+(:[0-9]+)?", cell) is not None
