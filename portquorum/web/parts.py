"""What handlers are given by the name of their parameter: `fleet: TheFleet`."""

import asyncio

from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Struct

from portquorum.access.principal import Principal
from portquorum.changing.acts import Acts
from portquorum.changing.edits import Edits
from portquorum.changing.keys import Keys
from portquorum.changing.office import Office
from portquorum.changing.status_edits import StatusEdits
from portquorum.journal.protocol import Journal
from portquorum.web.absent import (
    NoActs,
    NoEdits,
    NoJournal,
    NoKeys,
    NoOffice,
    NoStatusEdits,
)
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

TheJournal = NamedDependency[SkipValidation[Journal]]
"""A parameter `journal`."""
TheActs = NamedDependency[SkipValidation[Acts]]
"""A parameter `acts`: incidents, silences, maintenance, pauses."""
TheEdits = NamedDependency[SkipValidation[Edits]]
"""A parameter `edits`: the page's own inventory."""
TheOffice = NamedDependency[SkipValidation[Office]]
"""A parameter `office`: users, tokens, the audit log."""
TheStatusEdits = NamedDependency[SkipValidation[StatusEdits]]
"""A parameter `status_edits`: status pages and posts."""
TheKeys = NamedDependency[SkipValidation[Keys]]
"""A parameter `keys`: secrets in addresses."""
ThePrincipal = NamedDependency[SkipValidation[Principal]]
"""A parameter `principal`: who asks."""


class Parts(Struct, frozen=True):
    """What the app asks. `closing` is set when the process ends: live streams end then."""

    fleet: Fleet
    hub: Hub
    history: History
    closing: asyncio.Event
    explainer: Explains = NoExplainer()
    journal: Journal = NoJournal()
    acts: Acts = NoActs()
    edits: Edits = NoEdits()
    office: Office = NoOffice()
    status_edits: StatusEdits = NoStatusEdits()
    keys: Keys = NoKeys()
