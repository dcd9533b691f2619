"""Status pages, targets and an editor for tests."""

from collections.abc import Mapping, Sequence
from typing import Any

from argon2 import PasswordHasher

from portquorum.access.passwords import Passwords
from portquorum.access.principal import Principal
from portquorum.changing.status_edits import WantedComponent, WantedGroup, WantedPage
from portquorum.status_editing.editor import StatusEditor
from schemas.target import Target
from tests.memory_journal import MemoryJournal, MemoryLog

NOW = 1_796_000_000_000
ADMIN = Principal(name="ann", scope="admin", via="password")
SHOP = Principal(name="sam", scope="operator", via="password", teams=("shop",))
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
PASSWORD = "correct horse battery"  # noqa: S105


TEAMS = {"db-1": "db", "db1-5432": "db", "web-1": "shop", "web-2": "shop"}
"""The targets that there are."""


class Targets:
    """Targets of the teams db and shop."""

    def __init__(self, teams: Mapping[str, str] | None = None) -> None:
        self.is_present = True
        self.teams = dict(teams or TEAMS)

    def target(self, target: str) -> Target | None:
        if target not in self.teams:
            return None
        return Target(
            id=target,
            name=target,
            kind="tcp",
            host=f"{target}.internal.example",
            port=5432,
            regions=("eu",),
            interval_ms=30_000,
            timeout_ms=3_000,
            team=self.teams[target],
            version=1,
            source="inventory.yaml",
        )


class Writers:
    """A process with its editor; `now` is its clock."""

    def __init__(self, log: MemoryLog | None = None, targets: Targets | None = None) -> None:
        self.journal = MemoryJournal(log)
        self.targets = targets or Targets()
        self.now = NOW
        self.editor = StatusEditor(self.journal, self.targets, QUICK, lambda: self.now)


def component(name: str, *targets: str, **more: Any) -> WantedComponent:
    return WantedComponent(name=name, targets=targets, **more)


def page(*components: WantedComponent, **more: Any) -> WantedPage:
    groups: Sequence[WantedGroup] = [WantedGroup(components=components)]
    return WantedPage(**{"title": "Shop", "groups": tuple(groups)} | more)


SHOPS = page(component("Checkout", "web-1", "web-2"), component("Orders", "db-1"))
