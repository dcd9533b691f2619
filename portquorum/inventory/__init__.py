"""The inventory: YAML in the user's git, validated, compared and published to the cluster.

The names are imported when they are asked for: all kinds of checks and all channels belong to
them, and many commands only want a length of time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from portquorum.inventory.append import Added, add, parse_place
    from portquorum.inventory.document import TargetEntry
    from portquorum.inventory.errors import ApplyError, InventoryError, Problem
    from portquorum.inventory.plan import ApplyPlan
    from portquorum.inventory.publish import ApplyReport, apply, check, diff, source_name
    from portquorum.inventory.resolve import Inventory
    from portquorum.inventory.watch import WatchEvent, summary, watch_and_apply

__all__ = [
    "Added",
    "ApplyError",
    "ApplyPlan",
    "ApplyReport",
    "Inventory",
    "InventoryError",
    "Problem",
    "TargetEntry",
    "WatchEvent",
    "add",
    "apply",
    "check",
    "diff",
    "parse_place",
    "source_name",
    "summary",
    "watch_and_apply",
]

_MODULES: Final = {
    "append": ("Added", "add", "parse_place"),
    "document": ("TargetEntry",),
    "errors": ("ApplyError", "InventoryError", "Problem"),
    "plan": ("ApplyPlan",),
    "publish": ("ApplyReport", "apply", "check", "diff", "source_name"),
    "resolve": ("Inventory",),
    "watch": ("WatchEvent", "summary", "watch_and_apply"),
}
_WHERE: Final = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A name of `__all__`; kept, so that the next one finds it without this."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = found
    return found
