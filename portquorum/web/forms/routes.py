"""All routes of the pages that change something."""

from typing import Final

from litestar.types import ControllerRouterHandler

from portquorum.web.forms.account import ACCOUNT
from portquorum.web.forms.audit_page import AUDIT
from portquorum.web.forms.bulk_forms import BULK_FORMS
from portquorum.web.forms.incident_forms import INCIDENT_FORMS
from portquorum.web.forms.inventory_page import INVENTORY
from portquorum.web.forms.key_forms import KEY_FORMS
from portquorum.web.forms.maintenance_forms import MAINTENANCE_FORMS
from portquorum.web.forms.page_key_forms import PAGE_KEY_FORMS
from portquorum.web.forms.post_forms import POST_FORMS
from portquorum.web.forms.silence_forms import SILENCE_FORMS
from portquorum.web.forms.status_page_forms import STATUS_PAGE_FORMS
from portquorum.web.forms.target_forms import TARGET_FORMS
from portquorum.web.forms.token_forms import TOKEN_FORMS
from portquorum.web.forms.user_forms import USER_FORMS

FORM_ROUTES: Final[tuple[ControllerRouterHandler, ...]] = (
    *TARGET_FORMS,
    *BULK_FORMS,
    *INCIDENT_FORMS,
    *SILENCE_FORMS,
    *MAINTENANCE_FORMS,
    *STATUS_PAGE_FORMS,
    *PAGE_KEY_FORMS,
    *POST_FORMS,
    *USER_FORMS,
    *TOKEN_FORMS,
    *KEY_FORMS,
    *ACCOUNT,
    *AUDIT,
    *INVENTORY,
)
"""Routes of the app, beside those that only read."""
