"""What handlers are given by the name of their parameter: `fleet: TheFleet`."""

import asyncio

from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Struct

from portquorum.web.explaining.explainer import NoExplainer
from portquorum.web.ports import Explains, Fleet, History, Hub

TheFleet = NamedDependency[SkipValidation[Fleet]]
"""A parameter `fleet`."""
TheHub = NamedDependency[SkipValidation[Hub]]
"""A parameter `hub`."""
TheHistory = NamedDependency[SkipValidation[History]]
"""A parameter `history`."""
TheExplainer = NamedDependency[SkipValidation[Explains]]
"""A parameter `explainer`."""
TheEnd = NamedDependency[SkipValidation[asyncio.Event]]
"""A parameter `closing`: set when the process ends."""


class Parts(Struct, frozen=True):
    """What the app asks. `closing` is set when the process ends: live streams end then."""

    fleet: Fleet
    hub: Hub
    history: History
    closing: asyncio.Event
    explainer: Explains = NoExplainer()
