"""All words of the pages, in one place: a translation is another instance of `Words`.

`{n}` and other names in braces are filled in by the templates. A text with a `|` has two forms: for
one and for other numbers (`number_words.many`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from portquorum.web.heartbeat_words import HeartbeatWords
from portquorum.web.posting_words import PostingWords
from schemas.result import REASON_TEXT

PRODUCT: Final = "portquorum"


class JobWords(Struct, frozen=True, kw_only=True):
    """The words of jobs, which report themselves."""

    title: str = "What it reports"
    reports_csv: str = "its reports as CSV"
    policy: str = "Whose it is"
    kind: str = "heartbeat: a job that reports itself"
    reports: str = "Reports"
    every: str = "every {length}"
    every_day: str = "every day"
    every_minute: str = "every minute"
    every_minutes: str = "every {n} minutes"
    each_hour: str = "each hour at {minutes}"
    at_times: str = "at {times}"
    days_of_month: str = "on day {days} of the month"
    weekdays: tuple[str, ...] = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
    grace: str = "May be late by"
    max_runtime: str = "May run for"
    last_report: str = "Last report"
    last_success: str = "Last success"
    none_yet: str = "none yet"
    ago: str = "ago"
    running: str = "Running"
    since: str = "since"
    due: str = "Next report due"
    was_due: str = "Report was due"
    missed_from: str = "missed from"
    runs: str = "Last runs"
    no_runs: str = "No report is kept."
    began: str = "Began"
    ended: str = "Ended"
    took: str = "Took"
    end: str = "End"
    exit_code: str = "Exit code"
    output: str = "Output"
    not_said: str = "not reported"
    not_ended: str = "no end"
    pinged: str = "Its address"


class ChartWords(Struct, frozen=True, kw_only=True):
    """The words of the charts."""

    days_title: str = "Uptime of the last {days} days"
    days_text: str = "{up} days up, {down} days with an outage, {unknown} days not measured"
    latency_title: str = "Latency by region, 0 to {most}"
    latency_cut_title: str = "Latency by region, 0 to {most}; peaks up to {peak} are cut"
    latency_text: str = "p50 and p95 of {regions} regions from {since} to {until}"
    durations_title: str = "How long runs took, 0 to {most}"
    durations_unknown: str = "Runs; of none that ended well it is known how long it took"
    durations_text: str = "Median and p95 of the runs from {since} to {until}"
    newest_run: str = "newest {took}"
    runs: str = "Runs"
    failed_runs: str = "Failed"
    median: str = "Median"
    p95: str = "p95"
    longest_run: str = "Longest"
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


class FormWords(Struct, frozen=True, kw_only=True):
    """The words of the pages that change something."""

    # On several of them
    required: str = "required"
    needed: str = "expected some text, found none"
    wrong_title: str = "Nothing was changed yet"
    unsent: str = "Not sent: the server of this page does not answer. Try again."
    errors_title: str = (
        "Nothing was changed: {n} field is wrong|Nothing was changed: {n} fields are wrong"
    )
    without: str = "Cancel"
    yes: str = "yes"
    no: str = "no"
    usual: str = "as usual"
    usually: str = "Usually {value}."
    one_a_line: str = "One per line, or separated by commas."
    as_yaml: str = "YAML or JSON."
    with_commas: str = "Separated by commas."
    choose: str = "expected a choice, found none"
    save: str = "Save"
    remove: str = "Remove"
    undo: str = "Undo"
    note: str = "Note"
    why: str = "Why"
    why_hint: str = "Other people read this."
    why_needed: str = "expected a reason for other people to read, found none"
    as_command: str = "as a command"
    beyond: str = "you may change targets of {within} only, and {name} is not one of them"
    not_understood: str = "this form was changed on its way here: open it again"
    in_file: str = "in the file “{source}”: change it there"

    # Until when
    how_long: str = "For how long"
    or_until: str = "Or until"
    or_until_hint: str = "If you fill this in, it is used instead."
    times_of: str = "The time zone is {zone}."
    in_the_past: str = "expected a time in the future, found one in the past"
    end_needed: str = "expected an end, found none"
    until_when: str = "Until when"
    until_resumed: str = "until somebody resumes it"
    lengths: Mapping[str, str] = MappingProxyType(
        {
            "30m": "30 minutes",
            "1h": "1 hour",
            "4h": "4 hours",
            "12h": "12 hours",
            "1d": "1 day",
            "3d": "3 days",
            "7d": "7 days",
        }
    )

    # Incidents
    acknowledge: str = "Acknowledge"
    acknowledge_this: str = "acknowledge {name}"
    of_incident: str = "{name}: {why}"
    note_hint: str = "Optional: what you will do next."
    all_of_cause: str = (
        "all {n} incidents with the same cause|all {n} incidents with the same cause"
    )
    resolve: str = "Resolve"
    resolve_note: str = (
        "It is closed by hand. If most regions still do not reach the target, it stays down, and "
        "no new incident opens until they have reached it once."
    )
    add_note: str = "Add a note"
    notes: str = "Notes"
    silence: str = "Silence"
    silence_note: str = "It is checked as before; nobody is told until the silence ends."

    # Targets
    new_target: str = "Add a target"
    edit: str = "Edit"
    edit_target: str = "Edit {name}"
    check_now: str = "Check now"
    check_note: str = "Once, from this machine: the answer is shown here, and not recorded."
    checked_up: str = "It is up"
    checked_down: str = "It is down"
    checked_at: str = "checked from this machine, {address}"
    show_options: str = "Show its options"
    kind_hint: str = "Another kind has other options."
    kind_port: str = "{kind}, port {port}"
    usual_port: str = "Usually {port}."
    no_port: str = "This kind has no port."
    what_is_checked: str = "What is checked"
    whose_it_is: str = "Who is responsible"
    how_it_is_checked: str = "How it is checked"
    more_options: str = "More options"
    options_of: str = "Options of {kind}"
    host_needed: str = "expected a host name or an IP address, found none"
    two_ports: str = "expected one port, found {port} here and another one in the field Port"
    no_id: str = "expected an id: none can be made from name, host and port"
    of_a_file: str = "{name} is in the file “{source}”: change it there, and apply that inventory"
    pause: str = "Pause"
    pause_note: str = "It is not checked, and its open incidents close."
    resume: str = "Resume"
    resume_note: str = "It is checked again from now on, as a new target."
    remove_target: str = "Remove a target"
    remove_target_note: str = (
        "{name} is not checked any more, and its open incidents close. Its history stays."
    )
    depend_on_it: str = "{n} target depends on it.|{n} targets depend on it."
    entry_labels: Mapping[str, str] = MappingProxyType(
        {
            "host": "Host",
            "port": "Port",
            "name": "Name",
            "team": "Team",
            "tags": "Tags",
            "criticality": "Criticality",
            "purpose": "What it is for",
            "runbook": "Runbook",
            "interval": "Interval",
            "regions": "Regions",
            "depends_on": "Depends on",
            "timeout": "Timeout",
            "retries": "Retries",
            "retry_delay": "Time between retries",
            "consensus": "Consensus",
            "open_after": "Opens after",
            "recover_after": "Successes until it is up again",
            "abandon_after": "Abandoned after",
            "latency": "Slow when",
            "max_ms": "Down when slower than (ms)",
            "expect": "The port should be",
            "resolver": "DNS server",
            "slo": "Objective (percent)",
            "downtime_cost_per_hour": "Cost of an hour of downtime",
            "id": "Id",
            "kind": "Kind",
            "probe": "Options",
            "enabled": "Checked",
        }
    )
    entry_hints: Mapping[str, str] = MappingProxyType(
        {
            "host": "A name or an address. host:port fills in both fields.",
            "name": "If empty: host and port.",
            "tags": "Separated by commas.",
            "runbook": "The address of the page that says what to do.",
            "interval": "30s, 5m. If empty, by criticality: 30s, 1m or 5m.",
            "regions": "If none is chosen: all regions.",
            "depends_on": (
                "Ids of targets, separated by commas. While one of them is down, nobody is told of "
                "this target."
            ),
            "timeout": "2s. If empty: 3s.",
            "retry_delay": "1s",
            "consensus": "quorum, unanimous, or a fraction such as 0.5.",
            "open_after": "How long it must be down: 30s, 5m.",
            "abandon_after": "30m",
            "latency": "YAML: max_ms: 250",
            "resolver": "The address of a DNS server. If empty: that of the system.",
            "slo": "99.9",
            "id": "Small letters, digits, dots, hyphens. If empty, it is made from the name.",
        }
    )
    phases: Mapping[str, str] = MappingProxyType(
        {
            "dns_ms": "name",
            "connect_ms": "connection",
            "tls_ms": "TLS",
            "dialogue_ms": "dialogue",
            "dns": "name",
            "connect": "connection",
            "tls": "TLS",
            "dialogue": "dialogue",
        }
    )

    # Silences
    new_silence: str = "Add a silence"
    preview: str = "Show what this means"
    of_what: str = "What is silenced"
    match_note: str = (
        "Several values of one field are alternatives; the fields must all fit. An asterisk stands "
        "for any characters."
    )
    more_conditions: str = "More conditions"
    would_match_targets: str = "It would match {n} target|It would match {n} targets"
    would_match_incidents: str = "{n} open incident|{n} open incidents"
    would_match_all: str = "This has no condition: nobody would be told of anything."
    would_match_none: str = "It matches nothing now."
    match: Mapping[str, str] = MappingProxyType(
        {
            "targets": "Targets",
            "tags": "Tags",
            "teams": "Teams",
            "kinds": "Kinds",
            "regions": "Regions",
            "severities": "Severities",
            "incident_types": "Types of incidents",
            "criticalities": "Criticalities",
        }
    )
    match_hints: Mapping[str, str] = MappingProxyType(
        {
            "targets": "Ids, one per line: db-1, db-*.",
            "tags": "One of them is enough; separated by commas.",
            "teams": "Separated by commas.",
            "kinds": "tcp, postgres",
            "regions": "Regions that see it down.",
        }
    )
    end_silence: str = "End this silence"
    end_silence_short: str = "end"
    end_this: str = "end the silence {name}"
    end_silence_note: str = "People are told now of what is still down."
    silence_is: str = "“{reason}” by {name}, until {until}."
    no_silence: str = "There is no silence {id}"

    # Maintenance
    new_window: str = "Plan maintenance"
    edit_window: str = "Edit the window {name}"
    remove_window: str = "Remove the window {name}"
    window_note: str = (
        "During the maintenance nobody is told of its targets, and reports count it apart."
    )
    window_name: str = "Name"
    window_name_hint: str = "Shown beside each target during the maintenance."
    window_targets: str = "Targets"
    window_targets_hint: str = "Ids, or tag:NAME; one per line."
    window_start: str = "Begins"
    window_zone: str = "Time zone"
    window_zone_hint: str = "Such as Europe/Berlin: begin and rule use its clock."
    window_duration: str = "Lasts"
    window_duration_hint: str = "30m, 2h"
    window_rule: str = "Repeats"
    window_rule_hint: str = "A rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=SU. If empty: once."
    window_covers: str = "It covers {n} target.|It covers {n} targets."
    window_of_a_file: str = "{name} is in the file “{source}”: change it there, and apply it"
    no_window: str = "There is no maintenance window {name}"

    # Many at once
    change_these: str = "Change this one|Change these {n}"
    what_to_do: str = "What to do"
    bulk_actions: Mapping[str, str] = MappingProxyType(
        {
            "pause": "Pause: they are not checked",
            "resume": "Resume: check them again",
            "patch": "Change fields",
            "remove": "Remove",
        }
    )
    bulk_would: Mapping[str, str] = MappingProxyType(
        {
            "pause": "This pauses {n} target|This pauses {n} targets",
            "resume": "This resumes {n} target|This resumes {n} targets",
            "patch": "This changes {n} target|This changes {n} targets",
            "remove": "This removes {n} target|This removes {n} targets",
        }
    )
    bulk_do: Mapping[str, str] = MappingProxyType(
        {
            "pause": "Pause {n} target|Pause {n} targets",
            "resume": "Resume {n} target|Resume {n} targets",
            "patch": "Change {n} target|Change {n} targets",
            "remove": "Remove {n} target|Remove {n} targets",
        }
    )
    bulk_did: Mapping[str, str] = MappingProxyType(
        {
            "pause": "{n} target was paused|{n} targets were paused",
            "resume": "{n} target was resumed|{n} targets were resumed",
            "patch": "{n} target was changed|{n} targets were changed",
            "remove": "{n} target was removed|{n} targets were removed",
        }
    )
    bulk_by: str = "By {name}, {time}."
    bulk_was_undo: str = "It undid an earlier change."
    bulk_undone: str = "{name} has undone it."
    bulk_none: str = "Nothing is left to change."
    left_out_title: str = "Left out"
    left_out: Mapping[str, str] = MappingProxyType(
        {
            "file": "{n} is in a file: change it there|{n} are in files: change them there",
            "limits": "{n} is outside your limits|{n} are outside your limits",
            "same": "{n} needs no change|{n} need no change",
            "wrong": "{n} would be wrong then|{n} would be wrong then",
            "changed": "{n} was changed since|{n} were changed since",
        }
    )
    these_targets: str = "These"
    empty_stays: str = "If empty, it stays as it is."
    add_tags: str = "Add tags"
    remove_tags: str = "Remove tags"
    nothing_to_change: str = "expected a field or a tag to change, found none"
    undo_note: str = "It can be undone. What was changed since stays as it is."
    no_change: str = "There is no change {id} that can be undone"

    # Who may come in
    account: str = "Account"
    access: str = "Access"
    you_are: str = "You are {name}"
    you_are_local: str = (
        "Nobody has an account yet: everybody on this machine may do everything. With the first "
        "user everybody has to sign in."
    )
    you_may: str = "You may"
    your_limits: str = "Your limits"
    signed_in_by: str = "Signed in by"
    vias: Mapping[str, str] = MappingProxyType(
        {
            "local": "being on this machine",
            "password": "password",
            "token": "a token",
            "oidc": "single sign-on",
            "proxy": "the proxy in front of this page",
        }
    )
    sign_out: str = "Sign out"
    sessions: str = "Where you are signed in"
    session_this: str = "this browser"
    session_seen: str = "Last seen"
    session_began: str = "Since"
    session_ends: str = "Ends"
    end_session: str = "end"
    change_password: str = "Change the password"
    old_password: str = "Current password"
    new_password: str = "New password"
    new_password_rule: str = "At least 12 characters. All other sessions end."
    new_password_hint: str = "If empty, it stays as it is."
    password: str = "Password"
    password_hint: str = "If empty, they can sign in by single sign-on or the proxy only."
    password_again: str = "New password again"
    not_the_same: str = "the two passwords are not the same"
    users: str = "Users"
    user: str = "User"
    no_users: str = "There is no user yet."
    new_user: str = "Add a user"
    user_name: str = "Name"
    user_name_hint: str = "Small letters, digits, dots, hyphens; an e-mail address, too."
    user_taken: str = "this name is taken"
    user_since: str = "Here since {time}."
    signed_in: str = "Signed in on {n} device now.|Signed in on {n} devices now."
    not_signed_in: str = "Not signed in now."
    n_sessions: str = "{n} session|{n} sessions"
    no_user: str = "There is no user {name}"
    remove_user: str = "Remove {name}"
    remove_user_note: str = "Their sessions and tokens end at once."
    disabled: str = "Disabled: can't sign in"
    is_disabled: str = "disabled"
    invite: str = "Invite somebody"
    make_link: str = "Make a link"
    link_made: str = "This link makes one user, within 24 hours. It is shown only now."
    scope: str = "May"
    scopes: Mapping[str, str] = MappingProxyType(
        {
            "viewer": "read (viewer)",
            "operator": "read, acknowledge, silence, pause (operator)",
            "admin": "everything (admin)",
        }
    )
    limit_teams: str = "Only targets of these teams"
    limit_tags: str = "Only targets with these tags"
    limit_hint: str = "Separated by commas. If both are empty: all targets."
    limits: str = "Limits"
    no_limits: str = "none"
    tokens: str = "Tokens"
    token: str = "Token"
    no_tokens: str = "There is no token."
    new_token: str = "Make a token for a program"
    make_token: str = "Make it"
    token_name: str = "What it is for"
    token_name_hint: str = "deploy, dashboard"
    token_made: str = "Copy it now: this page does not show it again."
    token_owner: str = "By"
    token_ends: str = "Ends"
    token_begins: str = "pq_{id}_…"
    token_used: str = "Last used"
    never: str = "never"
    ends_after: str = "Ends after"
    days: str = "{n} day|{n} days"
    never_ends: str = "never"
    revoke: str = "Revoke"
    revoke_short: str = "revoke"
    revoke_token: str = "Revoke {name}"
    revoke_note: str = "Programs that use it are refused at once."
    no_token: str = "There is no token {id}"

    # What was done
    audit: str = "Audit log"
    audit_none: str = "Nothing was changed yet."
    audit_by: str = "By"
    audit_about: str = "About"
    audit_when: str = "When"
    audit_what: str = "What"
    audit_who: str = "Who"
    audit_older: str = "older ones"
    more_fields: str = "and {n} more field|and {n} more fields"
    its_fields: str = "{n} field|{n} fields"
    undone: str = "undone by {name}"
    from_to: str = "{before} → {after}"

    # Inventories
    inventory: str = "Inventory of this page"
    inventory_note: str = (
        "Targets that were added on this page. You can download them as a file for portquorum "
        "inventory apply."
    )
    inventory_none: str = "No target was added here yet."
    inventory_download: str = "Download as YAML"
    inventory_files: str = "Inventories of files"
    inventory_files_note: str = (
        "These targets are written in files. To change one, edit the file and run portquorum "
        "inventory apply."
    )


class Words(Struct, frozen=True, kw_only=True):
    """The words, by where they stand."""

    lang: str = "en"
    forms: FormWords = FormWords()
    posting: PostingWords = PostingWords()
    heartbeats: HeartbeatWords = HeartbeatWords()

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
    keys: str = "Keyboard"
    keys_list: tuple[tuple[str, str], ...] = (
        ("/", "search"),
        ("j", "next row"),
        ("k", "previous row"),
        ("Enter", "open the row"),
        ("a", "acknowledge the row"),
        ("s", "silence the row"),
        ("p", "pause the row"),
        ("Escape", "close what was opened"),
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
    down_resolved: str = (
        "{n} target is down without an incident: it was resolved by hand"
        "|{n} targets are down without an incident: they were resolved by hand"
    )
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
    by: str = "by {name}"
    by_some: str = "{n} of {total}"
    silenced: str = "silenced until {time} by {name}"
    paused_until: str = "paused by {name} until {time}"
    paused_by: str = "paused by {name} until it is resumed"
    disabled_in: str = "disabled in {name} (enabled: false)"
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
    job: str = "job"
    jobs: JobWords = JobWords()
    job_failing: str = "its last run failed"
    late: str = "its report is late"
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
    commands_hint: str = "Commands for a terminal"

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
    receivers: str = "Receivers"
    receiver: str = "Receiver"
    no_receivers: str = "No receiver is heard."
    takes_reports: str = "takes the reports of jobs"
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
        "Behind the path of a page, .json is what the API answers, and .csv the list as a file. "
        "What has versions takes the headers If-Match and If-None-Match, each POST Idempotency-Key."
    )
    api_fields: str = "{n} field of the body|{n} fields of the body"
    api_parameters: str = "{n} parameter|{n} parameters"

    # Errors
    error_404: str = "There is no such page"
    error_404_target: str = "There is no target {id}"
    error_404_incident: str = "There is no incident {id}"
    error_404_past: str = "The history of a removed target stays:"
    error_404_incidents: str = "its incidents"
    error_404_help: str = "It may have been removed, or the address is not complete."
    error_400: str = "This request is wrong"
    without_wrong: str = "Show it without that filter"
    error_404_report: str = "There is no such report; there are {known}"
    error_long_query: str = (
        "expected at most {most} filters in an address, found more; take some away"
    )
    error_409: str = "This can't be done now"
    error_405: str = "This can't be done here"
    error_403: str = "You may not do this"
    error_500: str = "This page has failed"
    error_500_help: str = "The log of portquorum web says why. Other pages may work."
    error_503: str = "This is not available now"
    back: str = "Back to the overview"
    asks_again: str = "This page asks again by itself."

    # Sign-in
    sign_in: str = "Sign in"
    user_name: str = "User"
    password: str = "Password"
    sign_in_by: str = "Sign in by {name}"
    sign_out: str = "Sign out"
    signed_out: str = "You are signed out."
    no_users: str = (
        "There are no users yet. On the machine of portquorum: portquorum user add NAME --scope "
        "admin, or portquorum user link, which prints a link that makes one."
    )
    signed_in_as: str = "You are signed in as {name}."
    go_on: str = "Go on"
    welcome: str = "Make your user"
    welcome_scope: str = "This link makes one user with the scope {scope}, once."
    welcome_teams: str = "This user may change targets of {teams} only."
    welcome_over: str = "This link does not work any more"
    welcome_over_why: str = (
        "It was used, or it is older than 24 h. An admin makes another one: portquorum user link."
    )
    new_password: str = "Password, 12 characters or more"
    new_password_again: str = "The same password again"
    not_the_same: str = "the two passwords are not the same"
    not_yet: str = "it is not known yet whether this link is good: ask again in a moment"
    make_user: str = "Make the user and sign in"
    user_name_hint: str = "small letters, digits and . _ @ + -"


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
    "late": "late",
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

RUN_ENDS: Final[Mapping[str, str]] = {
    "success": "succeeded",
    "fail": "failed",
    "running": "running",
    "lost": "no end reported",
}
"""How a run ended."""

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
    "late": "slow",
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
    "target_paused": "the target was paused",
    "policy_changed": "it is not looked at for this any more",
    "steady": "it stays down: another incident follows",
    "flapping": "it flaps: another incident follows",
    "abandoned": "nobody looks any more: no recovery",
}

DONE: Final[Mapping[str, str]] = {
    "acknowledged": "Acknowledged: no reminders until it is over.",
    "resolved": "Resolved by hand.",
    "known": "That was already done.",
    "closed": "It was already closed.",
    "unanswered": "Saved. The stream has not confirmed it yet: this page will show it.",
    "noted": "The note is saved.",
    "silenced": "Silenced: nobody is told.",
    "silence-written": "Saved. The notifier has not confirmed it yet.",
    "silence-ended": "The silence has ended.",
    "added": "Added: its first check is on its way.",
    "job-added": "Added: make a key, and report with it.",
    "changed": "Changed.",
    "paused": "Paused: it is not checked.",
    "resumed": "Resumed: it is checked again.",
    "removed": "Removed.",
    "window-saved": "The window is saved.",
    "window-removed": "The window is removed.",
    "bulk-done": "Done.",
    "nothing-changed": "Nothing had to be changed.",
    "undone": "Undone.",
    "undone-in-part": "Undone, except for what was changed since.",
    "user-saved": "The user is saved.",
    "user-removed": "The user is removed.",
    "token-revoked": "The token is revoked.",
    "password-changed": "The password is changed, and all other sessions have ended.",
    "session-ended": "The session has ended.",
    "page-saved": "The status page is saved.",
    "page-removed": "The status page is removed.",
    "published": "Published.",
    "post-changed": "The post is corrected.",
    "post-removed": "The post is removed.",
    "key-revoked": "The key is revoked.",
}
"""What a page says after a change: the values of `?done=`."""

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
