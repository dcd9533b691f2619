"""A page as one self-contained HTML file."""

from portquorum.inventory.page import InventoryPage
from portquorum.presentation.html import render


def document(page: InventoryPage) -> str:
    """The page."""
    return render("portquorum.inventory", page=page)
