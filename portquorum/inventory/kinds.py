"""The kinds of target that a prober can check today; a new checker is added here."""

from typing import Final

CHECKED: Final = ("tcp",)
"""Other kinds are refused by name."""
