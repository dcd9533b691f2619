"""Reads Gatus' configuration: each endpoint, external endpoint and endpoint of a suite an entry."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from portquorum.importing.durations import seconds
from portquorum.importing.environment import MissingVariableError
from portquorum.importing.gatus import alerts, maintenance, sockets
from portquorum.importing.gatus.check import Check, Endpoint
from portquorum.importing.gatus.condition import parse
from portquorum.importing.gatus.dns import TIMEOUT_S as DNS_TIMEOUT_S
from portquorum.importing.gatus.dns import dns
from portquorum.importing.gatus.files import Configuration, Item, read_files
from portquorum.importing.gatus.http import http
from portquorum.importing.gatus.job import job
from portquorum.importing.gatus.routes import Routes
from portquorum.importing.gatus.texts import LeaveOutError, Texts
from portquorum.importing.hiding import named
from portquorum.importing.model import Found, Ignored, Import, Options, Place, Unreadable
from portquorum.importing.secrets import Secrets
from portquorum.importing.source_yaml import Fields, WrongValueError
from portquorum.importing.timing import fit
from producers.checks import name_server

INTERVAL_S: Final = 60.0
SUITE_INTERVAL_S: Final = 600.0
TIMEOUT_S: Final = 10.0
_LONGEST: Final = 1_000

_KINDS: Final[dict[str, Callable[[Endpoint], Check]]] = {
    "http": http,
    "https": http,
    "tcp": sockets.tcp,
    "udp": sockets.udp,
    "sctp": sockets.sctp,
    "icmp": sockets.icmp,
    "starttls": sockets.starttls,
    "tls": sockets.tls,
    "grpc": sockets.grpc,
    "grpcs": sockets.grpc,
    "ws": sockets.websocket,
    "wss": sockets.websocket,
    "ssh": sockets.ssh,
}
_SECTIONS: Final = {
    "ui": "pages are portquorum's own; a public one is made by portquorum status-page",
    "web": "where the page listens is a setting (docs/deploy.md)",
    "security": "who may come in is said by portquorum user and token (docs/access.md)",
    "storage": "results go to Kafka and ClickHouse",
    "metrics": "each role has metrics (docs/metrics.md)",
    "debug": "a setting of the log",
    "concurrency": "a prober makes thousands of checks at once",
    "disable-monitoring-lock": "a prober makes thousands of checks at once",
    "skip-invalid-config-update": "an inventory that is not right is never applied",
    "remote": "the endpoints of other instances stand in their own files: import these, too",
    "tunneling": "no check goes through a tunnel: a prober stands where it checks from",
    "announcements": "posts are written on the status page",
}
_NO_SECTION: Final = "Gatus has no such section, or not in this form"
_UI: Final = "what a page shows is said by the status page"


def read(files: Sequence[Path], options: Options) -> Import:
    """See `portquorum.importing.model.Wing`."""
    configuration = read_files(files)
    return _Reader(configuration, options).read()


class _Reader:
    def __init__(self, configuration: Configuration, options: Options) -> None:
        self._files = configuration
        self._secrets = Secrets()
        self._texts = Texts(options.variables, self._secrets)
        self._found = Import(source="gatus", unreadable=list(configuration.unreadable))
        alerting = self._files.sections.get("alerting")
        value = alerting.value if alerting is not None else None
        file = alerting.file if alerting is not None else ""
        self._alerting = Fields(value if isinstance(value, dict) else {}, file, "alerting")
        self._routes = Routes(self._alerting, self._secrets, self._found)

    def read(self) -> Import:
        """All of it."""
        for item in self._files.lists.get("endpoints", []):
            self._entry(item, lambda fields: self._endpoint(fields, fields.text("group")))
        for item in self._files.lists.get("external-endpoints", []):
            self._entry(item, self._external)
        for item in self._files.lists.get("suites", []):
            self._suite(item)
        self._sections()
        self._routes.finish()
        self._found.secrets = self._secrets.found
        return self._found

    def _entry(self, item: Item, read: Callable[[Fields], Found], group: str = "") -> None:
        """Adds an entry, also one that can't be read at all."""
        if not isinstance(item.value, dict):
            self._found.entries.append(
                Found(
                    place=Place(item.file, item.line),
                    name=f"line {item.line}",
                    left_out="expected a mapping (name, url, conditions), found something else",
                )
            )
            return
        fields = Fields(item.value, item.file)
        fields.skip("ui", _UI)
        try:
            entry = read(fields)
        except WrongValueError as error:
            entry = self._named(fields, group)
            entry.left_out = str(error)
        # Of an entry that is left out as a whole no part is told by itself.
        entry.ignored = [] if entry.left_out else [*entry.ignored, *_unused(fields)]
        self._found.entries.append(entry)

    def _named(self, fields: Fields, group: str) -> Found:
        name = str(fields.get("name", ""))[:_LONGEST] or f"line {fields.place().line}"
        group = (group or str(fields.get("group", "")))[:_LONGEST]
        shown, of = named(self._texts.shown(name)), named(self._texts.shown(group))
        return Found(place=fields.place(), name=shown, group=of, key=f"{of}_{shown}")

    def _endpoint(
        self, fields: Fields, group: str, interval_s: float | None = None, *, enabled: bool = True
    ) -> Found:
        entry = self._named(fields, group)
        client = fields.child("client")
        try:
            told = alerts.alerts_of(fields, self._alerting)
            check, fitted = self._checked(fields, client, entry, (interval_s, told))
        except (LeaveOutError, MissingVariableError, WrongValueError, ValueError) as error:
            entry.left_out = str(error)
            return entry
        target = check.target | ({"probe": check.probe} if check.probe else {}) | fitted
        target |= _tags(fields)
        others = check.others
        if not (fields.boolean("enabled", default=True) and enabled):
            target["enabled"] = False
            others = [one | {"enabled": False} for one in others]
        entry.targets = [target, *others]
        entry.differences += check.differences
        self._routes.add(entry, told, entry.before.interval_s if entry.before else INTERVAL_S)
        self._windows(fields, entry)
        return entry

    def _checked(
        self,
        fields: Fields,
        client: Fields,
        entry: Found,
        told: tuple[float | None, Sequence[alerts.Alert]],
    ) -> tuple[Check, dict[str, Any]]:
        """The check and its timing; `told`: how often a suite is checked, and the alerts."""
        interval_s, wanted = told
        url = fields.text("url")
        is_dns = "dns" in fields
        if is_dns:
            client.skip("timeout", f"Gatus waits {DNS_TIMEOUT_S:g} s for an answer of DNS, always")
        timeout_s = TIMEOUT_S if is_dns else self._duration(client, "timeout", TIMEOUT_S, entry)
        endpoint = Endpoint(
            fields=fields,
            client=client,
            texts=self._texts,
            url=url,
            name=entry.name,
            group=entry.group,
            conditions=[parse(self._texts.known(str(c))) for c in fields.listed("conditions")],
            timeout_s=DNS_TIMEOUT_S if is_dns else timeout_s,
        )
        if not endpoint.conditions:
            raise LeaveOutError("Gatus takes no endpoint without conditions")
        if client.text("tunnel"):
            raise LeaveOutError("it goes through an SSH tunnel: place a prober at its other end")
        scheme = url.partition("://")[0].lower() if "://" in url else ""
        if "${" in scheme or (not scheme and not is_dns):
            scheme = self._texts.known(url).partition("://")[0].lower()
        kind = dns if is_dns else _KINDS.get(scheme)
        if kind is None:
            raise LeaveOutError("expected a URL such as https://… or tcp://…, found another one")
        check = kind(endpoint)
        self._resolver(client, check)
        first = wanted[0] if wanted else None
        every_s = interval_s or self._duration(fields, "interval", INTERVAL_S, entry)
        fitted = fit(
            interval_s=every_s,
            timeout_s=endpoint.timeout_s,
            failures=first.failures if first else 1,
            recoveries=first.recoveries if first else 1,
        )
        before = fitted.before if first else replace(fitted.before, told_after_s=None)
        entry.before, entry.differences = before, [*entry.differences, *fitted.differences]
        return check, fitted.fields

    def _duration(self, fields: Fields, name: str, default: float, entry: Found) -> float:
        written = fields.get(name)
        if written is None:
            return default
        text = self._texts.known(str(written))
        if text.isdecimal() and int(text[:9]) > 0:
            said = f"{fields.named(name)}: {text} is taken as seconds; Gatus counts nanoseconds"
            entry.differences.append(said)
        return seconds(text, unit_s=1) or default

    def _resolver(self, client: Fields, check: Check) -> None:
        if check.target["kind"] not in _RESOLVED:
            client.skip("dns-resolver", f"kind {check.target['kind']} has no `resolver` of its own")
            return
        written = client.text("dns-resolver")
        if not written:
            return
        place = self._texts.known(written).rpartition("://")[2]
        address, _, port = place.rpartition(":")
        try:
            check.target["resolver"] = str(name_server.place_of(address if port == "53" else place))
        except ValueError:
            raise LeaveOutError(
                "its name server (dns-resolver) is a name, and has to be an address"
            ) from None

    def _external(self, fields: Fields) -> Found:
        entry = self._named(fields, fields.text("group"))
        fields.skip("token", "a job has a key of its own: portquorum heartbeat key add")
        try:
            told = alerts.alerts_of(fields, self._alerting)
            job(fields, entry, told)
            every_s = entry.before.interval_s if entry.before else INTERVAL_S
            self._routes.add(entry, told, every_s)
        except (WrongValueError, ValueError) as error:
            entry.left_out = str(error)
        self._windows(fields, entry)
        return entry

    def _suite(self, item: Item) -> None:
        if not isinstance(item.value, dict):
            self._entry(item, lambda fields: self._endpoint(fields, ""))
            return
        suite = Fields(item.value, item.file)
        name, group = str(suite.get("name", "")), str(suite.get("group", ""))
        try:
            every_s = seconds(suite.get("interval", 0)) or SUITE_INTERVAL_S
            enabled = suite.boolean("enabled", default=True)
            parts = suite.listed("endpoints")
        except ValueError as error:
            why = f"the suite {name!r}: {error}"
            self._found.unreadable.append(Unreadable(suite.place(), why))
            return
        suite.skip("timeout", "each check has its own timeout")
        suite.skip("context", "no check knows what another one was answered")
        lines = getattr(parts, "lines", [item.line] * len(parts))
        for value, line in zip(parts, lines, strict=False):
            part = Item(item.file, value, line)
            self._entry(
                part, lambda f: self._of_suite(f, name, group, every_s, enabled=enabled), group
            )
        self._found.ignored += suite.unused()

    def _of_suite(
        self, fields: Fields, suite: str, group: str, every_s: float, *, enabled: bool
    ) -> Found:
        fields.get("always-run")
        stored = fields.get("store")
        entry = self._endpoint(fields, group or suite, every_s, enabled=enabled)
        text = f"{fields.get('url')}{fields.get('body')}{fields.get('headers')}"
        if "[CONTEXT]" in text:
            entry.left_out = "it needs what another endpoint of its suite answered ([CONTEXT])"
            entry.targets = []
        elif entry.targets:
            entry.differences.append(
                f"it is checked by itself; Gatus checks the suite {suite!r} one after the other"
            )
            if stored is not None:
                entry.differences.append("what it answers is not kept for others (store)")
        return entry

    def _windows(self, fields: Fields, entry: Found) -> None:
        try:
            for position, one in enumerate(fields.children("maintenance-windows")):
                number = f" {position + 1}" if position else ""
                self._window(one, f"{entry.key}{number}", [f"key:{entry.key}"])
        except WrongValueError as error:
            self._found.unreadable.append(Unreadable(error.place, str(error)))

    def _window(self, fields: Fields, name: str, targets: list[str]) -> None:
        try:
            fields.value = {
                key: self._texts.known(one) if isinstance(one, str) else one
                for key, one in fields.value.items()
            }
            found = maintenance.window(fields, _window_name(name), targets)
        except ValueError as error:
            self._found.unreadable.append(Unreadable(fields.place(), str(error)))
            return
        if found is not None:
            self._found.maintenance.append(found)

    def _connectivity(self, fields: Fields) -> None:
        try:
            checker = fields.child("checker")
            target = checker.text("target")
        except WrongValueError as error:
            self._found.unreadable.append(Unreadable(error.place, str(error)))
            return
        checker.skip("interval", "each region asks it by itself when its checks fail")
        if target:
            self._found.connectivity.append(target)
        self._found.ignored += fields.unused(_UNKNOWN)

    def _sections(self) -> None:
        found = self._found
        for item in self._files.lists.get("announcements", [])[:1]:
            why = _SECTIONS["announcements"]
            found.ignored.append(Ignored(Place(item.file, item.line), "announcements", why))
        for name, item in self._files.sections.items():
            place = Place(item.file, item.line)
            if name == "maintenance" and isinstance(item.value, dict):
                fields = Fields(item.value, item.file, name)
                keys = [f"key:{entry.key}" for entry in found.entries]
                self._window(fields, "Gatus", list(dict.fromkeys(keys)))
                found.ignored += fields.unused()
            elif name == "connectivity" and isinstance(item.value, dict):
                self._connectivity(Fields(item.value, item.file, name))
            elif name != "alerting" or not isinstance(item.value, dict):
                other = "it holds anchors" if name.startswith("x-") else _NO_SECTION
                why = _SECTIONS.get(name, other)
                found.ignored.append(Ignored(place, name, why))


_RESOLVED: Final = frozenset({"http", "smtp", "grpc"})


def _tags(fields: Fields) -> dict[str, Any]:
    labels = fields.child("extra-labels")
    tags = [f"{name}:{labels.text(name)}"[:64] for name in labels.value]
    return {"tags": tags} if tags else {}


def _window_name(name: str) -> str:
    """A name of the inventory: at most 63 letters, digits, blanks, dots, hyphens, underscores."""
    plain = "".join(char if char.isascii() and char.isalnum() else " " for char in name)
    return " ".join(plain.split())[:63].strip() or "Gatus"


_MEANT: Final = {
    "insecure": "client.insecure",
    "timeout": "client.timeout",
    "alert": "alerts",
    "condition": "conditions",
    "ignore-redirect": "client.ignore-redirect",
    "maintenance-window": "maintenance-windows",
}


def _unused(fields: Fields) -> list[Ignored]:
    """What Gatus does not know either, with what is most likely meant."""
    return [
        one
        if one.why != _UNKNOWN or one.what not in _MEANT
        else Ignored(one.place, one.what, f"Gatus ignores it, too; {_MEANT[one.what]} is meant")
        for one in fields.unused(_UNKNOWN)
    ]


_UNKNOWN: Final = "nothing of this name is used by Gatus here"
