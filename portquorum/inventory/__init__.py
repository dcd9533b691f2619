"""The inventory: YAML in the user's git, validated, compared and published to the cluster."""

from portquorum.inventory.errors import ApplyError, InventoryError, Problem
from portquorum.inventory.plan import Plan
from portquorum.inventory.publish import ApplyReport, apply, check, diff, source_name
from portquorum.inventory.resolve import Inventory

__all__ = [
    "ApplyError",
    "ApplyReport",
    "Inventory",
    "InventoryError",
    "Plan",
    "Problem",
    "apply",
    "check",
    "diff",
    "source_name",
]
