"""Diagnosis of a port that must be closed, and is open."""

from streams.diagnosis import first_steps
from streams.diagnosis.diagnosis import Diagnosis
from streams.diagnosis.facts import Facts
from streams.diagnosis.words import names, port, troubled, verb


def openness(known: Facts) -> Diagnosis:
    """The likeliest cause; at least one region must find it open."""
    if known.working and len(known.troubled) == len(known.failing):
        return _region_network(known)
    return _from_some(known) if known.working else _everywhere(known)


def unsteadiness(known: Facts) -> Diagnosis:
    """The likeliest cause of a port that opens and closes again and again."""
    target = known.target
    return Diagnosis(
        "port_unsteady",
        f"It opens and closes again and again: a service on {port(known)} that is started and "
        "ended in turn, or a firewall whose rules come and go.",
        (first_steps.listens(target), first_steps.restarts(target), first_steps.firewall(target)),
    )


def _everywhere(known: Facts) -> Diagnosis:
    target = known.target
    return Diagnosis(
        "port_open",
        f"Something listens on {port(known)}, and nothing before it keeps the network out: a "
        "service was started there, or a firewall's rule is gone.",
        (
            f"{first_steps.listens(target)} (which process?)",
            first_steps.firewall(target),
            *_look(known, "From outside"),
        ),
    )


def _from_some(known: Facts) -> Diagnosis:
    target, found = known.target, known.failing_regions
    return Diagnosis(
        "open_from_some",
        f"It is open from {names(found)} only; {names(known.working)} "
        f"{verb(known.working, 'finds', 'find')} it closed: something listens on {port(known)}, "
        f"and a firewall lets {names(found)} in, or the name leads to several machines.",
        (
            f"{first_steps.listens(target)} (on which addresses?)",
            f"{first_steps.firewall(target)} (which sources are let in?)",
            f"From each region: {first_steps.addresses(target)} (the same addresses?)",
        ),
    )


def _region_network(known: Facts) -> Diagnosis:
    regions = [region for region, _ in known.troubled]
    return Diagnosis(
        "region_network",
        f"Much else fails in {troubled(known)}: the network of {names(regions)} answers in its "
        f"place (a proxy, a captive portal) rather than {known.target.host}.",
        (
            f"Look at the uplink of {names(regions)}: does it take connections for others?",
            *_look(known, "From there"),
        ),
    )


def _look(known: Facts, where: str) -> tuple[str, ...]:
    """What answers; a UDP port says nothing to a connection."""
    if known.target.kind == "udp":
        return ()
    return (f"{where}: {first_steps.greeting(known.target)} (what answers?)",)
