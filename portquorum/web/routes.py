"""All routes beside those of the API: one list for the role and for the tests that ask them all."""

from typing import Final

from litestar.types import ControllerRouterHandler

from portquorum.access.passwords import Passwords
from portquorum.access.rules import AccessRules
from portquorum.journal.protocol import Journal
from portquorum.web.forms.routes import FORM_ROUTES
from portquorum.web.pages.handlers import PAGE_ROUTES
from portquorum.web.sign_in.entry import SignIn
from portquorum.web.sign_in.handlers import sign_in_routes

ROUTES: Final[tuple[ControllerRouterHandler, ...]] = (*PAGE_ROUTES, *FORM_ROUTES)
"""The pages that only read, and those that change something."""


def page_routes(
    journal: Journal,
    rules: AccessRules,
    sign_in: SignIn | None = None,
    passwords: Passwords | None = None,
) -> list[ControllerRouterHandler]:
    """`ROUTES` and those of who comes in.

    `sign_in` is another one in tests; `passwords` bounds how many are checked at a time.
    """
    return [*ROUTES, *sign_in_routes(journal, rules, sign_in, passwords)]
