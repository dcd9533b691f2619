"""The public side of a role `web`, put together."""

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from portquorum.changing.keys import Keys
from portquorum.journal.protocol import Journal
from portquorum.web.access.door import Door
from portquorum.web.fleet import Fleet
from portquorum.web.public.app import PublicApp, PublicParts
from portquorum.web.public.keeper import Keeper
from portquorum.web.public.past import AsksPast
from portquorum.web.public.sight import FleetSight
from portquorum.web.public.snapshot_files import SnapshotFiles
from portquorum.web.public.target_badges import TargetBadges
from schemas.web import ShareKey

if TYPE_CHECKING:
    from litestar.types import HTTPScope


class Public(Struct, frozen=True):
    """What keeps the pages (its `run` is a worker of the role), and what answers."""

    keeper: Keeper
    app: PublicApp


def public_side(
    data_dir: Path,
    journal: Journal,
    fleet: Fleet,
    history: AsksPast,
    *,
    keys: Keys,
    door: Door,
) -> Public:
    """The public side; it reads the pages that were kept in files."""

    def sight() -> FleetSight:
        return FleetSight(fleet)

    def badge_key(text: str) -> ShareKey | None:
        """The key of a text in the address of a badge; None also while nobody knows yet."""
        return keys.find(text, "badge") if journal.is_present.is_set() else None

    def is_known(scope: "HTTPScope") -> bool:
        """Whether a request comes from somebody who may see the monitor."""
        visit = door.visit(scope)
        return not isinstance(visit, str) and visit.principal is not None

    keeper = Keeper(SnapshotFiles(data_dir), journal, fleet, sight, history)
    badges = TargetBadges(fleet, sight, history, badge_key)
    return Public(keeper, PublicApp(PublicParts(pages=keeper, badges=badges, is_known=is_known)))
