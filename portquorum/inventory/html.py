"""A page as one HTML file that needs nothing else: to be mailed, printed, put on a wall."""

from portquorum.inventory.page import Page
from portquorum.presentation.html import render


def document(page: Page) -> str:
    """The page."""
    return render("portquorum.inventory", page=page)
