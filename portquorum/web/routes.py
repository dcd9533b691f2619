"""All routes for people: the pages that only read, and those that change something."""

from typing import Final

from litestar.types import ControllerRouterHandler

from portquorum.web.forms.routes import FORM_ROUTES
from portquorum.web.pages.handlers import PAGE_ROUTES

ROUTES: Final[tuple[ControllerRouterHandler, ...]] = (*PAGE_ROUTES, *FORM_ROUTES)
"""The routes of the app beside those of the API, and of who comes in."""
