"""The notifier's metrics."""

from typing import Final

from prometheus_client import Counter, Gauge

NOTIFICATIONS: Final = Counter(
    "portquorum_notifications",
    "Outcomes of events by channel (retrying: one failed attempt).",
    ("status", "scheme"),
)
UNREADABLE: Final = Counter(
    "portquorum_notifier_unreadable", "Messages that could not be decoded and were skipped."
)
IN_HAND: Final = Gauge(
    "portquorum_notifier_in_hand", "Events that are read and not yet handled by every channel."
)
