"""Monitors of Uptime Kuma: a backup, or a list kept in YAML."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from tests.wide.survey.entry import Entry, each, http_target, literal, secret

_KINDS: Final = {
    "mysql": "mysql",
    "postgres": "postgres",
    "redis": "redis",
    "mqtt": "mqtt",
    "sqlserver": "mssql",
    "mongodb": "mongodb",
    "kafka-producer": "kafka",
}


def entries(text: str, where: str) -> Iterator[Entry]:
    """The monitors of a file; groups are none."""
    if text.lstrip().startswith("{"):
        found: list[Mapping[str, Any]] = list(json.loads(text)["monitorList"])
        defaults: Mapping[str, Any] = {}
    else:
        loaded = yaml.safe_load(text)
        found = list(each(loaded, "monitors"))
        found += [one for group in found for one in each(group.get("monitors", []), "monitors")]
        found += [one for group in found for one in group.get("monitors", [])]
        defaults = (loaded.get("settings") or {}).get("defaults") or {}
    for monitor in found:
        if monitor.get("type") != "group" and monitor.get("type"):
            yield _entry({**defaults, **monitor}, where)


def _entry(monitor: Mapping[str, Any], where: str) -> Entry:
    features: list[str] = []
    kind = str(monitor["type"])
    entry = Entry(where=where, name=str(monitor["name"]), features=features)
    host = literal(str(monitor.get("hostname") or "example.com"), features)
    port = int(monitor.get("port") or 0) or None
    name = entry.name
    if kind in {"http", "keyword", "json-query"}:
        entry.targets = [_http(monitor, kind, features)]
    elif kind == "docker":
        features.append("container of Docker")
        container = monitor.get("docker_container") or "app"
        condition = {"json": "$.State.Running", "equals": True}
        probe = {"path": f"/containers/{container}/json", "conditions": [condition]}
        target = {"name": name, "kind": "http", "host": "docker-proxy.example.com", "port": 2375}
        entry.targets = [{**target, "probe": probe}]
    elif kind == "push":
        features.append("heartbeat (push)")
        entry.missing = "heartbeats"
    elif kind == "port":
        features.append("TCP port")
        entry.targets = [{"name": name, "host": host, "port": port}]
    elif kind == "ping":
        features.append("ping")
        entry.targets = [{"name": name, "kind": "icmp", "host": host}]
    elif kind == "dns":
        features.append("DNS")
        probe = {"name": host, "record": monitor.get("dns_resolve_type") or "A"}
        server = monitor.get("dns_resolve_server") or "192.0.2.53"
        entry.targets = [{"name": name, "kind": "dns", "host": server, "probe": probe}]
    elif kind in _KINDS:
        features.append("database's or broker's handshake")
        entry.targets = [{"name": name, "kind": _KINDS[kind], "host": host}]
    else:
        entry.missing = f"Uptime Kuma: type {kind}"
    return entry


def _http(monitor: Mapping[str, Any], kind: str, features: list[str]) -> dict[str, Any]:
    features.append("HTTP")
    target = http_target(str(monitor["name"]), str(monitor.get("url") or ""), features)
    probe = target["probe"]
    if (monitor.get("method") or "GET") != "GET":
        features.append("method")
        probe["method"] = monitor["method"]
    if monitor.get("ignoreTls") or monitor.get("ignore_tls"):
        features.append("certificate not verified")
        if probe["tls"]:
            probe["verify"] = False
    accepted = [str(code) for code in monitor.get("accepted_statuscodes") or ["200-299"]]
    if accepted != ["200-299"]:
        features.append("range of statuses" if "-" in "".join(accepted) else "several statuses")
        probe["status"] = [int(code) if code.isdigit() else code for code in accepted]
    headers = monitor.get("headers") or {}
    if isinstance(headers, str):
        headers = json.loads(headers)
    for name, value in headers.items():
        features.append("headers")
        probe.setdefault("headers", {})[name] = secret(str(value), features)
    if monitor.get("cloudflare_bypass"):  # of the file's own: a header with a token
        features.append("headers")
        text = secret("${UPTIME_MONITOR_TOKEN}", features)
        probe.setdefault("headers", {})["X-Uptime-Monitor"] = text
    if monitor.get("body"):
        features.append("request body")
        probe["body"] = secret(str(monitor["body"]), features)
    if monitor.get("basic_auth_user"):
        features.append("basic auth")
        user = str(monitor["basic_auth_user"])
        probe["basic_auth"] = {"username": user, "password": secret("${PASSWORD}", features)}
    if kind == "keyword":
        features.append("body")
        probe["expect"] = str(monitor["keyword"])
    if "PORTQUORUM_SECRET" in json.dumps(probe) and not (
        probe["tls"] and probe.get("verify", True)
    ):
        probe["insecure"] = True
    return target
