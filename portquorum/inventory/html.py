"""A page as one self-contained HTML file."""

from portquorum.inventory.page import Page
from portquorum.presentation.html import render


def document(page: Page) -> str:
    """The page."""
    return render("portquorum.inventory", page=page)
