"""One situation for each row of docs/diagnosis.md: what is known, in words and as facts.

`python -m tests.unit.streams.diagnosis.situations` writes the table and the steps into the page.
"""

from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from schemas.incident import IncidentType
from schemas.result import Reason
from schemas.target import LatencyLimit, Target
from streams.diagnosis import Diagnosis, Facts, diagnose
from streams.diagnosis.facts import Host, Latency

PAGE: Final = Path(__file__).parents[4] / "docs" / "diagnosis.md"
BEGIN: Final = "<!-- situations -->"
END: Final = "<!-- /situations -->"
EU, US, AP = "eu-west", "us-east", "ap-south"
ALL: Final = (AP, EU, US)


class Situation(Struct, frozen=True):
    """`words` say the facts as a person would."""

    words: str
    known: Facts
    about: IncidentType = "unreachable"

    @property
    def found(self) -> Diagnosis:
        return diagnose(self.known, self.about)


def target(
    kind: str = "tcp", port: int | None = 5432, host: str | None = "db1.example.com"
) -> Target:
    return Target(
        id="db",
        name="Orders DB",
        kind=kind,
        host=host,
        port=port,
        regions=ALL,
        interval_ms=30_000,
        timeout_ms=3_000,
        version=1,
        source="test",
    )


DOMAIN: Final = target("domain", None, "example.com")
LIMITED: Final = structs.replace(
    target(), latency=LatencyLimit(max_ms=250, warn_ahead_ms=86_400_000)
)
CLOSED: Final = structs.replace(target(port=23), expect="closed")


def fail(reason: Reason, *regions: str) -> tuple[tuple[str, Reason], ...]:
    return tuple((region, reason) for region in regions or ALL)


def times(usual_ms: int, lately_ms: int, *regions: str) -> tuple[Latency, ...]:
    return tuple(Latency(region, usual_ms * 1000, lately_ms * 1000) for region in regions or ALL)


def facts(reason: Reason, *regions: str, **known: object) -> Facts:
    """All regions fail with `reason`, or `regions` do and the others work."""
    failing = fail(reason, *regions)
    working = tuple(region for region in ALL if region not in dict(failing))
    return Facts(**({"target": target(), "failing": failing, "working": working} | known))  # type: ignore[arg-type]


SLOWED: Final = times(2, 340)

SITUATIONS: Final[tuple[Situation, ...]] = (
    Situation("refused everywhere", facts("connection_refused")),
    Situation(
        "refused everywhere; others of the host answer",
        facts("connection_refused", host=Host(up=3, ping="up", site="up", site_port=443)),
    ),
    Situation(
        "refused everywhere; slow before it fell", facts("connection_refused", latency=SLOWED)
    ),
    Situation(
        "refused everywhere; all others of the host are down",
        facts("connection_refused", host=Host(down=3)),
    ),
    Situation("timed out everywhere; no other target on the host", facts("timed_out")),
    Situation(
        "timed out everywhere; the host answers ping",
        facts("timed_out", host=Host(up=1, ping="up")),
    ),
    Situation(
        "timed out everywhere; some of the host's targets answer, others do not",
        facts("timed_out", host=Host(up=2, down=1, site="up", site_port=443)),
    ),
    Situation("timed out everywhere; slow before it fell", facts("timed_out", latency=SLOWED)),
    Situation(
        "timed out everywhere; all others of the host are down, ping too",
        facts("timed_out", host=Host(down=4, ping="down")),
    ),
    Situation(
        "timed out everywhere; all others of the host are down; slow before they fell",
        facts("timed_out", host=Host(down=4), latency=SLOWED),
    ),
    Situation(
        "host unreachable everywhere; no other target on the host", facts("host_unreachable")
    ),
    Situation(
        "host unreachable everywhere; others of the host answer",
        facts("host_unreachable", host=Host(up=2)),
    ),
    Situation("network unreachable everywhere", facts("network_unreachable")),
    Situation("reset everywhere", facts("connection_reset")),
    Situation("the name does not resolve anywhere", facts("dns_failed")),
    Situation(
        "certificate expired; the plain port answers",
        facts(
            "certificate_expired",
            target=target("tls", 443, "shop.example.com"),
            host=Host(up=1, plain="up"),
        ),
    ),
    Situation(
        "certificate ends within days",
        facts("certificate_ending", target=target("tls", 443, "shop.example.com")),
    ),
    Situation(
        "certificate invalid",
        facts("certificate_invalid", target=target("tls", 443, "shop.example.com")),
    ),
    Situation(
        "TLS handshake fails; the plain port answers",
        facts(
            "tls_failed", target=target("smtp", 25, "mx1.example.com"), host=Host(up=1, plain="up")
        ),
    ),
    Situation("too many connections; slow before", facts("too_many_connections", latency=SLOWED)),
    Situation(
        "the port is open, and nothing comes",
        facts("no_answer", target=target("smtp", 25, "mx1.example.com")),
    ),
    Situation(
        "the port is open, and speaks something else",
        facts("protocol_mismatch", target=target("ssh", 22)),
    ),
    Situation(
        "the port is open, and its answer is not the expected one",
        facts("unexpected_response", target=target("http", 443, "shop.example.com")),
    ),
    Situation(
        "no heartbeat in time", facts("heartbeat_missed", target=target("heartbeat", None, None))
    ),
    Situation(
        "a job says that it failed", facts("job_failed", target=target("heartbeat", None, None))
    ),
    Situation(
        "a job began and does not end", facts("job_overran", target=target("heartbeat", None, None))
    ),
    Situation(
        "no reason has more than half of the failing regions",
        Facts(
            target=target(),
            failing=(*fail("connection_refused", EU), *fail("timed_out", US)),
        ),
    ),
    Situation("refused or reset in some regions", facts("connection_refused", EU, US)),
    Situation(
        "timed out in some regions; others of the host answer there",
        facts("timed_out", EU, US, host=Host(up=2, hit=0)),
    ),
    Situation(
        "timed out in some regions; others of the host fail there too",
        facts("timed_out", EU, US, host=Host(up=2, hit=2)),
    ),
    Situation(
        "timed out in some regions; no other target on the host",
        facts("timed_out", EU, US, host=Host(hit=0)),
    ),
    Situation(
        "fails in some regions, each of which fails for much else",
        facts("timed_out", EU, US, troubled=((EU, 62), (US, 45))),
    ),
    Situation("the name does not resolve in some regions", facts("dns_failed", EU, US)),
    Situation(
        "certificate or handshake wrong in some regions",
        facts("certificate_expired", EU, US, target=target("tls", 443, "shop.example.com")),
    ),
    Situation(
        "anything else in some regions",
        facts("unexpected_response", EU, US, target=target("http", 443, "shop.example.com")),
    ),
    Situation(
        "slow everywhere; the host's others are not",
        Facts(target=target(), slow=ALL, latency=times(2, 340), host=Host(up=2)),
        "slow",
    ),
    Situation(
        "slow everywhere; others of the host are slow too",
        Facts(target=target(), slow=ALL, latency=times(2, 340), host=Host(up=1, slow=2)),
        "slow",
    ),
    Situation(
        "slow in some regions",
        Facts(target=target(), slow=(EU, US), working=(AP,), latency=times(20, 340, EU, US)),
        "slow",
    ),
    Situation(
        "slow in some regions, unreachable from others",
        Facts(
            target=target(),
            slow=(EU,),
            failing=((US, "timed_out"),),
            working=(AP, EU),
            latency=times(20, 340, EU),
        ),
        "slow",
    ),
    Situation(
        "slow in some regions, unreachable from all others",
        Facts(
            target=target(),
            slow=(EU,),
            failing=((AP, "timed_out"), (US, "timed_out")),
            working=(EU,),
            latency=times(20, 340, EU),
        ),
        "slow",
    ),
    Situation(
        "slower than usual everywhere; the host's others are not",
        Facts(target=target(), slow=ALL, unusual=ALL, latency=times(6, 48), host=Host(up=2)),
        "slow",
    ),
    Situation(
        "slower than usual in some regions",
        Facts(
            target=target(),
            slow=(EU, US),
            unusual=(EU, US),
            working=(AP,),
            latency=times(20, 36, EU, US),
        ),
        "slow",
    ),
    Situation(
        "rising everywhere, and not too slow yet",
        Facts(
            target=LIMITED,
            slow=ALL,
            rising=((AP, 11), (EU, 9), (US, 10)),
            latency=times(60, 62),
        ),
        "slow",
    ),
    Situation(
        "rising in some regions, and not too slow yet",
        Facts(
            target=LIMITED,
            slow=(EU,),
            rising=((EU, 60),),
            working=(AP, US),
            latency=times(60, 62, EU),
        ),
        "slow",
    ),
    Situation(
        "certificate ends soon, and it is up",
        Facts(
            target=target("tls", 443, "shop.example.com"),
            working=ALL,
            ending=tuple((region, 1_800_000_000_000) for region in ALL),
        ),
        "expiring",
    ),
    Situation(
        "certificate ends soon in some regions, and it is up",
        Facts(
            target=target("tls", 443, "shop.example.com"),
            working=ALL,
            ending=tuple((region, 1_800_000_000_000) for region in (EU, US)),
            renewed=(AP,),
        ),
        "expiring",
    ),
    Situation(
        "registration of a domain ended",
        Facts(target=DOMAIN, failing=fail("domain_expired")),
    ),
    Situation(
        "registration of a domain ends within days",
        Facts(target=DOMAIN, failing=fail("domain_ending")),
    ),
    Situation(
        "registration of a domain ends within days, as some regions are told",
        Facts(target=DOMAIN, failing=fail("domain_ending", EU, US), working=(AP,)),
    ),
    Situation(
        "registration of a domain ends soon",
        Facts(
            target=DOMAIN,
            working=ALL,
            ending=tuple((region, 1_800_000_000_000) for region in ALL),
        ),
        "expiring",
    ),
    Situation(
        "comes and goes; refused at the last fall",
        facts("connection_refused"),
        "flapping",
    ),
    Situation(
        "comes and goes; all others of the host go with it",
        facts("timed_out", host=Host(down=3)),
        "flapping",
    ),
    Situation(
        "comes and goes; some regions still succeeded at the last fall",
        facts("timed_out", EU, US),
        "flapping",
    ),
    Situation("comes and goes; anything else", facts("timed_out"), "flapping"),
    Situation("must be closed; open from everywhere", facts("port_open", target=CLOSED)),
    Situation("must be closed; open from some regions", facts("port_open", EU, target=CLOSED)),
    Situation(
        "must be closed; open from some regions, each of which fails for much else",
        facts("port_open", EU, target=CLOSED, troubled=((EU, 62),)),
    ),
    Situation("must be closed; opens and closes", facts("port_open", target=CLOSED), "flapping"),
)


def rendered() -> str:
    """The part of the page between `BEGIN` and `END`."""
    lines = ["| what is known | likely | what it says |", "|---|---|---|"]
    lines += [
        f"| {one.words} | `{one.found.likely}` | {one.found.sentence} |" for one in SITUATIONS
    ]
    lines += ["", "## First steps", "", "Those of the first row of each cause:", "", "```text"]
    shown: set[str] = set()
    for one in SITUATIONS:
        if one.found.likely not in shown:
            shown.add(one.found.likely)
            lines += [one.found.likely, *(f"    {step}" for step in one.found.first_steps)]
    return "\n".join([*lines, "```"])


def parts() -> tuple[str, str, str]:
    """The page: before the rendered part, that part as it is, and behind it."""
    head, begin, rest = PAGE.read_text().partition(f"{BEGIN}\n")
    part, end, tail = rest.partition(f"\n{END}")
    assert begin, f"{PAGE}: expected {BEGIN}"
    assert end, f"{PAGE}: expected {END}"
    return head + begin, part, end + tail


if __name__ == "__main__":
    before, _, behind = parts()
    PAGE.write_text(before + rendered() + behind)
