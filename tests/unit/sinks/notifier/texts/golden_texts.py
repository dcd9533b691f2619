"""The texts of each kind of news as files, to be read by people.

`python -m tests.unit.sinks.notifier.texts.golden_texts` writes them anew: read the difference as
somebody whom it wakes at 3 a.m. Is the first line enough? Does it say what to do?
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import structs

from schemas.incident import HostTarget, RegionEvent, RegionVerdict, UnwatchedTarget, Votes
from sinks.notifier.model import Delivery
from sinks.notifier.texts.model import Budget
from sinks.notifier.texts.on_call import details, summary_line
from sinks.notifier.texts.render import render
from tests.unit.sinks.notifier.events import AT, incident_event, targets_event
from tests.unit.sinks.notifier.texts.deliveries import (
    channel_event,
    delivery,
    drill_event,
    mass_event,
    verdicts,
)
from tests.unit.sinks.notifier.texts.digests import digest_of, mixed, outage, over
from tests.unit.sinks.notifier.texts.jobs import (
    RECEIVERS_RETURNED,
    RECEIVERS_SILENT,
    job_event,
    job_over,
    job_that_said,
    jobs,
)

FOLDER: Final = Path(__file__).parent / "golden"
SHOWN: Final[Mapping[str, Budget]] = {
    "mail": Budget(title=250, body=1_000_000),
    "Discord": Budget(title=0, body=2000, markup="discord", title_in_body=True, units="utf16"),
    "Splunk On-Call (60 and 400 characters)": Budget(title=60, body=400),
}

_PLACE: Final = "db1.example.com:5432"
_REGIONS: Final = {
    "ap-south": RegionVerdict(
        verdict="down", reason="connection_refused", detail="10.1.2.3: Connection refused", since=AT
    ),
    "eu-west": RegionVerdict(verdict="down", reason="timed_out", since=AT),
    "us-east": RegionVerdict(verdict="up", since=AT - 90_000_000),
}
_HEALTHY: Final = {name: RegionVerdict(verdict="up", since=AT + 200_000) for name in _REGIONS}
_OPENED: Final[dict[str, Any]] = {
    "regions": _REGIONS,
    "summary": f"{_PLACE} is unreachable from 2 of 3 regions (Connection refused / Connection "
    "timed out). The host answers on other ports, so it is the service: nothing listens on 5432.",
    "first_steps": (
        "Look whether the service runs: systemctl status postgresql",
        "Look at its log for the reason why it ended",
    ),
    "host_targets": (
        HostTarget(target="db1-ssh", name="SSH of db1", kind="tcp", port=22, status="up"),
    ),
    "team": "database",
    "tags": ("prod", "eu"),
    "runbook": "https://wiki.example.com/db/production",
}
_CLOSED: Final[dict[str, Any]] = {
    **_OPENED,
    "event": "closed",
    "at": AT + 200_000,
    "closed_at": AT + 200_000,
    "closed_because": "recovered",
    "first_steps": (),
    "regions": _HEALTHY,
    "summary": f"{_PLACE} is reachable again from every region after 3 min.",
}


def _closed(because: str, words: str, **fields: Any) -> Any:
    summary = f"{_PLACE} {words} after 3 min."
    return incident_event(**{**_CLOSED, "closed_because": because, "summary": summary, **fields})


_IMPROVED: Final = incident_event(
    **{
        **_OPENED,
        "event": "improved",
        "first_steps": (),
        "regions": _HEALTHY | {"eu-west": _REGIONS["eu-west"]},
        "votes": Votes(down=1, need=2, fresh=3, configured=3),
        "summary": f"{_PLACE} is reachable again from ap-south, us-east; not yet from eu-west "
        "(Connection timed out).",
    }
)
_WORSENED: Final = incident_event(
    **{
        **_OPENED,
        "event": "worsened",
        "episode": 2,
        "episode_began_at": AT + 597_000,
        "at": AT + 600_000,
        "summary": f"{_PLACE} is down again: unreachable from 2 of 3 regions (Connection refused).",
    }
)
_TEN: Final = tuple(
    incident_event(
        **{
            **_OPENED,
            "port": port,
            "target": f"shop-{port}",
            "name": f"Shop {name}",
            "regions": verdicts(5),
            "summary": f"db1.example.com:{port} is unreachable from 5 of 5 regions (Connection "
            "timed out). No port of the host answers: the host or its network is down.",
            "first_steps": ("Look whether the host is up: ping it from its own network",),
        }
    )
    for port, name in enumerate(
        ("web", "web TLS", "API", "mail", "queue", "cache", "search", "files", "login", "admin"),
        start=8080,
    )
)
_LINK: Final = "https://ports.example.com/i/eyJpIjoiaTEifQ.c2lnbmF0dXJl"
_SHOP: Final = UnwatchedTarget(target="shop", name="Shop", criticality="important")
_SILENT: Final = RegionEvent(
    event_id="r1",
    event="region.silent",
    region="eu-west",
    at=AT,
    summary="No prober of region eu-west has reported for 30 s: its targets are not watched from "
    "there.",
    last_beat_at=AT - 30_000,
)

SCENES: Final[Mapping[str, Delivery]] = {
    "opened": delivery("opened", incident_event(**_OPENED)),
    "opened late": delivery(
        "opened", incident_event(**_OPENED), at=AT + 2_520_000, attempt=7, news_maybe_told=True
    ),
    "opened, better by now": delivery("opened", _IMPROVED, at=AT + 300_000),
    "opened, ten ports": delivery("opened", *_TEN),
    "opened, refused before": delivery("opened", incident_event(**_OPENED), plain=True),
    "opened, evil banner": delivery(
        "opened",
        incident_event(
            **{
                **_OPENED,
                "name": "Mail *relay* of prod_db",
                "kind": "smtp",
                "regions": verdicts(
                    2,
                    reason="unexpected_response",
                    detail="554 @everyone <!channel> see https://evil.example/x <b>now</b>",
                ),
                "acknowledged_by": "ann",
                "acknowledged_note": "asked @ops, see https://chat.example.com/1",
            }
        ),
    ),
    "certificate ends soon": delivery(
        "opened",
        incident_event(
            **{
                **_OPENED,
                "incident_type": "expiring",
                "kind": "tls",
                "severity": "warning",
                "expires_at": AT + 12 * 86_400_000,
                "regions": verdicts(
                    2, verdict="up", reason=None, detail="certificate ends 2026-12-13 02:00 UTC"
                ),
                "summary": f"The certificate of {_PLACE} ends in 12 days.",
                "first_steps": ("Renew the certificate",),
            }
        ),
    ),
    "worsened": delivery("worsened", _WORSENED),
    "improved": delivery("improved", _IMPROVED),
    "closed": delivery("closed", incident_event(**_CLOSED)),
    "closed, ten ports": delivery(
        "closed",
        *(
            incident_event(
                **{
                    **_CLOSED,
                    "port": event.port,
                    "name": event.name,
                    "regions": verdicts(5, verdict="up", reason=None),
                    "summary": f"db1.example.com:{event.port} is reachable again from every "
                    "region after 3 min.",
                }
            )
            for event in _TEN
        ),
    ),
    "closed to who may not know": delivery(
        "closed", incident_event(**_CLOSED), at=AT + 3_600_000, attempt=3, news_maybe_told=True
    ),
    "abandoned": delivery(
        "closed",
        _closed(
            "abandoned",
            "is not looked at any more: no region has a result; its incident ends unrecovered",
            regions=verdicts(3, verdict="stale"),
            abandoned_regions=tuple(verdicts(3)),
        ),
    ),
    "resolved by hand": delivery(
        "closed",
        _closed(
            "resolved",
            "was resolved by hand",
            regions=_REGIONS,
            resolved_by="ann",
            resolved_note="moves to the new rack tonight",
        ),
    ),
    "target removed": delivery(
        "closed", _closed("target_removed", "is no longer watched; its incident ends")
    ),
    "paused": delivery(
        "closed",
        _closed(
            "target_paused",
            "is paused by ann until 2026-12-01 04:00:00 UTC: the disk is replaced; its incident "
            "ends",
            paused_by="ann",
            paused_until=AT + 7_200_000,
            paused_note="the disk is replaced",
        ),
    ),
    "disabled": delivery(
        "closed",
        _closed("target_paused", "is not enabled any more by its inventory; its incident ends"),
    ),
    "missed": delivery("missed", incident_event(**_CLOSED), at=AT + 900_000),
    "job missed": delivery("opened", job_event("heartbeat_missed")),
    "job failed": delivery("opened", job_event("job_failed")),
    "job failed, in its own words": delivery("opened", job_that_said()),
    "job ran too long": delivery("opened", job_event("job_overran")),
    "job succeeded again": delivery("closed", job_over()),
    "job came and went": delivery("missed", job_over(), at=AT + 900_000),
    "job resolved by hand": delivery(
        "closed",
        job_event(
            event="closed",
            at=AT + 60_000,
            closed_at=AT + 60_000,
            closed_because="resolved",
            resolved_by="ann",
            resolved_note="ran it by hand",
            first_steps=(),
            summary="Nightly backup was resolved by hand after 11 min.",
        ),
    ),
    "job still missing": delivery(
        "reminder", job_event("heartbeat_missed"), at=AT + 7_200_000, news_reminders=1
    ),
    "digest, of jobs": digest_of(("opened", jobs(6))),
    "digest, of jobs and ports": digest_of(("opened", (*outage(5), *jobs(2)))),
    "receivers silent": delivery("opened", RECEIVERS_SILENT),
    "receivers returned": delivery("closed", RECEIVERS_RETURNED),
    "region silent": delivery("opened", _SILENT),
    "region returned": delivery(
        "closed",
        RegionEvent(
            event_id="r2",
            event="region.returned",
            region="eu-west",
            at=AT + 90_000,
            summary="Region eu-west reports again after 120 s.",
            last_beat_at=AT - 30_000,
        ),
    ),
    "targets not watched": delivery(
        "opened", targets_event(), targets_event(partition=4, count=30, most_critical=(_SHOP,))
    ),
    "more targets not watched": delivery(
        "updated",
        targets_event(count=700),
        targets_event(partition=4, count=30, most_critical=(_SHOP,)),
    ),
    "targets watched again": delivery(
        "closed",
        targets_event(
            event="targets.watched",
            count=0,
            most_critical=(),
            silent_regions={},
            summary="All targets of partition 3 are watched again, after 5 min.",
        ),
    ),
    "channel broken": delivery("opened", channel_event(error="HTTP 404: no such hook")),
    "channel works": delivery("closed", channel_event(event="channel.works", error="")),
    "opened with a link": delivery("opened", incident_event(**_OPENED), news_link=_LINK),
    "opened, escalated": delivery(
        "opened",
        incident_event(**_OPENED),
        at=AT + 900_000,
        news_escalated_from="db-oncall",
        news_due_at=AT + 897_000,
    ),
    "opened after quiet hours": delivery(
        "opened",
        incident_event(**_OPENED),
        at=AT + 18_000_000,
        news_held="quiet hours until 07:00 Europe/Berlin",
    ),
    "reminder": delivery(
        "reminder", incident_event(**_OPENED), at=AT + 7_200_000, news_reminders=1, news_link=_LINK
    ),
    "reminder, ten ports": delivery("reminder", *_TEN, at=AT + 7_200_000),
    "mass outage": delivery("opened", mass_event()),
    "mass outage over": delivery("closed", mass_event(event="mass.over", down=12, at=AT + 900_000)),
    "drill overdue": delivery("opened", drill_event()),
    "drill overdue, never one": delivery("opened", drill_event(last_at=None, planned_at=1)),
    "drill failed": delivery("opened", drill_event(stage="message", last_at=AT)),
    "drill no longer overdue": delivery(
        "closed", drill_event(event="drill.done", at=AT + 900_000, last_at=AT + 900_000)
    ),
    "drill planned no more": delivery(
        "closed", drill_event(event="drill.done", at=AT + 900_000, every_ms=0)
    ),
    "digest, three hosts": digest_of(("opened", outage(3))),
    "digest, thirty targets": digest_of(("opened", outage(30))),
    "digest, thirty targets are over": digest_of(("closed", over(outage(30)))),
    "digest, of all kinds": structs.replace(mixed(30), at=AT + 730_000),
    "digest, held by a limit": digest_of(
        ("opened", outage(4)),
        at=AT + 1_900_000,
        news_held="limit of route chat: 20 in 1 h",
    ),
    "digest, different causes": digest_of(
        (
            "opened",
            (
                incident_event(**_OPENED),
                *outage(4),
                incident_event(**{**_OPENED, "host": "db2.example.com", "port": None}),
            ),
        ),
        ("opened", (_SILENT,)),
        ("opened", (targets_event(),)),
    ),
    "digest, of one host": digest_of(("opened", _TEN)),
}


def written(told: Delivery) -> str:
    """All that people may see of a delivery."""
    parts = []
    for name, budget in SHOWN.items():
        text = render(told, budget)
        parts.append(f"==== {name} ====\n{text.subject}\n----\n{text.body}\n")
    parts.append(f"==== SMS ====\n{render(told, SHOWN['mail']).short}\n")
    one = told.news[0]
    fields = "\n".join(f"{name}: {value}" for name, value in details(one).items())
    parts.append(f"==== on-call system ====\n{summary_line(one, 1024)}\n----\n{fields}\n")
    # A file shows what nobody sees.
    return "\n".join(parts).replace("\u200b", "<ZWSP>")


def path_of(scene: str) -> Path:
    """The file of a scene."""
    return FOLDER / f"{scene.replace(',', '').replace(' ', '-')}.txt"


def main() -> None:
    """Writes all files anew."""
    for name, told in SCENES.items():
        path_of(name).write_text(written(told), encoding="utf-8")


if __name__ == "__main__":
    main()
