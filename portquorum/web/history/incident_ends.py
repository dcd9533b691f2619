"""When the trouble of an incident ended, which need not be when the incident closed.

Of most incidents it is: the view `incident_spans`, which joins what was found in the results, is
asked only about those that flap, or that somebody closed by hand (docs/analytics.md).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from portquorum.web.history.asking import in_parts, rows

_SPANS: Final = """
SELECT incident_id, end_ms, is_open, duration_s
FROM {internal}.incident_spans
WHERE incident_id IN {ids:Array(String)}
"""


class KnownEnds(Struct, frozen=True):
    """The time of the question (UTC ms), and of some incidents their end (None: none) and s."""

    now: int
    ends: dict[str, tuple[int | None, float]]


def view_knows(client: Client, incidents: Sequence[Mapping[str, Any]], now: int) -> KnownEnds:
    """The ends that only the view knows; asks nothing if there are none.

    An incident has `incident_id`, `incident_type` and `closed_because`.
    """
    ids = [
        one["incident_id"]
        for one in incidents
        if one["incident_type"] == "flapping" or one["closed_because"] == "resolved"
    ]
    found = [row for part in in_parts(ids) for row in rows(client, _SPANS, ids=list(part))]
    return KnownEnds(
        now,
        {
            incident_id: (None if is_open else end_ms, duration_s)
            for incident_id, end_ms, is_open, duration_s in found
        },
    )


def ended(incident: Mapping[str, Any], known: KnownEnds) -> dict[str, Any]:
    """The incident, which has `began_at` and `closed_at` too, with `ended_at` and `duration_s`."""
    began, closed = incident["began_at"], incident["closed_at"]
    length = max(0, (closed or known.now) - began) / 1000
    end, length = known.ends.get(incident["incident_id"], (closed, length))
    return dict(incident) | {"ended_at": end, "duration_s": length}
