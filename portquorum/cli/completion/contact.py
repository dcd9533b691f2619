"""What an answer of a cluster leaves for completion."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from portquorum.cli.completion.memory import remember

if TYPE_CHECKING:
    from portquorum.cli.status_answer import StatusAnswer
    from portquorum.inventory.present import Present
    from sinks.clickhouse.queries import Incident


def seen_present(found: "Present") -> None:
    """All targets, teams, regions and routes that are published."""
    from schemas.policy import Region, Route, Team

    entries = [kept.entry for kept in found.policy.values()]
    targets = [placed.target for placed in found.targets().values()]
    remember(
        {
            "target": [one.id for one in targets],
            "tag": sorted({tag for one in targets for tag in one.tags}),
            "team": [one.name for one in entries if isinstance(one, Team)],
            "region": [one.name for one in entries if isinstance(one, Region)],
            "route": [one.name for one in entries if isinstance(one, Route)],
        },
        all_of=True,
    )


def seen_status(found: "StatusAnswer") -> None:
    """The targets and open incidents that were shown."""
    remember({"target": [one.target for one in found.targets]})
    seen_incidents(found.incidents)


def seen_incidents(found: Iterable["Incident"]) -> None:
    """The incidents that were shown: of all commands those that are open are meant most often."""
    remember({"incident": [one.incident_id for one in found]})
