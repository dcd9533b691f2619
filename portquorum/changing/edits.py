"""The page's own inventory: targets one by one and in bulk."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Protocol

from msgspec import Struct

from portquorum.access.principal import Principal
from portquorum.inventory.document import TargetEntry
from schemas.target import Target
from schemas.web import Bulk

OWN_SOURCE: Final = "web"
"""The source of the page's own inventory."""


class Written(Struct, frozen=True, kw_only=True):
    """A target of the page's own inventory, as written and as resolved.

    `version` counts its edits, for If-Match. `target` is what it resolves to.
    """

    id: str
    version: int
    entry: TargetEntry
    target: Target
    at: int
    by: str


class CheckSaid(Struct, frozen=True, kw_only=True):
    """What one check from the machine of the page said. `reason` empty: it was up."""

    up: bool
    reason: str
    detail: str
    address: str
    total_ms: float | None
    phases: Mapping[str, float] = {}


class BulkEdit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bulk change does to each target that it takes.

    `pause`: with `until` (UTC ms, None: until resumed) and `reason`. `patch`: an RFC 7396 merge of
    `set` into each entry, and tags by `add_tags` and `remove_tags`. `remove`: removes them.
    `patch` and `remove` take targets of the page's own alone; others are counted as left out.
    """

    action: Literal["pause", "resume", "patch", "remove"]
    until: int | None = None
    reason: str = ""
    set: dict[str, Any] = {}
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()


class BulkLeftOut(Struct, frozen=True, kw_only=True):
    """Targets that a bulk change does not take, and why: `file`, `limits`, `same`, `wrong`."""

    why: Literal["file", "limits", "same", "wrong", "changed"]
    count: int
    some: tuple[str, ...]
    message: str = ""


class BulkPlan(Struct, frozen=True, kw_only=True):
    """A preview: what a bulk change would do. Nothing is written.

    `confirmation` names exactly this: the ids, their versions and the edit. `some` are up to 100
    of the ids. `before` and `after` are the fields of a patch that differ, in words with the number
    of targets of each value: `30s (18), 1m (2)`.
    """

    count: int
    some: tuple[str, ...]
    left_out: tuple[BulkLeftOut, ...]
    confirmation: str
    edit: BulkEdit
    before: dict[str, str] = {}
    after: dict[str, str] = {}


class BulkDone(Struct, frozen=True, kw_only=True):
    """A bulk change that was made; `id` undoes it, None: nothing was changed."""

    id: str | None
    changed: int
    left_out: tuple[BulkLeftOut, ...]


class Edits(Protocol):
    """The page's own inventory; `portquorum.editing` has it. All raise ChangeError."""

    def get(self, target: str) -> Written | None:
        """A target of the page's own; None: there is none, or it is a file's."""

    def owner(self, target: str) -> str | None:
        """The source of a target (`web`, or a file's); None: there is none of this id."""

    async def put(
        self, who: Principal, target: str, entry: TargetEntry, if_version: int | None
    ) -> Written:
        """Makes or replaces a target.

        `if_version`: the version that it replaces, 0: there must be none, None: whatever is there
        (then somebody else's edit may still be first: 409).
        """

    async def patch(
        self, who: Principal, target: str, merge: Mapping[str, Any], if_version: int | None
    ) -> Written:
        """Merges fields (RFC 7396) into an entry."""

    async def remove(self, who: Principal, target: str, if_version: int | None) -> None:
        """Removes a target."""

    async def check(self, who: Principal, entry: TargetEntry) -> CheckSaid:
        """Checks once from here what an entry says, within its regions' networks."""

    async def check_now(self, who: Principal, target: str) -> CheckSaid:
        """Checks a target of any source once from here, as it is defined; nothing is recorded."""

    async def preview(self, who: Principal, targets: Sequence[str], edit: BulkEdit) -> BulkPlan:
        """What a bulk change of these targets would do; up to 10,000 ids."""

    async def apply(
        self, who: Principal, targets: Sequence[str], edit: BulkEdit, confirmation: str
    ) -> BulkDone:
        """Makes it, if the confirmation is still that of the preview; 409 with what changed."""

    def bulk(self, bulk: str) -> Bulk | None:
        """A bulk change that was made; None: there is none of this id."""

    async def undo(self, who: Principal, bulk: str) -> BulkDone:
        """Puts back what a bulk change changed; what was changed since stays (`changed`)."""

    def yaml(self) -> str:
        """The page's own inventory, as a file that `inventory apply` takes."""
