"""The fields of targets and of `defaults:`."""

from typing import Final

from portquorum.inventory.reference.fact import Facts, fact

_DAY: Final = ("0s", "1d")
_JOB: Final = "name: Nightly backup, kind: heartbeat"
_BY_CRITICALITY: Final = (
    "by `criticality`: `30s`, `1m`, `5m`; of `domain` `1d`; of a `heartbeat` `5m`, `1h`, `1d`"
)

POLICY: Final[Facts] = {
    "regions": fact(
        "The regions from which it is checked.",
        "[eu, us]",
        "regions",
        default="all of the inventory",
    ),
    "criticality": fact(
        "How much depends on it: decides the interval if none is written, and the severity of its "
        "incidents, which routes look at.",
        "critical",
        "criticality",
    ),
    "interval": fact(
        "The time between two checks; of a heartbeat, between two reports of the job (up to 366d).",
        "30s",
        "pace",
        default=_BY_CRITICALITY,
        limits=("1s", "1d"),
    ),
    "timeout": fact(
        "How long a check waits for the whole answer.",
        "2s",
        "pace",
        default="`3s`; of `domain` `20s`",
        limits=("50ms", "1h"),
        beside="interval: 5h",
    ),
    "retries": fact(
        "How often a failed check is repeated before the failure counts.",
        "2",
        "judged",
        default="`1`; with a single region `2`, if three attempts fit within the interval",
    ),
    "retry_delay": fact(
        "The wait before each retry.",
        "2s",
        "options",
        default="`1s`; of `domain` `1m`",
        limits=_DAY,
        beside="retries: 0",
    ),
    "consensus": fact(
        "How many of its regions must agree: a majority, all, or this share of them.",
        "unanimous",
        "judged",
    ),
    "open_after": fact(
        "How long it must be down before an incident opens.", "5m", "judged", limits=_DAY
    ),
    "recover_after": fact("Successes in a row of a region that count as up again.", "3", "judged"),
    "abandon_after": fact(
        "A region without a result for so long is not waited for any more.",
        "1h",
        "judged",
        limits=_DAY,
    ),
    "latency": fact(
        "What is too slow; such a target has an incident of the type `slow`.",
        "{max_ms: 250, for: 5}",
        "latency",
        default="nothing is too slow",
    ),
    "resolver": fact(
        "The name server that is asked for the host: an IP address, with a port if it is not 53.",
        '"192.0.2.53:5353"',
        "options",
        default="that of the prober's system",
    ),
    "max_ms": fact(
        "The longest time of a check that is up, in ms: one that takes longer has failed "
        "(`too_slow`). Below the `timeout`.",
        "800",
        "options",
        default="none",
    ),
    "team": fact("The team that is responsible; its routes are told.", "database", "words"),
    "tags": fact(
        "Words by which routes, silences and maintenance windows find it.",
        "[prod, rack-7]",
        "words",
        default="none",
    ),
    "runbook": fact(
        "Where it says what to do, for those who are woken: in every event and message.",
        "https://wiki.example.com/db",
        "words",
    ),
    "slo": fact(
        "The objective for its uptime, in percent.", "99.9", "reports", default="that of the team"
    ),
    "downtime_cost_per_hour": fact(
        "What an hour of outage costs.", "1200", "reports", default="that of the team"
    ),
}
"""Fields that targets, templates and `defaults:` have in common."""

DEFAULTS: Final[Facts] = {
    **POLICY,
    "zone": fact(
        "The time zone of the schedules of heartbeats that do not name their own.",
        "Europe/Berlin",
        "job_clock",
        default="`UTC`",
    ),
}

TARGET: Final[Facts] = {
    "name": fact(
        "What people call it, in every message and on every page.",
        "Production DB - PostgreSQL 5432",
        "words",
        default="host and port",
        beside="id: prod-db",
    ),
    "id": fact(
        "What commands and other targets call it, and what its history goes by.",
        "prod-db",
        "another_target",
        default="made from the name, else from host and port",
    ),
    "kind": fact(
        "What is checked; each kind has its own options under `probe:`.", "postgres", "moved"
    ),
    "host": fact(
        "A host name or an IP address, without scheme, port or path.",
        "db1.example.com",
        "moved",
        default="must be there; a `heartbeat` has none",
        hostless=True,
        beside="port: 5432",
    ),
    "port": fact(
        "The port.",
        "5432",
        "moved",
        default="that of the kind; `tcp` and `udp` must have one, `icmp`, `domain` and `heartbeat` "
        "have none",
    ),
    "probe": fact(
        "The options of the kind.",
        "{tls: implicit, warn_days: 30}",
        "options",
        default="those of the kind",
        beside="kind: redis",
    ),
    "purpose": fact(
        "What it is for, in a sentence; `inventory doc` shows it.", "orders and payments", "words"
    ),
    "depends_on": fact(
        "Ids of targets without which this one can't work: while one of them is down, nobody is "
        "told of this one.",
        "[core-switch]",
        "dependencies",
        default="none",
    ),
    "expect": fact(
        "`closed`: the port must not be reachable, and open is down (`tcp` and `udp`).",
        "closed",
        "moved",
    ),
    "ports": fact(
        "Several ports in place of `port`, and ranges of them: one target for each, with the port "
        "behind its id and name.",
        '[25, 587, "8000-8003"]',
        "section",
        default="none",
        hostless=True,
        beside="host: db1.example.com",
    ),
    "extends": fact(
        "Templates whose fields hold where this does not say otherwise; of several the later wins.",
        "web",
        "section",
        default="none",
    ),
    "enabled": fact("`false`: nobody checks it, and it has no incidents.", "false", "enabled"),
    "schedule": fact(
        "When a job reports, in place of an interval: the five fields of crontab(5), or "
        "`@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. In quotes where it begins with `*` "
        "or `@`. Of a `heartbeat` alone.",
        "0 3 * * *",
        "job_clock",
        default="the `interval`",
        hostless=True,
        beside=_JOB,
    ),
    "zone": fact(
        "The time zone on whose clock the `schedule` is. Of a `heartbeat` alone.",
        "Europe/Berlin",
        "job_clock",
        default="that of `defaults:`, else `UTC`",
        hostless=True,
        beside=f"{_JOB}, schedule: 0 3 * * *",
    ),
    "grace": fact(
        "How late a report may be. Of a `heartbeat` alone.",
        "30m",
        "job_deadline",
        default="a tenth of the interval, or of the shortest time between two of the schedule; "
        "`1m` to `1h`",
        limits=("1s", "31d"),
        hostless=True,
        beside=_JOB,
    ),
    "max_runtime": fact(
        "How long a run may last that reported its start. Of a `heartbeat` alone.",
        "2h",
        "job_deadline",
        default="no limit",
        limits=("1s", "31d"),
        hostless=True,
        beside=_JOB,
    ),
    **POLICY,
}

LATENCY: Final[Facts] = {
    "max_ms": fact(
        "The longest time that is not slow, in ms. Below the `timeout`.",
        "250",
        "latency",
        default="none",
    ),
    "for": fact("So many slow results in a row of a region are slow.", "5", "latency"),
    "times_usual": fact("So many times the usual time is slow.", "3", "latency", default="none"),
    "warn_ahead": fact(
        "A time that rises, and will reach `max_ms` within so long, is slow already.",
        "2d",
        "latency",
        default="none",
        limits=("1ms", "30d"),
        beside="max_ms: 250",
    ),
    "of": fact(
        "The time that is meant: of the connection, or of the whole check.",
        "total",
        "latency",
        default="`total` of `http`, `websocket`, `grpc`, `dns` and `domain`, else `connect`",
        beside="max_ms: 250",
    ),
}
