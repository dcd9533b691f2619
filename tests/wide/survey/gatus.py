"""Endpoints of Gatus."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from tests.wide.survey.entry import Entry, each, http_target, literal, milliseconds, secret

_CONDITION: Final = re.compile(r"^\s*(.+?)\s*(==|!=|<=|>=|<|>)\s*(.*?)\s*$", re.DOTALL)
_OPPOSITE: Final = {"<": "less_than", "<=": "at_most", ">": "more_than", ">=": "at_least"}


def entries(text: str, where: str) -> Iterator[Entry]:
    """The endpoints of a file, also of those in a ConfigMap or values of a chart."""
    documents = list(yaml.safe_load_all(re.sub(r"^#%.*$", "", text, flags=re.MULTILINE)))
    found = list(each(documents, "endpoints")) or list(_embedded(documents))
    for endpoint in found:
        if "url" in endpoint:
            yield _entry(endpoint, where)


def _embedded(value: Any) -> Iterator[Mapping[str, Any]]:
    """Endpoints in text: an annotation or a file of a ConfigMap."""
    if isinstance(value, str) and ("endpoints:" in value or "conditions:" in value):
        inner = yaml.safe_load(value)
        if isinstance(inner, Mapping) and "conditions" in inner:
            yield {"url": "https://example.com", **inner}
        yield from each(inner, "endpoints")
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _embedded(one)
    elif isinstance(value, list):
        for one in value:
            yield from _embedded(one)


def _entry(endpoint: Mapping[str, Any], where: str) -> Entry:
    features: list[str] = []
    name = literal(str(endpoint.get("name", "endpoint")), [])
    entry = Entry(where=where, name=name, features=features)
    target = _target(name, endpoint, features)
    if target is None:
        entry.missing = f"Gatus: {str(endpoint['url']).split(':')[0]} endpoints"
        return entry
    _request(endpoint, target, features)
    _client(endpoint.get("client") or {}, target, features)
    if endpoint.get("insecure") and "probe" in target:
        target["probe"]["verify"] = False
    extra: list[dict[str, Any]] = []
    for condition in endpoint.get("conditions") or []:
        _condition(str(condition), target, extra, features)
    _finish(target)
    entry.targets = [target, *extra]
    return entry


def _target(name: str, endpoint: Mapping[str, Any], features: list[str]) -> dict[str, Any] | None:
    url = str(endpoint["url"])
    if "dns" in endpoint:
        features.append("DNS")
        host, _, port = literal(url, features).partition(":")
        asked = endpoint["dns"]
        probe = {
            "name": literal(str(asked["query-name"]), features),
            "record": asked.get("query-type", "A"),
        }
        return {"name": name, "kind": "dns", "host": host, "port": int(port or 53), "probe": probe}
    scheme, _, rest = literal(url, features).partition("://")
    if scheme in {"tcp", "tls", "starttls", "udp", "ws", "wss"}:
        features.append({"starttls": "STARTTLS", "tcp": "TCP port"}.get(scheme, scheme.upper()))
        host, _, port = rest.partition("/")[0].partition(":")
        number = int(port) if port.isdigit() else 443  # a variable may be the port
        if scheme == "tcp":
            return {"name": name, "host": host, "port": number}
        if scheme == "tls":
            return {"name": name, "kind": "tls", "host": host, "port": number, "probe": {}}
        if scheme == "starttls":
            kind = {143: "imap", 110: "pop3", 5432: "postgres"}.get(number, "smtp")
            probe = {"tls": "starttls"}
            return {"name": name, "kind": kind, "host": host, "port": number, "probe": probe}
        return None
    if scheme == "icmp":
        features.append("ping")
        return {"name": name, "kind": "icmp", "host": rest.strip("/")}
    if scheme in {"ssh", "sctp", "domain"}:
        return None
    features.append("HTTP")
    return http_target(name, url, features)


def _request(endpoint: Mapping[str, Any], target: dict[str, Any], features: list[str]) -> None:
    probe = target.get("probe", {})
    if endpoint.get("method", "GET") != "GET":
        features.append("method")
        probe["method"] = endpoint["method"].upper()
    if endpoint.get("body"):
        features.append("request body")
        probe["body"] = secret(str(endpoint["body"]), features)
    for name, value in (endpoint.get("headers") or {}).items():
        features.append("header Host" if name.lower() == "host" else "headers")
        probe.setdefault("headers", {})[name] = secret(str(value), features)


def _client(client: Mapping[str, Any], target: dict[str, Any], features: list[str]) -> None:
    probe = target.get("probe", {})
    if client.get("insecure"):
        features.append("certificate not verified")
        probe["verify"] = False
    if client.get("ignore-redirect"):
        probe["redirects"] = 0
    if "timeout" in client:
        target["timeout"] = str(client["timeout"])
    if "dns-resolver" in client:
        features.append("resolver of its own")
        where = literal(str(client["dns-resolver"]), features)
        place = re.sub(r"^(udp|tcp)://", "", where)
        target["resolver"] = place if re.match(r"^[0-9.]+(:[0-9]+)?$", place) else "192.0.2.53:53"
    if "proxy-url" in client:
        features.append("HTTP proxy")
        place = literal(str(client["proxy-url"]), features)
        probe["proxy"] = place if "://" in place else f"http://{place}:8888"
    if "tls" in client:
        features.append("client certificate")
        probe["client_certificate"] = {
            "certificate": "${PORTQUORUM_SECRET_CERTIFICATE}",
            "key": "${PORTQUORUM_SECRET_KEY}",
        }


def _condition(
    text: str, target: dict[str, Any], extra: list[dict[str, Any]], features: list[str]
) -> None:
    if "&&" in text or "||" in text:
        # Gatus knows neither; what is meant is a range or a list.
        features.append("several conditions in one")
        if "||" in text:
            codes = [int(code) for code in re.findall(r"== *([0-9]{3})", text)]
            target["probe"]["status"] = sorted({*target["probe"].get("status", []), *codes})
            return
        for part in text.split("&&"):
            _condition(part, target, extra, features)
        return
    match = _CONDITION.match(literal(text, features))
    if match is None:
        raise ValueError(f"a condition of Gatus that is not known: {text}")
    subject, sign, value = match.groups()
    probe = target.get("probe", {})
    if subject == "[STATUS]":
        _status(target, sign, value, features)
    elif subject == "[RESPONSE_TIME]":
        features.append("response time")
        target["max_ms"] = milliseconds(value)
        # Gatus waits 10 s for an answer.
        target.setdefault("timeout", f"{max(10_000, round(2 * target['max_ms']))}ms")
    elif subject == "[CERTIFICATE_EXPIRATION]":
        features.append("certificate's days left")
        probe["critical_days"] = max(1, round(milliseconds(value) / 8.64e7))
        probe["warn_days"] = max(14, probe["critical_days"])
    elif subject == "[CONNECTED]":
        pass  # it is what a check is
    elif subject == "[DNS_RCODE]":
        features.append("DNS answer's code")
        probe["rcode"] = value
    elif subject == "[DOMAIN_EXPIRATION]":
        features.append("domain's days left")
        days = round(milliseconds(value) / 8.64e7)
        name = f"{target['name']}, domain"
        extra.append(
            {
                "name": name,
                "kind": "domain",
                "host": target["host"],
                "probe": {"critical_days": days},
            }
        )
    elif target.get("kind") == "icmp" and subject == "[STATUS]":
        pass
    elif subject.strip("len()") == "[BODY]" and target.get("kind") == "dns":
        features.append("DNS answer")
        if subject.startswith("len("):  # it must not be known there
            probe["rcode"] = "NXDOMAIN"
        elif value.startswith("pat("):
            probe["expect_regex"] = _pattern(value)
        else:
            probe["expect"] = [value]
    else:
        _body(subject, sign, value, probe, features)


def _status(target: dict[str, Any], sign: str, value: str, features: list[str]) -> None:
    probe = target["probe"]
    first, last = probe.pop("_first", 100), probe.pop("_last", 599)
    if sign == "==":
        codes = [int(code) for code in re.findall(r"[0-9]{3}", value)] or [200]
        features.append("status" if len(codes) == 1 else "several statuses")
        probe["status"] = codes
        return
    features.append("range of statuses")
    number = int(value)
    if sign in {"<", "<="}:
        last = min(last, number - (sign == "<"))
    else:
        first = max(first, number + (sign == ">"))
    probe["_first"], probe["_last"] = first, last


def _body(subject: str, sign: str, value: str, probe: dict[str, Any], features: list[str]) -> None:
    condition: dict[str, Any] = {}
    inner = re.match(r"^(len|has)\((.*)\)$", subject)
    path = (inner[2] if inner else subject).removeprefix("[BODY]")
    if path:
        condition["json"] = f"$[{path[1:]}" if path.startswith("[") else f"${path}"
    else:
        condition["body"] = True
    if inner and inner[1] == "len":
        features.append("JSON value's length")
        condition["length"] = True
    elif inner:
        features.append("JSON value is there")
        condition["exists"] = True
    else:
        features.append("JSON value" if path else "body")
    if inner and inner[1] == "has":
        if value == "false":
            condition["not"] = True
    elif value.startswith("pat("):
        condition["matches"] = _pattern(value)
    elif value.startswith("any("):
        condition["any_of"] = [_json(one) for one in value[4:-1].split(",")]
    elif sign in _OPPOSITE:
        features.append("comparison")
        condition[_OPPOSITE[sign]] = float(value)
    elif path or inner:
        condition["equals"] = _json(value)
    else:
        condition["matches"] = rf"^\s*{re.escape(value)}\s*$"
    if sign == "!=":
        features.append("negated condition")
        condition["not"] = True
    probe.setdefault("conditions", []).append(condition)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip().strip('"')


def _pattern(value: str) -> str:
    """The regular expression of `pat(*text*)`."""
    inner = value.removeprefix("pat(").removesuffix(")")
    parts = [re.escape(part) for part in inner.split("*")]
    return ".*".join(parts).removeprefix(".*").removesuffix(".*") or ".*"


def _finish(target: dict[str, Any]) -> None:
    probe = target.get("probe")
    if probe is None:
        return
    if "_first" in probe:
        probe["status"] = [f"{probe.pop('_first')}-{probe.pop('_last')}"]
    if target["kind"] == "http" and not probe["tls"]:
        for option in ("critical_days", "warn_days", "verify"):
            probe.pop(option, None)
    text = json.dumps(probe)
    sure = probe.get("tls") and probe.get("verify", True)
    if target["kind"] == "http" and "PORTQUORUM_SECRET" in text and not sure:
        probe["insecure"] = True
    if not probe:
        del target["probe"]
