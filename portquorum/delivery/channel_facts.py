"""What a channel's URL says in this environment."""

import os
from collections.abc import Mapping

from portquorum.delivery.channel_status import ChannelFacts
from sinks.notifier.channels.budgets import budget_of
from sinks.notifier.channels.classes import class_of
from sinks.notifier.channels.problem import problem
from sinks.notifier.model import Channel
from sinks.notifier.secrets import placeholders


def facts_of(channel: Channel, env: Mapping[str, str] = os.environ) -> ChannelFacts:
    """The class of a channel, what a message may hold, and what is wrong with the URL here."""
    missing = tuple(name for name in placeholders(channel.url) if not env.get(name))
    budget = None if missing else budget_of(channel.url, env)
    return ChannelFacts(
        channel_class=class_of(channel, env),
        title=None if budget is None else budget.title,
        body=None if budget is None else budget.body,
        units="characters" if budget is None else budget.units,
        missing=missing,
        problem=problem(channel.url, None if missing else env),
    )
