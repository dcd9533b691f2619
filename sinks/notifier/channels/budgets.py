"""What one message of a channel may hold, asked without sending."""

import os
from collections.abc import Mapping

from sinks.notifier.channels.address import ChannelUrlError
from sinks.notifier.channels.by_ourselves import PROTOCOLS
from sinks.notifier.channels.classes import scheme_of, usable
from sinks.notifier.channels.plugins import make
from sinks.notifier.channels.ways import budget_for
from sinks.notifier.secrets import MissingSecretError
from sinks.notifier.texts.model import Budget


def budget_of(url: str, env: Mapping[str, str] = os.environ) -> Budget | None:
    """The budget of the channel `url` as written; None if it can't be used in this environment."""
    protocol = PROTOCOLS.get(scheme_of(url, env))
    if protocol is not None:
        return protocol.budget
    try:
        return budget_for(*make(usable(url, env)))
    except (MissingSecretError, ChannelUrlError):
        return None
