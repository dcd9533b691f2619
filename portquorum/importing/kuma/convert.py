"""Makes an entry of each monitor: what is checked, how often, and who is told."""

import re
from collections.abc import Callable
from typing import Any, Final

from portquorum.importing.hiding import named, scrubbed
from portquorum.importing.kuma import databases, http, network, services
from portquorum.importing.kuma.fields import MonitorFields
from portquorum.importing.kuma.left_out import NO_CHECKS, LeftOutError
from portquorum.importing.kuma.monitor import Context, Monitor, Targets
from portquorum.importing.model import Found, Timing
from portquorum.importing.timing import fit
from portquorum.importing.timing import text as duration_text
from schemas.plain_text import one_line

_MAKERS: Final[dict[str, Callable[[Monitor], Targets]]] = {
    "http": http.http,
    "https": http.http,
    "keyword": http.keyword,
    "json-query": http.json_query,
    "real-browser": http.real_browser,
    "port": network.port,
    "tcp": network.port,
    "ping": network.ping,
    "tailscale-ping": network.tailscale_ping,
    "dns": network.dns,
    "smtp": network.smtp,
    "snmp": network.snmp,
    "ntp": network.ntp,
    "mqtt": network.mqtt,
    "radius": network.radius,
    "sip-options": network.sip,
    **dict.fromkeys(
        ("postgres", "mysql", "mongodb", "redis", "sqlserver", "oracledb"), databases.database
    ),
    "grpc-keyword": services.grpc,
    "websocket-upgrade": services.websocket,
    "kafka-producer": services.kafka,
    "rabbitmq": services.rabbitmq,
    "steam": services.steam,
    "gamedig": services.gamedig,
    "docker": services.docker,
    "globalping": services.globalping,
}

_USUAL_INTERVAL_S: Final = 60
_OWN_TIMEOUT_S: Final = {"port": 5.0, "dns": 10.0, "ntp": 10.0, "sip-options": 3.0, "ping": 10.0}
"""Where the field is not looked at, or usually not said (server/monitor-types/)."""

_ALWAYS_OWN: Final = frozenset({"port", "tcp", "dns", "sip-options"})
_SHARE: Final = 0.8
_MOST_BUFFER_S: Final = 31 * 86_400
_LONGEST_PURPOSE: Final = 500
_LONGEST_TAG: Final = 64
_LEAST_JOB_S, _MOST_JOB_S = 1, 366 * 86_400


class Entry:
    """What the conversion of one monitor gives, beside `Found`: whom it tells, and how often."""

    def __init__(self, found: Found, key: str, notifications: list[str], remind_s: float) -> None:
        self.found = found
        self.key = key
        self.notifications = notifications
        self.remind_s = remind_s


def entry(
    fields: MonitorFields, context: Context, groups: tuple[str, ...], *, active: bool
) -> Entry:
    """The entry of a monitor that is no group."""
    name = one_line(named(fields.text("name"))).strip() or "monitor"
    kind = fields.text("type").strip().lower()
    key = fields.text("id") or name
    monitor = Monitor(fields, context, name)
    found = Found(place=fields.place(), name=name, group=" / ".join(groups), key=f"monitor {key}")
    fields.skip("name", "type", "id")
    notifications = told(fields)
    remind_s = fields.number("resendInterval") * fields.number("interval", _USUAL_INTERVAL_S)
    common = _common(fields, active=active)
    try:
        if kind == "push":
            found.targets = _push(monitor, found)
        else:
            found.targets = _targets(monitor, found, kind)
        found.targets = [target | common for target in found.targets]
    except LeftOutError as error:
        found.targets, found.left_out, found.networked = [], str(error), error.networked
    except ValueError as error:
        found.targets, found.left_out = [], str(error)
    if found.targets:
        if len(fields.text("description")) > _LONGEST_PURPOSE:
            monitor.differs(f"its description is cut after {_LONGEST_PURPOSE} characters")
        for unknown in fields.unknown():
            monitor.differs(f"`{unknown}` is no field of Uptime Kuma, and was not used")
            fields.skip(unknown)
        found.ignored = fields.unused()
    found.differences = monitor.differences
    return Entry(found, key, notifications, remind_s)


def _targets(monitor: Monitor, found: Found, kind: str) -> Targets:
    fields = monitor.fields
    if kind in NO_CHECKS:
        raise LeftOutError(NO_CHECKS[kind], networked=False)
    make = _MAKERS.get(kind)
    if make is None:
        what = f"monitors of the type {kind[:40]!r} are not known" if kind else "it has no type"
        raise LeftOutError(what, networked=bool(kind))
    family = monitor.fields.text("ipFamily")
    if family:
        monitor.differs(
            f"all addresses of the host are tried, not only those of {family[:10]}; write an "
            "address as `host:` for one of them"
        )
    made = make(monitor)
    timing = _timing(monitor, found, kind)
    targets = [target | timing for target in made]
    if fields.flag("domainExpiryNotification"):
        host = str(made[0]["probe"]["name"] if made[0]["kind"] == "dns" else made[0]["host"])
        domain = network.domain(monitor, host)
        if domain is not None:
            monitor.differs(f"the domain {domain['host']} is watched by a target of its own")
            targets.append(domain)
    return targets


def _timing(monitor: Monitor, found: Found, kind: str) -> dict[str, Any]:
    """Interval, timeout, and how many failures tell: as in `beat` of server/model/monitor.js."""
    fields = monitor.fields
    interval = fields.number("interval", _USUAL_INTERVAL_S) or _USUAL_INTERVAL_S
    written = fields.number("timeout")
    own = min(_OWN_TIMEOUT_S.get(kind, interval * _SHARE), interval * _SHARE)
    timeout = own if kind in _ALWAYS_OWN or written <= 0 else written
    retries = int(min(max(fields.number("maxretries"), 0), 1_000_000))
    gap = fields.number("retryInterval") or interval
    fitted = fit(
        interval_s=interval,
        timeout_s=timeout,
        failures=retries + 1,
        failure_gap_s=gap,
    )
    found.before = fitted.before
    monitor.differences += fitted.differences
    return fitted.fields


def _push(monitor: Monitor, found: Found) -> Targets:
    """A job that reports itself. Its token is not taken; the operator hands it over."""
    fields = monitor.fields
    fields.skip("pushToken", "timeout")
    if fields.flag("upsideDown"):
        raise LeftOutError("upside down: nobody waits for a job to stay silent")
    interval = fields.number("interval", _USUAL_INTERVAL_S) or _USUAL_INTERVAL_S
    if not _LEAST_JOB_S <= interval <= _MOST_JOB_S:
        raise LeftOutError(f"its interval is not between {_LEAST_JOB_S} s and 366 d")
    retries = int(min(max(fields.number("maxretries"), 0), 1_000_000))
    gap = fields.number("retryInterval") or interval
    grace = min(1 + retries * gap, _MOST_BUFFER_S)
    found.before = Timing(interval_s=interval, told_after_s=grace)
    monitor.differs(
        "the job reports to another host: `portquorum heartbeat key add ID --secret TOKEN` takes "
        "its token over (the monitor's page shows it), then only the host of its address changes"
    )
    if retries:
        monitor.differs("a report with a status other than up opens an incident at once")
    written = {"interval": duration_text(interval), "grace": duration_text(grace)}
    return [{"kind": "heartbeat", **written}]


def _common(fields: MonitorFields, *, active: bool) -> dict[str, Any]:
    """Fields of targets of every kind."""
    common: dict[str, Any] = {}
    on = fields.flag("active", default=True) and not fields.flag("forceInactive")
    if not (on and active):
        common["enabled"] = False
    description = fields.text("description")[: 10 * _LONGEST_PURPOSE]
    purpose = one_line(scrubbed(description)).strip()[:_LONGEST_PURPOSE]
    if purpose:
        common["purpose"] = purpose
    tags = list(dict.fromkeys(filter(None, map(_tag, fields.listed("tags")))))
    if tags:
        common["tags"] = tags[:60]
    return common


def _tag(written: object) -> str:
    if isinstance(written, dict):
        name, value = str(written.get("name") or ""), str(written.get("value") or "")
        text = f"{name}:{value}" if name and value else name
    else:
        text = str(written) if isinstance(written, str | int) else ""
    return re.sub(r"\s+", " ", one_line(scrubbed(text))).strip()[:_LONGEST_TAG].strip()


def told(fields: MonitorFields) -> list[str]:
    """Ids, or names, of those who are told: a list, or `{"1": true}`."""
    try:
        written = fields.decoded("notificationIDList")
    except ValueError:
        return []
    if isinstance(written, dict):
        return [str(name) for name, on in written.items() if on]
    found = [one.get("id", "") if isinstance(one, dict) else one for one in _listed(written)]
    return [str(one) for one in found if one != ""]


def _listed(written: object) -> list[Any]:
    if isinstance(written, list | tuple):
        return list(written)
    return [] if written in (None, "") else [written]
