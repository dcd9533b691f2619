"""The inventory: YAML in the user's git, validated, compared and published to the cluster."""

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
