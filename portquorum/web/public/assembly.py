"""The public side of a role `web`, put together."""

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from foundation.settings import Settings
from portquorum.access.passwords import Passwords
from portquorum.access.rules import AccessRules
from portquorum.changing.keys import Keys
from portquorum.journal.protocol import Journal
from portquorum.web.access.door import Door
from portquorum.web.fleet import Fleet
from portquorum.web.office.attempts import Attempts
from portquorum.web.public.app import PublicApp, PublicParts
from portquorum.web.public.domains import page_domains
from portquorum.web.public.keeper import Keeper
from portquorum.web.public.page_locks import PageLocks
from portquorum.web.public.past import AsksPast
from portquorum.web.public.sight import FleetSight
from portquorum.web.public.snapshot_files import SnapshotFiles
from portquorum.web.public.target_badges import TargetBadges
from schemas.web import ShareKey

if TYPE_CHECKING:
    from litestar.types import HTTPScope


class Public(Struct, frozen=True):
    """What keeps the pages (its `run` is a worker of the role), and what answers.

    `app` stands before the monitor, `outside` on the listener for strangers: it knows nobody.
    """

    keeper: Keeper
    app: PublicApp
    outside: PublicApp


def public_side(
    settings: Settings,
    journal: Journal,
    fleet: Fleet,
    history: AsksPast,
    *,
    keys: Keys,
    door: Door,
    rules: AccessRules,
) -> Public:
    """The public side; it reads the pages that were kept in files.

    Raises:
        foundation.settings.SettingsError: the domains are wrong.
    """

    def sight() -> FleetSight:
        return FleetSight(fleet)

    def badge_key(text: str) -> ShareKey | None:
        """The key of a text in the address of a badge; None also while nobody knows yet."""
        return keys.find(text, "badge") if journal.is_present.is_set() else None

    def is_known(scope: "HTTPScope") -> bool:
        """Whether a request comes from somebody who may see the monitor."""
        visit = door.visit(scope)
        return not isinstance(visit, str) and visit.principal is not None

    def is_away() -> bool:
        return fleet.freshness().blind_because == "kafka_away"

    keeper = Keeper(SnapshotFiles(settings.data_dir), journal, fleet, sight, history)
    # Passwords of their own: readers who try keep nobody from signing in.
    attempts = Attempts(journal, Passwords())
    inside = PageLocks(journal, keys, attempts, rules, is_known=is_known, is_away=is_away)
    locks = PageLocks(journal, keys, attempts, rules, is_away=is_away)
    parts = PublicParts(
        pages=keeper,
        page_for_host=page_domains(settings).get,
        may_read=locks.may_read,
        unlock=locks.unlock,
        is_secure=locks.is_secure,
        badges=TargetBadges(fleet, sight, history, badge_key),
    )
    app = PublicApp(replace(parts, may_read=inside.may_read, is_known=is_known))
    return Public(keeper, app, PublicApp(parts))
