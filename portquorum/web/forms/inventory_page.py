"""The inventories: the page's own, which can be taken along as a file, and those of files."""

from typing import Final

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from portquorum.changing.edits import OWN_SOURCE
from portquorum.web.access.needs import needs
from portquorum.web.answers import TargetQuery
from portquorum.web.forms.desk import Desk
from portquorum.web.pages.asked import Asked
from portquorum.web.pages.filters import NO_FILTERS, refuse_unknown
from portquorum.web.parts import TheEdits, TheFleet, ThePrincipal

_SHOWN: Final = 50


@get("/inventory", include_in_schema=False, opt=needs("viewer"))
async def inventory(request: Asked, fleet: TheFleet, principal: ThePrincipal) -> Response[str]:
    """Where each target is written, and how many there are."""
    desk = Desk(request, fleet, principal)
    refuse_unknown(desk.address, NO_FILTERS)
    own = fleet.targets(TargetQuery(sources=(OWN_SOURCE,), sort="name", limit=_SHOWN))
    sources = [one for one in own.facets.get("source", ()) if one.value != OWN_SOURCE]
    return desk.show("inventory.html", own=own, sources=sources)


@get("/inventory/portquorum.yaml", include_in_schema=False, opt=needs("viewer"))
async def download(edits: TheEdits) -> Response[str]:
    """The page's own inventory, as a file for `inventory apply`."""
    return Response(
        edits.yaml(),
        media_type="application/yaml",
        headers={
            "Content-Disposition": 'attachment; filename="portquorum.yaml"',
            "Cache-Control": "no-store",
        },
    )


INVENTORY: Final[tuple[ControllerRouterHandler, ...]] = (inventory, download)
