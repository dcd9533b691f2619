"""The notifier's metrics."""

from typing import Final

from prometheus_client import Counter, Gauge

ACTIVE: Final = Gauge("portquorum_notifier_active", "1 while this notifier sends, 0 in a standby.")
LEASE_AGE: Final = Gauge(
    "portquorum_notifier_lease_age_seconds",
    "Time since the group's coordinator answered; sends begin below 3 s only.",
)
TAKEOVERS: Final = Counter(
    "portquorum_notifier_takeovers", "How often this process became the active notifier."
)
SUBJECTS: Final = Gauge(
    "portquorum_notifier_subjects",
    "Incidents, regions and the like that are not over, or not told.",
)
WAITING: Final = Gauge(
    "portquorum_notifier_waiting", "Subjects that wait to be told, by channel.", ("scheme",)
)
OLDEST_WAITING: Final = Gauge(
    "portquorum_notifier_oldest_waiting_seconds",
    "Time since the oldest of them should have been told.",
)
SENDING: Final = Gauge("portquorum_notifier_sending", "Sends on their way.")
SENDS: Final = Counter(
    "portquorum_notifier_sends",
    "Ends of sends: confirmed, uncertain, unreachable, refused, misconfigured, not_attempted.",
    ("outcome", "scheme"),
)
NOTIFICATIONS: Final = Counter(
    "portquorum_notifications",
    "Outcomes of events by channel (retrying: one failed attempt).",
    ("status", "scheme"),
)
CHANNEL_PROBLEMS: Final = Gauge(
    "portquorum_notifier_channel_problems",
    "Channels of the routes that can't be used as they are configured.",
)
UNREADABLE: Final = Counter(
    "portquorum_notifier_unreadable", "Messages that could not be decoded and were skipped."
)
