"""The fields of routes, and of what stands within them."""

from typing import Final

from portquorum.inventory.reference.fact import Facts, fact

_URL: Final = '["slack://${A}/${B}/${C}"]'
_ALL: Final = "all"
_CLOCK: Final = "timezone: Europe/Berlin"

ROUTE: Final[Facts] = {
    "urls": fact(
        "The channels that are told, with secrets as `${NAME}` from the notifier's environment.",
        '["mailtos://${MAIL}"]',
        "channels",
        default="none; a route has these or a `rotation`",
    ),
    "severities": fact(
        "Takes incidents of these severities.", "[critical]", "audience", default=_ALL
    ),
    "incident_types": fact(
        "Takes incidents of these types.", "[unreachable, flapping]", "audience", default=_ALL
    ),
    "criticalities": fact(
        "Takes incidents of targets of these criticalities.",
        "[critical, important]",
        "audience",
        default=_ALL,
    ),
    "teams": fact(
        "Takes incidents of targets of these teams, although they do not name the route; `*` "
        "stands for any characters, alone also for those without a team.",
        '[database, "web-*"]',
        "audience",
        default=_ALL,
    ),
    "tags": fact(
        "Takes incidents of targets with one of these tags; `*` stands for any characters.",
        '[prod, "rack-*"]',
        "audience",
        default=_ALL,
    ),
    "targets": fact(
        "Takes incidents of these targets, by id; `*` stands for any characters.",
        '["db-*"]',
        "audience",
        default=_ALL,
    ),
    "kinds": fact(
        "Takes incidents of targets of these kinds; `*` stands for any characters.",
        "[postgres, mysql]",
        "audience",
        default=_ALL,
    ),
    "regions": fact(
        "Takes outages that one of these regions sees, and what befalls these regions.",
        "[eu]",
        "audience",
        default=_ALL,
    ),
    "when": fact(
        "The hours in which it takes what comes. Hours over midnight belong to the day on which "
        "they begin.",
        '["mon-fri 18:00-08:00", "sat,sun"]',
        "audience",
        default="always",
        beside=_CLOCK,
    ),
    "timezone": fact(
        "The zone on whose clock `when`, `quiet` and `rotation` are.",
        "Europe/Berlin",
        "audience",
        default="`UTC`, with a warning",
    ),
    "stop": fact(
        "`true`: routes after it are not looked at if it took the event.", "true", "audience"
    ),
    "default": fact(
        "`true`: takes what no other route took; `false`: does not.",
        "true",
        "audience",
        default="it does if no route says `true`, no team and no other route names it, and it "
        "has no `teams` and is not `operators`",
    ),
    "operators": fact(
        "`true`: takes what befalls regions, targets that nobody can judge, an outage of very many "
        "targets, and overdue fire drills.",
        "true",
        "audience",
    ),
    "rotation": fact(
        "Who is on duty is told, too.",
        '{people: {ann: ["mailtos://${ANN}"], bob: ["mailtos://${BOB}"]}, since: 2026-11-30}',
        "channels",
        default="none",
        beside=_CLOCK,
    ),
    "quiet": fact(
        "Hours in which people are told nothing; at their end they are told what is true then.",
        "{hours: 22:00-07:00, unless: [critical]}",
        "messages",
        default="none",
        beside=_CLOCK,
    ),
    "group_interval": fact(
        "The least time between two messages to people; what comes meanwhile is one message.",
        "5m",
        "messages",
        default="the notifier's (`30s`)",
        limits=("0s", "24h"),
    ),
    "remind_every": fact(
        "An outage that nobody acknowledged is told again so often; `0s`: never.",
        "4h",
        "messages",
        default="`0s`",
        limits=("1m", "30d"),
    ),
    "escalate": fact(
        "Who else is told, and when, if nobody has acknowledged by then.",
        "[{after: 15m, routes: [boss]}]",
        "messages",
        default="none",
    ),
    "limit": fact(
        "At most so many messages to a channel of people in any such time: 1 to 1000 in `1m` to "
        "`24h`. What is held is one message when there is room.",
        "20 in 1h",
        "messages",
        default="none",
    ),
    "fallback": fact(
        "Routes that are told, too, when a channel of this one has not confirmed for "
        "`fallback_after`.",
        "[boss]",
        "fallback",
        default="none",
    ),
    "fallback_after": fact(
        "How long a channel may take to confirm before its `fallback` is told.",
        "5m",
        "fallback",
        limits=("0s", "24h"),
    ),
    "missed": fact(
        "Whether an outage that came and went before anybody could be told is one message "
        "(`tell`), or none (`drop`).",
        "drop",
        "messages",
    ),
    "templates": fact(
        "Texts of one's own (Jinja2).",
        '{subject: "[{{ severity }}] {{ count }} targets"}',
        "messages",
        default="the usual texts",
    ),
}

ROTATION: Final[Facts] = {
    "people": fact(
        "Names, each with its channels, in the order of their turns.",
        '{ann: ["mailtos://${ANN}"], bob: ["mailtos://${BOB}"]}',
        "channels",
        default="must be there",
    ),
    "since": fact(
        "The date on which the first turn begins.",
        "2026-11-30",
        "channels",
        default="must be there",
    ),
    "every": fact("How long a turn is, in whole days.", "14d", "channels", limits=("1d", "366d")),
    "handover": fact("The time of day at which the next one takes over.", '"08:00"', "channels"),
}

QUIET: Final[Facts] = {
    "hours": fact(
        "As `when` of a route.",
        '[22:00-07:00, "sat,sun"]',
        "messages",
        default="must be there",
    ),
    "unless": fact(
        "Severities that are told all the same.",
        "[critical]",
        "messages",
        default="none",
        beside="hours: 22:00-07:00",
    ),
}

ESCALATION: Final[Facts] = {
    "after": fact(
        "How long nobody may have acknowledged.",
        "15m",
        "messages",
        default="must be there",
        limits=("1m", "30d"),
    ),
    "routes": fact("Who is told then.", "[boss]", "messages", default="must be there"),
}

TEMPLATES: Final[Facts] = {
    "subject": fact(
        "The subject, or the first line.",
        '"[{{ severity }}] {{ count }} targets"',
        "messages",
        default="the usual text",
    ),
    "text": fact("The text.", '"{{ count }} targets"', "messages", default="the usual text"),
    "html": fact(
        "The text of a mail as HTML.",
        '"<b>{{ count }}</b> targets"',
        "messages",
        default="the usual text",
    ),
    "short": fact(
        "The text of an SMS.",
        '"{{ count }} targets"',
        "messages",
        default="the usual text",
    ),
}
