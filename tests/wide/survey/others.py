"""Files of Upptime, Prometheus (blackbox exporter), Nagios, Icinga 2 and Monit."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from tests.wide.survey.entry import Entry, each, http_target, literal, secret

_NETWORK: Final = {
    "check-host-alive": "ping",
    "check_ping": "ping",
    "ping": "ping",
    "ping4": "ping",
    "ping6": "ping",
    "hostalive": "ping",
    "check_tcp": "TCP port",
    "tcp": "TCP port",
    "check_http": "HTTP",
    "check_app_url": "HTTP",
    "http": "HTTP",
    "check_ssh": "SSH",
    "ssh": "SSH",
    "check_mysql": "database's or broker's handshake",
    "postgres": "database's or broker's handshake",
    "dns": "DNS",
    "check_dns": "DNS",
}


def upptime(text: str, where: str) -> Iterator[Entry]:
    """The sites of Upptime."""
    for site in each(yaml.safe_load(text), "sites"):
        features: list[str] = []
        name, url = str(site.get("name", "site")), str(site.get("url", ""))
        entry = Entry(where=where, name=name, features=features)
        if site.get("check") in {"tcp-ping", "ws"} or site.get("port"):
            features.append("TCP port")
            host = literal(url, features).rpartition("://")[2].partition("/")[0].partition(":")[0]
            entry.targets = [{"name": name, "host": host, "port": int(site.get("port") or 443)}]
        else:
            features.append("HTTP")
            target = http_target(name, url, features)
            _upptime_options(site, target, features)
            entry.targets = [target]
        yield entry


def _upptime_options(site: Mapping[str, Any], target: dict[str, Any], features: list[str]) -> None:
    probe = target["probe"]
    if str(site.get("method", "GET")).upper() != "GET":
        features.append("method")
        probe["method"] = str(site["method"]).upper()
    if site.get("body"):
        features.append("request body")
        probe["body"] = secret(str(site["body"]), features)
    for line in site.get("headers") or []:
        features.append("headers")
        name, _, value = str(line).partition(":")
        probe.setdefault("headers", {})[name.strip()] = secret(value.strip(), features)
    if site.get("expectedStatusCodes"):
        features.append("several statuses")
        probe["status"] = [int(code) for code in site["expectedStatusCodes"]]
    else:  # Upptime's own: 2xx, 3xx and 429 are up
        features.append("range of statuses")
        probe["status"] = ["200-308", 429]
    for key in ("__dangerous__body_down", "__dangerous__body_degraded"):
        if site.get(key):
            features += ["body", "negated condition"]
            condition = {"body": True, "contains": str(site[key]), "not": True}
            probe.setdefault("conditions", []).append(condition)
    if site.get("__dangerous__disable_verify_peer"):
        features.append("certificate not verified")
        probe["verify"] = False
    if "PORTQUORUM_SECRET" in str(probe) and not probe["tls"]:
        probe["insecure"] = True


def blackbox(text: str, where: str) -> Iterator[Entry]:
    """The targets that Prometheus has probed by the blackbox exporter, and Probes of Kubernetes."""
    for document in yaml.safe_load_all(text):
        if isinstance(document, Mapping) and document.get("kind") == "Probe":
            spec = document["spec"]
            module = str(spec.get("module", "http_2xx"))
            static = spec.get("targets", {}).get("staticConfig", {}).get("static") or []
            for place in static:
                yield _probed(str(place), module, where)
        elif isinstance(document, Mapping):
            for job in document.get("scrape_configs") or []:
                module = (job.get("params", {}).get("module") or [None])[0]
                if module is not None:
                    for place in _places(job):
                        yield _probed(place, str(module), where)
        elif isinstance(document, list):  # file_sd
            module = "icmp" if "ping" in where else "http_2xx"
            for one in document:
                for place in one.get("targets", []):
                    yield _probed(str(place), module, where)


def _places(job: Mapping[str, Any]) -> Iterator[str]:
    for config in job.get("static_configs") or []:
        yield from map(str, config.get("targets") or [])


def _probed(place: str, module: str, where: str) -> Entry:
    features: list[str] = []
    place = literal(place.replace("__", ""), features)
    entry = Entry(where=where, name=place, features=features)
    kind = re.match(r"[a-z0-9]+", module)
    protocol = kind[0] if kind else module
    if protocol in {"icmp", "ping"}:
        features.append("ping")
        entry.targets = [{"name": place, "kind": "icmp", "host": place.strip("/")}]
    elif (
        protocol in {"imap", "smtp", "pop3", "redis", "ssh", "sieve", "tcp"} and "://" not in place
    ):
        host, _, port = place.rpartition(":")
        target: dict[str, Any] = {"name": place, "host": host, "port": int(port)}
        if "lmtp" in module:
            features.append("dialogue")
            steps = [{"expect_regex": "^220 "}, {"send": "LHLO a\r\n", "expect": "250"}]
            target["probe"] = {"steps": steps}
        elif protocol == "sieve":
            features += ["dialogue", "STARTTLS"]
            begin = {"send": "STARTTLS\r\n", "expect": "OK", "starttls": True}
            target["probe"] = {"steps": [{"expect": '"IMPLEMENTATION"'}, begin]}
        elif protocol != "tcp":
            features.append("STARTTLS" if "starttls" in module else "named handshake")
            target["kind"] = protocol
            if "starttls" in module:
                target["probe"] = {"tls": "starttls"}
        else:
            features.append("TCP port")
        entry.targets = [target]
    else:
        features.append("HTTP")
        target = http_target(place, place if "://" in place else f"http://{place}", features)
        if "railway" in module or "alb" in module:
            features.append("header Host")
            target["probe"] |= {"headers": {"Host": "www.example.com"}}
            target["probe"] |= {"server_name": "www.example.com"}
        if "healthy" in module:
            features += ["body", "negated condition"]
            condition = {"body": True, "matches": "degraded|error", "not": True}
            target["probe"]["conditions"] = [condition]
        entry.targets = [target]
    return entry


def nagios(text: str, where: str) -> Iterator[Entry]:
    """The services of Nagios, those with a check of their own."""
    for kind, block in re.findall(
        r"^\s*define\s+(\w+)\s*\{(.*?)^\s*\}", text, re.MULTILINE | re.DOTALL
    ):
        command = re.search(r"^\s*check_command\s+([^;\n]+)", block, re.MULTILINE)
        if command is None or kind not in {"service", "host"}:
            continue
        name, *arguments = command[1].strip().split("!")
        hosts = re.search(r"^\s*(?:host_name|hostgroup_name)\s+(\S+)", block, re.MULTILINE)
        about = re.search(r"^\s*service_description\s+([^;\t\n]+)", block, re.MULTILINE)
        yield _commanded(
            where, about[1].strip() if about else name, name, arguments, hosts[1] if hosts else "a"
        )


def icinga2(text: str, where: str) -> Iterator[Entry]:
    """The services of Icinga 2, one for each rule that applies one."""
    for name, block in re.findall(
        r'^(?:apply|object) Service (?:"([^"]+)"|for)(.*?)^\}', text, re.MULTILINE | re.DOTALL
    ):
        command = re.search(r'check_command = "([^"]+)"', block)
        if command is not None:
            # Of `postgres` all but one action look into the database.
            within = command[1] == "postgres" and "postgres_action" in block
            named = "check_postgres" if within else command[1]
            entry = _commanded(where, name or command[1], named, [], "host")
            entry.features.append("rule that applies a service to hosts")
            yield entry


def _commanded(where: str, about: str, command: str, arguments: list[str], host: str) -> Entry:
    features: list[str] = []
    entry = Entry(where=where, name=about, features=features)
    feature = _NETWORK.get(command) or ("HTTP" if "http" in command else None)
    if feature is None:
        entry.networked = False
        entry.missing = "no check over a network"
        return entry
    features.append(feature)
    first = re.search(r"[0-9]+", " ".join(arguments))
    host = re.sub(r"[^A-Za-z0-9.-]", "-", host.split(",", maxsplit=1)[0]).strip("-") or "host"
    target: dict[str, Any] = {"name": about, "host": f"{host}.example.com"}
    if feature == "ping":
        limits = re.findall(r"[0-9.]+,[0-9]+%", " ".join(arguments))
        if limits:
            features += ["packet loss", "response time"]
            target["probe"] = {"count": 5, "max_loss": 0.6}
            target["max_ms"] = 500.0
        target["kind"] = "icmp"
    elif feature == "TCP port":
        target["port"] = int(first[0]) if first else 80
    elif feature == "HTTP":
        target |= {"kind": "http", "port": 80}
    elif feature == "SSH":
        target["kind"] = "ssh"
    elif feature == "DNS":
        target |= {"kind": "dns", "probe": {"name": "www.example.com"}}
    else:
        target["kind"] = "mysql" if "mysql" in command else "postgres"
    entry.targets = [target]
    return entry


def monit(text: str, where: str) -> Iterator[Entry]:
    """The connection tests of Monit."""
    text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    address = None
    for block in re.split(r"^\s*check\s+", text, flags=re.MULTILINE)[1:]:
        head, _, rest = block.partition("\n")
        found = re.search(r"address\s+(\S+)", head)
        address = found[1] if found else None
        for condition in re.split(r"\bif\s+failed\b", rest)[1:]:
            test = " ".join(re.split(r"\bthen\b", condition, maxsplit=1)[0].split())
            if " port " in f" {test} " or "ping" in test:
                yield _tested(test, address, head.split()[1], where)


def _tested(test: str, address: str | None, name: str, where: str) -> Entry:
    features: list[str] = []
    entry = Entry(where=where, name=name, features=features)
    named = re.search(r"\bhost\s+(\S+)", test)
    host = (named[1] if named else address) or "localhost"
    if host in {"localhost", "127.0.0.1"} or address is None:
        features.append("localhost")
    if "ping" in test and "port" not in test:
        features.append("ping")
        entry.targets = [{"name": name, "kind": "icmp", "host": host}]
        return entry
    port = int(re.findall(r"\bport\s+([0-9]+)", test)[0])
    protocol = re.search(r"\bproto(?:col)?\s+(\w+)", test)
    target: dict[str, Any] = {"name": name, "host": host, "port": port}
    if re.search(r"\btype\s+udp\b", test):
        features.append("UDP")
        target |= {"kind": "snmp"} if port == 161 else {"kind": "udp"}
    elif re.search(r"\bsend\b", test):
        features.append("dialogue")
        target["probe"] = {"steps": [{"send": "PING\r\n", "expect": "+PONG"}]}
    elif protocol and protocol[1] in {"http", "https", "apache"}:
        features.append("HTTP")
        probe: dict[str, Any] = {"tls": protocol[1] == "https"}
        status = re.search(r"\bstatus\s*=\s*([0-9]{3})", test)
        if status:
            features.append("status")
            probe |= {"status": [int(status[1])], "redirects": 0}
        days = re.search(r"certificate valid > ([0-9]+) days", test)
        if days:
            features.append("certificate's days left")
            probe |= {"critical_days": int(days[1]), "warn_days": int(days[1])}
        target |= {"kind": "http", "probe": probe}
    elif protocol and protocol[1] in {"smtp", "mysql", "ssh", "memcache", "redis", "imap", "dns"}:
        features.append("named handshake" if protocol[1] != "dns" else "DNS")
        target["kind"] = {"memcache": "memcached"}.get(protocol[1], protocol[1])
        if target["kind"] == "dns":
            target["probe"] = {"name": "www.example.com"}
    else:
        features.append("TCP port")
    entry.targets = [target]
    return entry
