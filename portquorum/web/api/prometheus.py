"""Service discovery for Prometheus: the same targets, to be scraped or probed by others, too.

https://prometheus.io/docs/prometheus/latest/http_sd/: each answer is the whole list; after one that
is not 200 Prometheus keeps what it had.
"""

import asyncio
import hashlib
from typing import Annotated, Final

import msgspec
from litestar import Response, get
from msgspec import Struct
from msgspec.structs import replace

from portquorum.web.access.needs import needs
from portquorum.web.answers import TargetQuery, TargetRow
from portquorum.web.api.parameters import MOST_ROWS, Filter, Words, many
from portquorum.web.api.targets import States
from portquorum.web.parts import TheFleet
from portquorum.web.ports import Fleet
from portquorum.web.unread import refuse_unread
from schemas.plain_text import one_line

META: Final = "__meta_portquorum_"


class TargetGroup(Struct, frozen=True):
    """One target: its address as `host:port`, or `host` of a kind without ports, and its labels."""

    targets: tuple[str, ...]
    labels: dict[str, str]


@get(
    "/prometheus/targets",
    operation_id="prometheus_targets",
    summary="Targets for Prometheus",
    tags=["now"],
    opt=needs("viewer"),
)
async def prometheus_targets(
    *,
    fleet: TheFleet,
    q: Words = "",
    states: Annotated[States | None, many("state", "How it is.")] = None,
    team: Annotated[Filter | None, many("team", "Its team; empty: without one.")] = None,
    tag: Annotated[Filter | None, many("tag", "One of its tags.")] = None,
    kind: Annotated[Filter | None, many("kind", "How it is checked.")] = None,
    criticality: Annotated[Filter | None, many("criticality", "How much it matters.")] = None,
    region: Annotated[Filter | None, many("region", "Where it is checked from.")] = None,
    source: Annotated[Filter | None, many("source", "The inventory that has it.")] = None,
    host: Annotated[Filter | None, many("host", "Its host.")] = None,
) -> Response[list[TargetGroup]]:
    """All targets that match all filters, as `http_sd_configs` takes them.

    Without those that have no host, and without paused ones unless `state=paused` asks for them.
    """
    refuse_unread(fleet.freshness())
    query = TargetQuery(
        q=q,
        states=tuple(states or ()),
        teams=tuple(team or ()),
        tags=tuple(tag or ()),
        kinds=tuple(kind or ()),
        criticalities=tuple(criticality or ()),
        regions=tuple(region or ()),
        sources=tuple(source or ()),
        hosts=tuple(host or ()),
        sort="name",
        limit=MOST_ROWS,
        facets=False,
    )
    found = msgspec.json.encode(await _groups(fleet, query))
    tag_of = hashlib.blake2b(found, digest_size=12).hexdigest()
    return Response(
        found,  # type: ignore[arg-type] # the JSON of it
        media_type="application/json",
        headers={"ETag": f'W/"{tag_of}"'},
    )


async def _groups(fleet: Fleet, query: TargetQuery) -> list[TargetGroup]:
    """All pages; others have their turn between two."""
    found: list[TargetGroup] = []
    while True:
        page = fleet.targets(query)
        found += [
            group_of(row)
            for row in page.rows
            if row.host is not None and (query.states or row.state != "paused")
        ]
        if not page.next_cursor:
            return found
        query = replace(query, cursor=page.next_cursor)
        await asyncio.sleep(0)


def group_of(row: TargetRow) -> TargetGroup:
    """A target that has a host. Lists have commas around each of their values, as Prometheus's."""
    host = row.host or ""
    place = f"[{host}]" if ":" in host else host
    labels = {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "host": host,
        "port": "" if row.port is None else str(row.port),
        "team": row.team or "",
        "criticality": row.criticality,
        "tags": _listed(row.tags),
        "regions": _listed(row.regions),
        "source": row.source,
        "expect": row.expect,
    }
    return TargetGroup(
        targets=(place if row.port is None else f"{place}:{row.port}",),
        labels={META + name: one_line(value) for name, value in labels.items()},
    )


def _listed(values: tuple[str, ...]) -> str:
    return f",{','.join(values)}," if values else ""
