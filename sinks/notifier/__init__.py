"""The notifier: tells people of incidents, each event once by each channel."""

from sinks.notifier.main import run

__all__ = ["run"]
