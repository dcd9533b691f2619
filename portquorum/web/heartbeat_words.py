"""The words of the pages on which people make keys, and jobs that report themselves."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct


class HeartbeatWords(Struct, frozen=True, kw_only=True):
    """By where they stand."""

    # Keys
    keys: str = "Address keys"
    keys_of: str = "Address keys of {name}"
    keys_note: str = (
        "A key is a secret in an address that lets in for one thing alone: who has the address has "
        "the key. It is shown once."
    )
    job_note: str = "With each of these addresses this job is reported, and nothing else."
    key: str = "Key"
    lets: str = "For"
    uses: Mapping[str, str] = MappingProxyType(
        {
            "ping": "reports of {about}",
            "badge": "badges of {about}",
            "page": "the status page {about}",
        }
    )
    any_job: str = "any heartbeat"
    any_target: str = "all targets"
    no_keys: str = "There is no key yet: nothing can be reported."
    none_at_all: str = "There is no key yet."
    new_key: str = "Make a key"
    revoke_key: str = "Revoke the key {name}"
    revoke_note: str = "Whoever uses it is refused at once."
    no_key: str = "There is no such key: it was revoked, or never was one."
    key_name: str = "Name"
    key_name_hint: str = "Where it is used: the machine, the crontab."
    use: str = "What it is for"
    use_words: Mapping[str, str] = MappingProxyType(
        {"ping": "reports of heartbeats", "badge": "badges of what is not public"}
    )
    about: str = "Id of the target"
    about_hint: str = "If empty: of all of them, for which you need to be an admin."
    taken_over: str = "Take over"
    taken_over_hint: str = (
        "The UUID of a Healthchecks check or the token of an Uptime Kuma monitor, so that the "
        "job's address keeps its end. If empty, a new one is made."
    )
    over: str = "over"
    not_a_job: str = "{name} is no heartbeat: it is checked, and reports nothing."

    # One that was just made
    made: str = "Copy the address now: this page does not show it again."
    with_curl: str = "At the end of the job"
    with_beat: str = "Around the job: start, end, exit code, last lines of its output"
    more_paths: str = "Behind it: /start, /fail, /log, or an exit code from /0 to /255."
    target_id: str = "TARGET-ID stands for the id of a heartbeat."
    waiting: str = "Waiting for its first report: run one of these lines once."
    to_job: str = "To the job"

    # The form of a job
    what: str = "What reports itself"
    when: str = "When it reports"
    job: str = "reports itself: a job, a backup, an entry of a crontab"
    hints: Mapping[str, str] = MappingProxyType(
        {
            "name": "What people call it. The id is made from it.",
            "interval": (
                "10m, 1h, 1d: a report is due so long after the one before. If empty, by "
                "criticality: 5m, 1h or 1d."
            ),
            "schedule": "In place of an interval: five fields as in the crontab, 0 3 * * *.",
            "zone": "Whose clock the schedule is on: Europe/Berlin. If empty: UTC.",
            "grace": (
                "How late a report may be: 30m. If empty: a tenth of the time between two reports, "
                "from 1m to 1h."
            ),
            "max_runtime": (
                "How long a run may last that reported its start: 2h. If empty: no limit."
            ),
        }
    )
    labels: Mapping[str, str] = MappingProxyType(
        {
            "schedule": "Schedule",
            "zone": "Time zone",
            "grace": "Grace",
            "max_runtime": "Longest run",
        }
    )
