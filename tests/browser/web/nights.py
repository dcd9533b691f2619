"""Fleets as an operator may find them at 3 a.m., made by hand. Times are UTC ms."""

import random
import uuid
from collections.abc import Sequence
from typing import Final, Literal

from msgspec.structs import replace

from portquorum.web.answers import (
    CauseRow,
    Counts,
    Freshness,
    GroupRow,
    IncidentRow,
    MaintenanceRow,
    Mark,
    Overview,
    RegionMark,
    RegionRow,
)
from schemas.incident import Verdict

NOW: Final = 1_792_289_021_000
"""2026-10-18 02:03:41 UTC."""

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
REGIONS: Final = ("fra", "ams", "nyc", "sin", "syd")
HOSTILE: Final = (
    "<script>document.title='run'</script>\"'><img src=x onerror=alert(1)>"
    "\u202eevil\u2066\x1b[31m\u0000" + "W" * 10_000
)


def fresh(**changes: object) -> Freshness:
    """Five regions that report, data of two seconds ago."""
    usual = Freshness(
        now=NOW,
        data_at=NOW - 2_000,
        blind_since=None,
        blind_because=None,
        status_at=NOW - 9_000,
        history_away_since=None,
        regions=5,
        regions_reporting=5,
        position="0.1234",
    )
    return replace(usual, **changes)


def marks(failing: Sequence[str] = REGIONS, verdict: Verdict = "down") -> tuple[RegionMark, ...]:
    return tuple(
        RegionMark(region=one, verdict=verdict if one in failing else "up") for one in REGIONS
    )


def incident(name: str = "mail.example.org", **changes: object) -> IncidentRow:
    """An outage of 22 minutes that nobody has acknowledged."""
    usual = IncidentRow(
        id=str(uuid.uuid5(uuid.NAMESPACE_DNS, name[:60])),
        type="unreachable",
        state="down",
        severity="critical",
        event="opened",
        target=f"tcp:{name}:25",
        name=name,
        kind="smtp",
        host=name,
        port=25,
        place=f"{name}:25",
        team="mail",
        criticality="critical",
        summary="refused: the host answers, nothing listens",
        regions=marks(),
        began_at=NOW - 22 * MINUTE,
        opened_at=NOW - 22 * MINUTE + 4_000,
        changed_at=NOW - 22 * MINUTE + 4_000,
    )
    return replace(usual, **changes)


def cause(title: str = "mail.example.org", **changes: object) -> CauseRow:
    """The outage of one target."""
    usual = CauseRow(
        key=f"target:{title}",
        cause="target",
        state="down",
        severity="critical",
        title=title,
        summary="refused: the host answers, nothing listens",
        incident=incident(title),
        incidents=1,
        targets=1,
        names=(title,),
        ports=(25,),
        teams=("mail",),
        regions=marks(),
        began_at=NOW - 22 * MINUTE,
        unacknowledged=1,
    )
    return replace(usual, **changes)


def causes() -> tuple[CauseRow, ...]:
    """A host, a gateway with 41 behind it, a target, and one that is slow."""
    db, gateway, api = "db-core-03.fra.example.net", "edge-gw.sin.example.net", "api.example.com"
    return (
        cause(
            db,
            key="host:db",
            cause="host",
            summary="no answer from 5 of 5 regions: the host does not answer",
            incident=incident(db, kind="postgres", port=5432, place=f"{db}:5432"),
            incidents=7,
            targets=7,
            ports=(5432, 22, 80, 443, 6432, 9100, 9187),
            teams=("payments",),
            began_at=NOW - 4 * MINUTE,
            unacknowledged=7,
        ),
        cause(
            gateway,
            key="gateway:edge",
            cause="gateway",
            summary="all of them fail since 02:54; the gateway answers ping",
            incident=incident(gateway, kind="icmp", port=None, place=gateway),
            incidents=41,
            targets=42,
            teams=("network",),
            began_at=NOW - 9 * MINUTE,
            unacknowledged=40,
        ),
        cause(),
        cause(
            api,
            state="slow",
            severity="warning",
            summary="p95 2.4 s, usually 180 ms; TLS handshake takes 2.1 s of it",
            incident=incident(
                api, state="slow", type="slow", kind="https", port=443, place=f"{api}:443"
            ),
            teams=("web",),
            regions=marks(("fra", "ams"), "slow"),
            began_at=NOW - 31 * MINUTE,
            unacknowledged=0,
            acknowledged_by=("Aino",),
        ),
    )


def group(name: str, seed: int, down: int, slow: int, unknown: int) -> GroupRow:
    """250 targets of a team, with marks at places that `seed` gives."""
    draw = random.Random(seed)  # noqa: S311 - the same marks each time
    found: list[Mark] = []
    states: tuple[tuple[Literal["down", "slow", "unknown"], int], ...] = (
        ("down", down),
        ("slow", slow),
        ("unknown", unknown),
    )
    for state, count in states:
        for _ in range(count if count < 40 else 1):
            begin = draw.randrange(0, 240) * 4
            found.append(Mark(begin=begin, end=begin + 4, state=state, targets=1))
        if count >= 40:
            found.append(Mark(begin=404, end=404 + 4 * (count - 1), state=state, targets=count - 1))
    found.sort(key=lambda one: one.begin)
    counts = Counts(
        down=down, slow=slow, unknown=unknown, up=250 - down - slow - unknown, total=250
    )
    return GroupRow(name=name, counts=counts, marks=tuple(found))


def groups() -> tuple[GroupRow, ...]:
    listed = [("07", 41, 1, 0), ("39", 2, 1, 1), ("06", 2, 0, 0), ("13", 2, 0, 0), ("37", 1, 4, 0)]
    listed += [("22", 1, 0, 2), ("09", 1, 1, 0), ("10", 1, 0, 1), ("02", 1, 0, 3), ("18", 1, 2, 0)]
    listed += [("25", 1, 1, 2), ("30", 0, 1, 0)]
    listed += [(f"{40 + one}", 0, 0, 0) for one in range(28)]
    return tuple(
        group(f"team {name} / prod", seed, *numbers) for seed, (name, *numbers) in enumerate(listed)
    )


def maintenance(**changes: object) -> MaintenanceRow:
    usual = MaintenanceRow(
        key="file/maintenance/patch night",
        name="patch night",
        source="file",
        is_on=True,
        begins_at=NOW - HOUR,
        ends_at=NOW + 2 * HOUR,
        selectors=("tag:patch",),
        targets=60,
        rrule="FREQ=WEEKLY;BYDAY=SU",
        timezone="Europe/Berlin",
    )
    return replace(usual, **changes)


def region(name: str, **changes: object) -> RegionRow:
    usual = RegionRow(
        name=name,
        state="reporting",
        since=None,
        last_beat_at=NOW - 3_000,
        targets=10_000,
        unknown=0,
    )
    return replace(usual, **changes)


def busy(**changes: object) -> Overview:
    """The night of the sketch: 10,000 targets, four causes."""
    closed = tuple(
        incident(
            f"cache-{one:02}.example.net",
            id=f"0b51c0de-0000-5000-8000-00000000010{one}",
            kind="redis",
            port=6379,
            place=f"cache-{one:02}.example.net:6379",
            team="team 12 / prod",
            event="closed",
            began_at=NOW - (3 * one + 2) * HOUR,
            closed_at=NOW - (3 * one + 2) * HOUR + (one + 1) * 4 * MINUTE,
            closed_because="recovered" if one else "resolved",
            resolved_by=None if one else "Aino",
        )
        for one in range(5)
    )
    planned = (
        maintenance(),
        maintenance(
            key="file/maintenance/core switch",
            name="core switch of ams",
            is_on=False,
            begins_at=NOW + 20 * HOUR,
            ends_at=NOW + 22 * HOUR,
            targets=412,
        ),
    )
    usual = Overview(
        freshness=fresh(),
        version=17,
        counts=Counts(
            down=54, slow=11, unknown=9, maintenance=60, paused=14, up=9_852, total=10_000
        ),
        open_incidents=50,
        open_targets=50,
        unacknowledged=48,
        causes=causes(),
        causes_total=4,
        group_by="team",
        groups=groups(),
        groups_total=40,
        closed=closed,
        closed_total=5,
        maintenance=planned,
        maintenance_total=2,
        regions=tuple(region(one) for one in REGIONS),
    )
    return replace(usual, **changes)


def calm() -> Overview:
    """Nothing is wrong."""
    return busy(
        counts=Counts(up=10_000, total=10_000),
        open_incidents=0,
        open_targets=0,
        unacknowledged=0,
        causes=(),
        causes_total=0,
        groups=tuple(group(f"team {one:02} / prod", one, 0, 0, 0) for one in range(40)),
        closed=(),
        closed_total=0,
        maintenance=(),
        maintenance_total=0,
    )


def blind() -> Overview:
    """The busy night, and Kafka is away since a minute."""
    return busy(
        freshness=fresh(
            data_at=NOW - 70_000,
            blind_since=NOW - 68_000,
            blind_because="kafka_away",
            history_away_since=NOW - 60_000,
            regions_reporting=3,
        )
    )


def thousand() -> Overview:
    """1,000 open incidents; as many rows as the fleet gives."""
    shown = tuple(
        cause(
            f"host-{one:03}.rack{one % 20}.example.net",
            key=f"host:{one}",
            cause="host",
            incident=incident(f"host-{one:03}.rack{one % 20}.example.net", id=f"0b51c0de-{one}"),
            incidents=4,
            targets=4,
            ports=(22, 80, 443, 5432),
            unacknowledged=4,
            began_at=NOW - one * 7_000,
            teams=(f"team {one % 40:02}",),
        )
        for one in range(50)
    )
    closed = busy().closed[0]
    return busy(
        closed=tuple(replace(closed, id=f"closed-{one}") for one in range(20)),
        closed_total=900,
        maintenance=tuple(maintenance(key=f"window-{one}") for one in range(10)),
        maintenance_total=31,
        counts=Counts(down=1_000, slow=37, unknown=211, up=8_752, total=10_000),
        open_incidents=1_000,
        open_targets=1_000,
        unacknowledged=1_000,
        causes=shown,
        causes_total=251,
        groups=tuple(group(f"team {one:02} / prod", one, 39, 3, 6) for one in range(40)),
    )


def hostile() -> Overview:
    """Every text is an attack."""
    bad = HOSTILE
    rows = tuple(
        replace(
            one,
            title=bad,
            summary=bad,
            teams=(bad, bad),
            acknowledged_by=(bad,),
            incident=incident(bad, summary=bad, team=bad, id=bad[:300]),
            regions=(RegionMark(region=bad[:100], verdict="down"),) * 9,
        )
        for one in causes()
    )
    return busy(
        causes=rows,
        groups=(replace(group("x", 1, 3, 2, 1), name=bad),) * 3,
        closed=(incident(bad, summary=bad, closed_at=NOW, resolved_by=bad),),
        maintenance=(maintenance(name=bad, selectors=(bad,)),),
    )


NIGHTS: Final = {
    "busy": busy,
    "calm": calm,
    "blind": blind,
    "thousand": thousand,
    "hostile": hostile,
}
