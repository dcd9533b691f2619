"""The notifier: tells people about incidents, each event once through each channel."""

from sinks.notifier.main import run

__all__ = ["run"]
