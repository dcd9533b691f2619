"""The notifier: tells people of incidents, each event once by each channel."""

from sinks.notifier.role import run

__all__ = ["run"]
