"""The sections of an inventory, and the fields of regions, teams, maintenance and drills."""

from typing import Final

from portquorum.inventory.reference.fact import Facts, fact

SECTIONS: Final[Facts] = {
    "regions": fact(
        "Where checks are made from: names, each with its entry (`{}` without any). A prober is "
        "started with `--region NAME`. Jobs alone need none.",
        "{eu: {}, office: {internal: true}}",
        "section",
        default="none",
    ),
    "teams": fact(
        "Who is responsible: names, each with its entry.",
        "{database: {routes: [mail]}}",
        "section",
        default="none",
    ),
    "routes": fact(
        "Who is told, and how: names, each with its entry.",
        '{mail: {urls: ["mailtos://${MAIL}"]}}',
        "section",
        default="none; then the notifier's log alone is told",
    ),
    "defaults": fact(
        "Holds for all targets of the inventory that do not say otherwise; stands once.",
        "{timeout: 2s}",
        "section",
        default="none",
    ),
    "templates": fact(
        "Fields that targets have in common which name them by `extends:`: names, each with its "
        "entry.",
        "{web: {kind: http, port: 443}}",
        "section",
        default="none",
    ),
    "targets": fact(
        "What is watched: a list.",
        "[{host: db1.example.com, port: 5432}]",
        "section",
        default="none",
    ),
    "maintenance": fact(
        "When nobody is told of planned work: a list.",
        '[{name: patch night, targets: ["tag:prod"], start: 2026-12-01T02:00Z, duration: 2h}]',
        "section",
        default="none",
    ),
    "drill": fact(
        "How often there shall be a fire drill.", "{every: 7d}", "section", default="none"
    ),
}

REGION: Final[Facts] = {
    "internal": fact("Its probers may reach private addresses.", "true", "vantage"),
    "source": fact(
        "The address that they check from, one of their machine.",
        "10.0.0.7",
        "vantage",
        default="what the system chooses",
    ),
    "connectivity": fact(
        "References (`host:port`) by which a prober tells that its own network has failed.",
        '["192.0.2.53:53"]',
        "vantage",
        default="none",
        beside="internal: true",
    ),
    "allow": fact(
        "Networks, or addresses, that its probers may reach although they are private.",
        "[10.1.0.0/16]",
        "vantage",
        default="none",
    ),
    "deny": fact(
        "Networks, or addresses, that its probers may not reach.",
        "[203.0.113.0/24]",
        "vantage",
        default="none",
    ),
}

TEAM: Final[Facts] = {
    "routes": fact(
        "The routes that are told of its targets.", "[mail]", "audience", default="none"
    ),
    "slo": fact(
        "The objective for the uptime of its targets, in percent.",
        "99.9",
        "reports",
        default="none",
    ),
    "downtime_cost_per_hour": fact(
        "What an hour of outage of one of its targets costs.", "1200", "reports", default="none"
    ),
}

_WINDOW: Final = {
    "name": "patch night",
    "targets": '["tag:prod"]',
    "start": "2026-12-01T02:00",
    "duration": "2h",
    "timezone": "Europe/Berlin",
}


def _beside(but: str) -> str:
    return ", ".join(f"{name}: {value}" for name, value in _WINDOW.items() if name != but)


MAINTENANCE: Final[Facts] = {
    "name": fact(
        "What it is called.",
        "patch night",
        "window",
        default="must be there",
        beside=_beside("name"),
    ),
    "targets": fact(
        "Ids of targets, or `tag:NAME`.",
        '["tag:prod", db]',
        "window",
        default="must be there",
        beside=_beside("targets"),
    ),
    "start": fact(
        "When it begins, the first time: on the clock of `timezone`, or with an offset.",
        "2026-12-01T02:00",
        "window",
        default="must be there",
        beside=_beside("start"),
    ),
    "duration": fact(
        "How long it lasts.",
        "2h",
        "window",
        default="must be there",
        limits=("1ms", "366d"),
        beside=_beside("duration"),
    ),
    "rrule": fact(
        "When it comes again (RFC 5545).",
        "FREQ=MONTHLY;BYDAY=1TU",
        "window",
        default="it comes once",
        beside=_beside("rrule"),
    ),
    "timezone": fact(
        "The zone on whose clock `start` and `rrule` are.",
        "Europe/Berlin",
        "window",
        default="`UTC`; `start` needs an offset then",
        beside=_beside("timezone"),
    ),
}

DRILL: Final[Facts] = {
    "every": fact(
        "`portquorum health` warns, and operators are told, when the last fire drill is older.",
        "7d",
        "drill",
        default="must be there",
        limits=("1h", "366d"),
    ),
}
