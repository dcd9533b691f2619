"""Names that a form offers to choose from."""

from portquorum.web.forms.entries import Offered
from portquorum.web.ports import Fleet


def offered_by(fleet: Fleet) -> Offered:
    """Teams, tags and regions that there are."""
    teams = [one.name for one in fleet.groups("team").groups if one.name]
    return Offered(
        teams=sorted(teams)[:200],
        regions=[one.name for one in fleet.regions().regions if one.is_in_policy],
    )
