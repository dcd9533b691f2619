"""Diagnosis of a target that some regions can't reach and others can."""

from streams.diagnosis import encrypted, first_steps
from streams.diagnosis.diagnosis import Diagnosis
from streams.diagnosis.facts import Facts
from streams.diagnosis.words import names, port, troubled


def from_some(known: Facts) -> Diagnosis:
    """The likeliest cause; at least one region fails and at least one succeeds."""
    if len(known.troubled) == len(known.failing):
        return region_network(known)
    match known.family:
        case "refused" | "reset":
            return _refused(known)
        case "silence":
            return _silence(known)
        case "dns":
            return _dns(known)
        case "tls":
            return encrypted.from_some(known)
        case _:
            return _one_of_several(known)


def region_network(known: Facts) -> Diagnosis:
    """The diagnosis when every failing region has trouble with many other targets."""
    regions = [region for region, _ in known.troubled]
    return Diagnosis(
        "region_network",
        f"Much else fails in {troubled(known)}: the network of {names(regions)} rather than "
        f"{known.target.host or known.target.id}.",
        (
            f"Look at the uplink and the resolver of {names(regions)}",
            f"From there: {first_steps.trace(known.target)}",
        ),
    )


def _refused(known: Facts) -> Diagnosis:
    target = known.target
    how = "refused" if known.family == "refused" else "reset"
    return Diagnosis(
        "refused_from_some",
        f"{_split(known)}, their connections to {port(known)} are {how}: the service listens on "
        "some of its addresses only, or a firewall or block list rejects these regions.",
        (
            f"{first_steps.listens(target)} (on which addresses?)",
            (
                f"From a failing and a working region: {first_steps.addresses(target)} "
                "(the same addresses?)"
            ),
            first_steps.firewall(target),
        ),
    )


def _silence(known: Facts) -> Diagnosis:
    target, host = known.target, known.host
    if host.hit:
        return Diagnosis(
            "path",
            f"{_split(known)}, and other targets of the host fail from there too: the path from "
            f"{names(known.failing_regions)} to the host.",
            (f"From a failing region: {first_steps.trace(target)}", "Ask the networks on the way"),
        )
    if host.answering and host.hit == 0:
        return Diagnosis(
            "filtered_from_some",
            f"{_split(known)}, while other targets of the host answer there: a firewall drops "
            f"{port(known)} for these source addresses.",
            (first_steps.firewall(target), f"From a failing region: {first_steps.trace(target)}"),
        )
    return Diagnosis(
        "path",
        f"{_split(known)}: the path from {names(known.failing_regions)}, or a firewall that drops "
        "these source addresses.",
        (f"From a failing region: {first_steps.trace(target)}", first_steps.firewall(target)),
    )


def _dns(known: Facts) -> Diagnosis:
    return Diagnosis(
        "dns_from_some",
        f"The name {known.target.host} resolves in {names(known.working)}, not in "
        f"{names(known.failing_regions)}: the resolvers there, or a name server that has not got "
        "the record.",
        (
            f"From a failing region: {first_steps.resolve(known.target)[0]}",
            f"{first_steps.resolve(known.target)[1]} (do all its name servers say the same?)",
        ),
    )


def _one_of_several(known: Facts) -> Diagnosis:
    target = known.target
    return Diagnosis(
        "one_of_several",
        f"It works from {names(known.working)}, not from {names(known.failing_regions)}: one of "
        f"several servers behind {target.host or target.name} is not well, or answers regions "
        "differently.",
        (
            f"From each region: {first_steps.addresses(target)} (the same addresses?)",
            f"Each address in place of the name: {first_steps.greeting(target)}",
        ),
    )


def _split(known: Facts) -> str:
    return f"{names(known.working)} can connect, {names(known.failing_regions)} can't"
