"""All words of the pages, in one place: a translation is another instance of `Words`.

`{n}` and other names in braces are filled in by the templates. A text with a `|` has two forms: for
one and for other numbers (`number_words.many`).
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from schemas.result import REASON_TEXT

PRODUCT: Final = "portquorum"


class ChartWords(Struct, frozen=True, kw_only=True):
    """The words of the charts."""

    days_title: str = "Uptime of the last {days} days"
    days_text: str = "{up} days up, {down} days with an outage, {unknown} days not measured"
    latency_title: str = "Latency by region, 0 to {most}"
    latency_cut_title: str = "Latency by region, 0 to {most}; peaks up to {peak} are cut"
    latency_text: str = "p50 and p95 of {regions} regions from {since} to {until}"
    verdicts_title: str = "What each region said"
    verdicts_text: str = "{regions} regions from {since} to {until}"
    report_title: str = "{title}, {least} to {most}"
    report_text: str = "{days} days from {since} to {until}, {least} to {most}"
    day: str = "Day"
    time: str = "Time"
    uptime: str = "Uptime"
    without_maintenance: str = "Without maintenance"
    down: str = "Down"
    in_maintenance: str = "In maintenance"
    measured: str = "Measured"
    region: str = "Region"
    from_: str = "From"
    to: str = "To"
    said: str = "Said"
    reason: str = "Reason"
    today: str = "today"
    nothing: str = "–"
    not_measured: str = "not measured"
    not_watched: str = "not in the inventory"
    p50_p95: str = "{p50} / {p95}"
    failed: str = "{failed} of {checks} failed"
    newest: str = "p50 {p50}, p95 {p95}"
    regions_left_out: str = "{n} more regions are in the table"
    goes_on: str = "goes on"
    set_aside: str = "set aside"
    silent: str = "{region} was silent"
    suspect: str = "{region} was set aside"


class Words(Struct, frozen=True, kw_only=True):
    """The words, by where they stand."""

    lang: str = "en"

    # On every page
    skip: str = "Skip to the content"
    menu: str = "Menu"
    pages: str = "Pages"
    overview: str = "Overview"
    targets: str = "Targets"
    incidents: str = "Incidents"
    regions: str = "Regions"
    maintenance: str = "Maintenance"
    reports: str = "Reports"
    search: str = "Search"
    search_hint: str = "name, host, port, tag, team"
    counts_label: str = "Targets by state"
    regions_report: str = "{n} of {total} regions report"
    no_regions: str = "no region reports yet"
    data_age: str = "data {age} old"
    no_data: str = "no data yet"
    history_away: str = "history is not available since {since}"
    theme: str = "Look"
    theme_auto: str = "as the system"
    theme_light: str = "light"
    theme_dark: str = "dark"
    keys: str = "Keys"
    keys_list: tuple[tuple[str, str], ...] = (
        ("/", "search"),
        ("j", "next row"),
        ("k", "previous row"),
        ("Enter", "open the row"),
        ("a", "how to acknowledge"),
        ("s", "how to silence"),
        ("r", "show what is new"),
        ("?", "these keys"),
    )
    as_json: str = "this page as JSON"
    as_csv: str = "CSV"
    history_json: str = "its history as JSON"
    checks_csv: str = "its checks as CSV"
    times_in: str = "Times are in {zone}, with UTC beside it."
    times_utc: str = "Times are UTC."
    new: str = "{n} new"
    gone: str = "{n} gone"
    show: str = "show"
    live_lost: str = "not live: the connection to this page's server is lost since {since}"
    none: str = "none"
    no_team: str = "no team"
    unknown_value: str = "not known"
    utc: str = "UTC"
    more: str = "and {n} more"

    # Blindness
    blind: str = "Not known since {since}"
    blind_starting: str = "this page still reads what is on the topics"
    blind_kafka_away: str = "Kafka does not answer"
    blind_stream_stopped: str = "the stream judges no results, so an outage would open no incident"
    blind_then: str = "What follows is as it was then."
    not_read: str = "Nothing has been read to its end yet: what is missing here may exist."
    not_seen: str = "This page does not know it, but it may have come since then."
    blind_title: str = "not known"

    # Overview
    open_incidents: str = "{n} open incident|{n} open incidents"
    of_targets: str = "{n} target|{n} targets"
    causes: str = "{n} cause|{n} causes"
    unacknowledged: str = "{n} not acknowledged"
    nothing_open: str = "No open incidents"
    all_up: str = "Each of the {n} targets that are watched is up."
    open_unknown: str = "Open incidents: not known yet"
    unknown_yet: str = "Not known yet."
    none_watched: str = "No target is watched yet: portquorum inventory apply FILE publishes some."
    state: str = "State"
    what: str = "What"
    how_long: str = "For"
    since_label: str = "for"
    was: str = "was {state}"
    since_label_long: str = "since"
    team: str = "Team"
    acknowledged: str = "Acknowledged"
    not_by: str = "not yet:"
    by: str = "by {name}"
    by_some: str = "{n} of {total}"
    silenced: str = "silenced until {time} by {name}"
    in_maintenance: str = "in maintenance: {name}"
    improved: str = "better: some regions still fail"
    more_ports: str = "and {n} more port of this host|and {n} more ports of this host"
    newest_of: str = "newest: {name},"
    behind: str = "{n} target behind it|{n} targets behind it"
    cause_region: str = "region"
    cause_unwatched: str = "nobody watches {n} target|nobody watches {n} targets"
    cause_certificate: str = "certificate"
    fails_from: str = "fails from {names}"
    answers_from: str = "answers from {names}"
    not_known_from: str = "not known from {names}"
    by_team: str = "by team"
    by_tag: str = "by tag"
    all_by_group: str = "All {n} targets"
    worst_first: str = "worst first"
    group: str = "Group"
    groups_up: str = "{n} group without trouble|{n} groups without trouble"
    all: str = "All"
    where_down: str = "By name"
    closed_24h: str = "Closed in the last 24 h"
    nothing_closed: str = "Nothing was closed in the last 24 h."
    lasted: str = "Lasted"
    lasted_time: str = "lasted {time}"
    closed: str = "Closed"
    maintenance_now: str = "Maintenance now and next"
    no_maintenance: str = "No maintenance is on, or planned."
    silences_on: str = "{n} silence is active|{n} silences are active"
    all_incidents: str = "All incidents"
    all_maintenance: str = "All windows and silences"
    until: str = "until {time}"
    on_now: str = "now"
    next: str = "next"

    # Targets
    target: str = "Target"
    found: str = "{n} target|{n} targets"
    none_found: str = "No target matches."
    clear: str = "clear all filters"
    sort: str = "Order"
    sort_state: str = "worst first"
    sort_name: str = "name"
    sort_host: str = "host"
    sort_team: str = "team"
    sort_since: str = "newest change"
    apply: str = "Show"
    next_page: str = "next 100"
    first_page: str = "from the beginning"
    tag: str = "Tag"
    kind: str = "Kind"
    criticality: str = "Criticality"
    region: str = "Region"
    source: str = "Inventory"
    failing: str = "more than half of the regions fail"
    expiring: str = "certificate ends soon"
    resolved: str = "resolved by hand"
    filters: str = "Filters"
    more_by_search: str = "others: search for them"
    host: str = "Host"
    cause: str = "Cause"
    cause_filter: str = "behind one cause"

    # Target
    no_incident: str = "No incident is open."
    because_votes: str = (
        "{down} of {fresh} regions that report fail{failing}; {need} must, for it to be down "
        "({consensus})."
    )
    because_newest: str = "By the newest results {down} of {fresh} regions fail{failing}."
    because_unknown: str = (
        "{fresh} of {configured} regions have a fresh result; nobody can judge it with fewer "
        "than {majority}."
    )
    because_retries: str = (
        "A failure counts when its retry has failed, too.|"
        "A failure counts when its {n} retries have failed, too."
    )
    because_quiet: str = "No fresh result from {names}."
    because_blocked: str = "A policy forbids its address to {names}."
    because_depends: str = "It depends on what is down: {names}."
    explain_more: str = "explain: what the rules see, and what would change it"
    explained: str = "Explained"
    what_would_change: str = "What would change it"
    explain_unknown: str = (
        "The stream does not know this target: it was not applied, or the log lost it."
    )
    explain_as_of: str = (
        "As of {time}, {age} ago; partition {partition}, offset {offset}. Times in the sentences "
        "are UTC."
    )
    explain_idle: str = "Nothing was written to the log for {age}: no prober and no stream runs."
    explain_no_checkpoint: str = "The stream has not written a checkpoint yet: it may not have run."
    explain_old_checkpoint: str = (
        "The stream's newest checkpoint is {age} old: what is said here may not have been told."
    )
    explain_incomplete: str = "The log no longer has all records since the newest checkpoint."
    says: str = "Says"
    last_at: str = "Last result"
    fresh_for: str = "Fresh"
    fresh_more: str = "{time} more"
    fresh_over: str = "no, for {time}"
    failures: str = "Failures"
    failures_of: str = "{n} of {need}"
    lately_usual: str = "Lately / usual"
    last_word: str = "last word: {word}"
    not_confirmed: str = "not confirmed"
    silent_since: str = "silent since {time}"
    asked_again: str = "Every region was asked to check the host {age} ago."
    back_to_target: str = "Back to {name}"
    slower_than: str = "over {ms} ms"
    times_usual: str = "over {times} times the usual"
    for_results: str = "in {n} result|in {n} results in a row"
    last_result: str = "Last result"
    open_incident: str = "open incident"
    spared_by: str = "nobody is told: {names}"
    window_named: str = "maintenance “{name}”"
    silence_named: str = "silence “{reason}” by {name}"
    its_incidents: str = "Incidents"
    no_its_incidents: str = "It has had no incident in this time."
    incidents_before: str = "Those before the last 24 h are not known at the moment."
    defined: str = "What was changed"
    set_by: str = "by the inventory {name}"
    seen_from: str = "seen from {names}"
    status_age: str = "states {age} old"
    regions_checks: str = "Last checks by region"
    no_checks: str = "There are no checks yet."
    no_recent_check: str = "There is no recent check."
    not_known_now: str = "Not known at the moment."
    newest: str = "newest first"
    checks_newest: str = "Checks, newest first"
    other_ports: str = "Other targets of this host"
    no_others: str = "It is the only target of its host."
    policy: str = "How it is checked"
    runbook: str = "Runbook"
    interval: str = "Interval"
    timeout: str = "Timeout"
    retries: str = "Retries"
    consensus: str = "Consensus"
    open_after: str = "Opens after"
    latency_limit: str = "Slow when"
    slo: str = "Objective"
    depends_on: str = "Depends on"
    dependents: str = "Depend on it"
    tags: str = "Tags"
    version: str = "Defined"
    identity: str = "Id"
    expects_closed: str = "must not be reachable"
    history: str = "History"
    uptime: str = "Uptime"
    latency: str = "Latency"
    not_measured: str = "not measured"
    without_maintenance: str = "{percent} without maintenance"
    in_chart: str = "in the chart"
    as_table: str = "as a table"
    without_table: str = "without the table"
    more_in_json: str = "and {n} more: they are in the JSON of this page"
    times: str = "{n} × {what}"
    older_checks: str = "{n} older one|{n} older ones"
    charts: ChartWords = ChartWords()
    past_in_part: str = "What is missing below is not known."
    no_history: str = "There is no history in this time."
    window: str = "Window"
    closer: str = "closer"
    wider: str = "wider"
    earlier: str = "earlier"
    later: str = "later"
    certificate: str = "Certificate"
    ends: str = "Ends"
    act: str = "What you can do"
    copy: str = "copy"
    copied: str = "copied"
    command_acknowledge: str = "Acknowledge: no reminders until it is over"
    command_acknowledge_all: str = "Acknowledge all {n} of its cause"
    command_silence_1h: str = "Silence for 1 h (write the reason between the quotes)"
    command_silence_4h: str = "Silence for 4 h (write the reason between the quotes)"
    command_check: str = "Check now"
    command_explain: str = "Explain"
    command_curl: str = "This page by curl"
    commands_hint: str = "This page reads only: these commands do it from a terminal."

    # Incident
    first_steps: str = "First steps"
    votes_sentence: str = "{down} of {fresh} regions that report say so; {need} are needed."
    timeline: str = "What happened"
    no_events: str = "Its events are not in the history yet."
    told: str = "Who was told"
    told_nobody: str = "There is no record of a message yet."
    channel: str = "Channel"
    answer: str = "Answer"
    event: str = "Event"
    at: str = "At"
    verdict: str = "Verdict"
    reason: str = "Reason"
    set_aside: str = "set aside: the region is suspect"
    began: str = "Began"
    opened: str = "Opened"
    severity: str = "Severity"
    episode: str = "Outage"
    episode_n: str = "number {n} of this incident"
    note: str = "Note"
    nobody_yet: str = "nobody yet"
    target_gone: str = "The target is not in the inventory any more."
    at_event: str = "as of the last event"

    # Incidents
    incidents_found: str = "{n} incident|{n} incidents"
    which: str = "Which"
    nobody: str = "nobody"
    attempt: str = "attempt {n}"
    event_votes: str = "{down} of {fresh}, {need} needed"
    only_open: str = "open"
    only_closed: str = "closed"
    open_and_closed: str = "all"
    only_24h: str = "These are those that this page still knows: open ones and those of 24 h."
    no_incidents: str = "No incident matches."
    no_known_incidents: str = "None of those that this page still knows matches."

    # Regions
    no_regions_yet: str = "There is no region yet."
    last_beat: str = "Last beat"
    never: str = "none heard"
    probers: str = "Probers"
    prober: str = "Prober"
    no_probers: str = "No prober of it is heard."
    checks_assigned: str = "Targets"
    failing_now: str = "Failing"
    lag: str = "Lag"
    spool: str = "Spool"
    clock: str = "Clock"
    clock_off: str = "off by {offset}"
    clock_right: str = "right"
    network: str = "Own network"
    network_ok: str = "works"
    network_fails: str = "fails"
    missing_secrets: str = "Missing secrets"
    cannot_judge: str = "{n} target can't be judged|{n} targets can't be judged"
    not_in_policy: str = "not in the inventory"
    internal: str = "may reach private addresses"

    # Maintenance and silences
    maintenance_and_silences: str = "Maintenance and silences"
    until_head: str = "Until"
    windows: str = "Maintenance windows"
    silences: str = "Silences"
    no_windows: str = "No maintenance window is planned."
    no_silences: str = "There is no silence."
    everything: str = "everything"
    repeats: str = "Repeats"
    once: str = "once"
    over: str = "over"
    ended_by: str = "ended by {name}"
    quoted: str = "“{words}”"

    # Reports
    report_of: str = "Report"
    days: str = "Days"
    last_days: str = "last day|last {n} days"
    nothing: str = "nothing"
    left_out: str = "and {n} more"
    report_as_of: str = (
        "As of {time}. Checks are summed up every 5 minutes: newer ones are not in it yet."
    )

    # The API
    api: str = "The REST API"
    api_short: str = "API"
    api_document: str = "OpenAPI 3.1"
    api_intro: str = (
        "What the pages show and do, for programs. Behind each path is the scope that it needs. "
        "Behind the path of a page, .json is what the API answers, and .csv the list as a file."
    )
    api_fields: str = "{n} field of the body|{n} fields of the body"
    api_parameters: str = "{n} parameter|{n} parameters"

    # Errors
    error_404: str = "There is no such page"
    error_404_target: str = "There is no target {id}"
    error_404_incident: str = "There is no incident {id}"
    error_404_help: str = "It may have been removed, or the address is not whole."
    error_400: str = "This can't be asked like that"
    without_wrong: str = "Without it"
    error_404_report: str = "There is no such report; there are {known}"
    error_long_query: str = (
        "expected at most {most} filters in an address, found more; take some away"
    )
    error_409: str = "This means several things"
    error_405: str = "This can't be done here"
    error_403: str = "This is not open to you"
    error_500: str = "This page has failed"
    error_500_help: str = "The log of portquorum web says why. Other pages may work."
    error_503: str = "This is not available now"
    back: str = "Back to the overview"


ENGLISH: Final = Words()

STATES: Final[Mapping[str, str]] = {
    "down": "down",
    "flapping": "flapping",
    "slow": "slow",
    "unknown": "unknown",
    "pending": "pending",
    "maintenance": "maintenance",
    "paused": "paused",
    "up": "up",
    "expiring": "expiring",
    "failing": "failing",
    "closed": "closed",
    "reporting": "reports",
    "silent": "silent",
    "suspect": "suspect",
    "never_heard": "never heard",
    "active": "active",
    "coming": "coming",
    "ended": "ended",
    "stale": "stale",
    "blocked": "blocked",
    "missed": "missed",
}
"""The word of each state; one that is not here is shown as it came."""

MARKS: Final[Mapping[str, str]] = {
    "down": "down",
    "flapping": "flapping",
    "slow": "slow",
    "expiring": "expiring",
    "unknown": "unknown",
    "pending": "pending",
    "maintenance": "maintenance",
    "paused": "paused",
    "up": "up",
    "failing": "slow",
    "closed": "up",
    "reporting": "up",
    "silent": "unknown",
    "suspect": "slow",
    "never_heard": "unknown",
    "active": "paused",
    "coming": "pending",
    "ended": "up",
    "stale": "unknown",
    "blocked": "unknown",
    "missed": "unknown",
}
"""The shape and colour (those of a target's state) that goes with each word."""

CLOSED_BECAUSE: Final[Mapping[str, str]] = {
    "recovered": "it recovered",
    "resolved": "resolved by hand",
    "target_removed": "the target was removed",
    "target_changed": "the target was changed",
    "policy_changed": "it is not looked at for this any more",
    "steady": "it stays down: another incident follows",
    "flapping": "it flaps: another incident follows",
    "abandoned": "nobody looks any more: no recovery",
}

BLIND: Final[Mapping[str, str]] = {
    "starting": ENGLISH.blind_starting,
    "kafka_away": ENGLISH.blind_kafka_away,
    "stream_stopped": ENGLISH.blind_stream_stopped,
}

TOLD: Final[Mapping[str, str]] = {
    "sent": "sent",
    "retrying": "is tried again",
    "dead": "given up",
    "not_sent": "not sent",
}
"""What became of a message."""

REPORTS: Final[Mapping[str, str]] = {
    "uptime": "Uptime",
    "slo": "Objectives",
    "cost": "Cost of downtime",
    "reliability": "Reliability",
}

REASONS: Final[Mapping[str, str]] = {str(reason): text for reason, text in REASON_TEXT.items()}
