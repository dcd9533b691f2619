"""Words of other monitors for what an inventory calls otherwise, and files that are none. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from portquorum.inventory.suggest import alike
from portquorum.inventory.tree import Mapping as Tree
from producers.kinds.registry import KINDS

_OF_PROBE: Final = "it is an option of what is checked"
_URL: Final = (
    "a URL is written in parts: kind: http, host: example.com, and, where they are not the usual "
    "ones, port: 8443 and probe: {path: /health}"
)
_ROUTES: Final = "who is told is said by routes: of the file, and team: of the target"

TARGET_WORDS: Final[Mapping[str, str]] = {
    "type": "kind",
    "protocol": "kind",
    "module": "kind",
    "check": "kind",
    "monitor": "kind",
    "hostname": "host",
    "address": "host",
    "addr": "host",
    "ip": "host",
    "ip_address": "host",
    "fqdn": "host",
    "server": "host",
    "target": "host",
    "ansible_host": "host",
    "display_name": "name",
    "title": "name",
    "label": "name",
    "check_interval": "interval",
    "frequency": "interval",
    "every": "interval",
    "period": "interval",
    "scrape_interval": "interval",
    "interval_seconds": "interval",
    "poll_interval": "interval",
    "scrape_timeout": "timeout",
    "timeout_seconds": "timeout",
    "timeoutseconds": "timeout",
    "periodseconds": "interval",
    "failurethreshold": "retries",
    "max_retries": "retries",
    "maxretries": "retries",
    "retry": "retries",
    "attempts": "retries",
    "max_check_attempts": "retries",
    "retry_interval": "retry_delay",
    "for": "open_after",
    "labels": "tags",
    "tag": "tags",
    "groups": "tags",
    "hostgroups": "tags",
    "group": "tags (or team, whose routes are told)",
    "owner": "team",
    "description": "purpose",
    "notes": "purpose",
    "comment": "purpose",
    "severity": "criticality",
    "priority": "criticality",
    "region": "regions",
    "location": "regions",
    "locations": "regions",
    "probes": "regions",
    "parents": "depends_on",
    "parent": "depends_on",
    "dependencies": "depends_on",
    "requires": "depends_on",
    "cron": "schedule",
    "timezone": "zone",
    "dns_server": "resolver",
    "dns_resolver": "resolver",
    "nameserver": "resolver",
    "runbook_url": "runbook",
    "template": "extends",
    "use": "extends",
    "inherits": "extends",
    "latency_ms": "max_ms",
    "max_latency": "max_ms",
}
"""A word for a field of a target, in small letters, and the field."""

_TARGET_SENTENCES: Final[Mapping[str, str]] = {
    "url": _URL,
    "uri": _URL,
    "endpoint": _URL,
    "alerts": _ROUTES,
    "alert": _ROUTES,
    "alerting": _ROUTES,
    "notifications": _ROUTES,
    "notify": _ROUTES,
    "contacts": _ROUTES,
    "contact_groups": _ROUTES,
    "routes": _ROUTES,
    "disabled": "write enabled: false",
    "paused": "write enabled: false",
    "active": "write enabled: true or false",
    "method": f"{_OF_PROBE}: probe: {{method: POST}}",
    "threshold": "write open_after (how long it must be down), or consensus (how many regions)",
}
_URL_WORDS: Final = frozenset({"url", "uri", "endpoint"})
_PROBE_WORDS: Final[Mapping[str, str]] = {
    "status_code": "status",
    "status_codes": "status",
    "statuscode": "status",
    "expected_status": "status",
    "valid_status_codes": "status",
    "accepted_statuscodes": "status",
    "keyword": "expect",
    "contains": "expect",
    "fail_if_body_not_matches_regexp": "expect_regex",
    "follow_redirects": "redirects",
    "max_redirects": "redirects",
    "starttls": "tls",
    "ssl": "tls",
    "sni": "server_name",
    "servername": "server_name",
    "insecure_skip_verify": "verify",
    "tls_verify": "verify",
    "ignore_tls": "verify",
    "token": "bearer",
    "bearer_token": "bearer",
    "auth": "basic_auth",
    "query_name": "name",
    "query_type": "record",
    "cert_days": "warn_days",
    "url": "path",
    "payload": "body",
    "data": "body",
    "packets": "count",
    "header": "headers",
}
_SECTION_WORDS: Final[Mapping[str, str]] = {
    "endpoints": "targets",
    "services": "targets",
    "monitors": "targets",
    "checks": "targets",
    "hosts": "targets",
    "heartbeats": "targets",
    "jobs": "targets",
    "alerting": "routes",
    "alerts": "routes",
    "notifications": "routes",
    "receivers": "routes",
    "contacts": "routes",
    "channels": "routes",
    "groups": "teams",
    "locations": "regions",
    "probers": "regions",
    "maintenances": "maintenance",
    "windows": "maintenance",
    "downtimes": "maintenance",
    "global": "defaults",
    "globals": "defaults",
    "settings": "defaults",
    "drills": "drill",
}
_VALUE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "high": ("critical",),
    "highest": ("critical",),
    "page": ("critical",),
    "error": ("critical",),
    "fatal": ("critical",),
    "medium": ("important", "warning"),
    "warn": ("warning",),
    "low": ("normal", "info"),
    "information": ("info",),
    "majority": ("quorum",),
    "all": ("unanimous",),
    "down": ("unreachable",),
    "up": ("open",),
    "certificate": ("expiring",),
    "true": ("starttls",),
    "ssl": ("implicit",),
    "false": ("none",),
    "off": ("none",),
    "no": ("none",),
}


def of_target(word: str) -> str | None:
    """What to write in place of a field that no target has; None if that is unclear."""
    lower = word.lower().replace("-", "_")
    if lower in _TARGET_SENTENCES:
        return _TARGET_SENTENCES[lower]
    field = TARGET_WORDS.get(lower) or TARGET_WORDS.get(lower.replace("_", ""))
    if field is not None:
        return f"it is called {field} here"
    kinds = kinds_with(word)
    if kinds:
        return f"{_OF_PROBE}: probe: {{{word}: …}} (kind {some_kinds(kinds)})"
    return None


def fields_meant(word: str, known: tuple[str, ...]) -> frozenset[str]:
    """The fields of a target that were meant by a word that is none: they are not missing."""
    lower = word.strip().lower().replace("-", "_")
    if lower in _URL_WORDS:
        return frozenset({"host", "kind", "port", "probe"})
    field = TARGET_WORDS.get(lower) or TARGET_WORDS.get(lower.replace("_", ""))
    meant = field if field in known else lower if lower in known else alike(word, known)
    return frozenset({meant} if meant is not None else ())


def of_probe(word: str, known: list[str]) -> str | None:
    """What to write in place of an option that a kind does not have; None if that is unclear."""
    meant = _PROBE_WORDS.get(word.lower().replace("-", "_"))
    if meant in known:
        return f"it is called {meant} here"
    kinds = kinds_with(word)
    return f"kinds that have it: {some_kinds(kinds)}" if kinds else None


def of_section(word: str) -> str | None:
    """The section that another word stands for."""
    return _SECTION_WORDS.get(word.lower())


def of_value(word: str, choices: list[str]) -> str | None:
    """The one of some choices that another word stands for."""
    return next((one for one in _VALUE_WORDS.get(word.lower(), ()) if one in choices), None)


def kinds_with(option: str) -> list[str]:
    """The kinds that have an option of `probe:`."""
    return [
        name
        for name, kind in KINDS.items()
        if kind.options is not None and option in kind.options.__struct_encode_fields__
    ]


def some_kinds(kinds: list[str]) -> str:
    """Up to five kinds, for a sentence."""
    return ", ".join(kinds[:5]) + (", …" if len(kinds) > 5 else "")


def foreign(value: Any) -> str | None:
    """What a document is that is no inventory, and what to do; None if it may be one."""
    if isinstance(value, list):
        return _foreign_list(value)
    if not isinstance(value, Tree):
        return None
    keys = value.keys()
    for signs, what in _FOREIGN:
        if signs <= keys and "targets" not in keys:
            return what
    if "services" in keys and _has(value["services"], ("image", "build")):
        return "this is a file of Docker Compose, and no inventory; write `targets:` with hosts"
    if any(_has({"": one}, ("hosts", "children")) for one in value.values()):
        return (
            "this is an inventory of Ansible, and none of portquorum; write `targets:` with hosts"
        )
    return None


def _foreign_list(value: list[Any]) -> str | None:
    first = next((one for one in value if isinstance(one, Tree)), None)
    if first is None:
        return None
    if first.keys() & {"tasks", "roles", "hosts"}:
        return "this is a playbook of Ansible, and no inventory; write `targets:` with hosts"
    if "targets" in first:
        return (
            "these are targets of Prometheus (file_sd): `portquorum import prometheus` makes an "
            "inventory of Prometheus' files"
        )
    if first.keys() & {"host", "kind", "port"}:
        return "expected `targets:` in a line above the list, found the list alone"
    return None


def _has(value: Any, keys: tuple[str, ...]) -> bool:
    inner = value.values() if isinstance(value, Tree | dict) else ()
    return any(isinstance(one, Tree) and any(key in one for key in keys) for one in inner)


def _imported(what: str, kind: str) -> str:
    return f"this is a file of {what}: `portquorum import {kind} FILE` makes an inventory of it"


_KUBERNETES: Final = (
    "this is an object of Kubernetes, and no inventory; of a ConfigMap the inventory is what "
    "stands below data:"
)
_FOREIGN: Final = (
    (frozenset({"endpoints"}), _imported("Gatus", "gatus")),
    (frozenset({"scrape_configs"}), _imported("Prometheus", "prometheus")),
    (frozenset({"modules"}), _imported("the blackbox_exporter", "prometheus")),
    (frozenset({"receivers", "route"}), _imported("Alertmanager", "alertmanager")),
    (frozenset({"monitorList"}), _imported("Uptime Kuma", "kuma")),
    (
        frozenset({"apiVersion", "kind"}),
        _KUBERNETES,
    ),
    (
        frozenset({"status_pages"}),
        "these are status pages, and no inventory: `portquorum status-page apply FILE` takes them",
    ),
)
"""Keys that no inventory has, and what a file with them is."""


def section_meant(word: str, sections: tuple[str, ...]) -> str | None:
    """The section that was meant by a word that is none."""
    return of_section(word) or alike(word, sections)
