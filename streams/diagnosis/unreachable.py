"""Diagnosis of a target that no region reaches."""

from collections.abc import Callable
from typing import Final

from streams.diagnosis import encrypted, first_steps, heartbeat
from streams.diagnosis.diagnosis import Diagnosis
from streams.diagnosis.facts import Facts, Family, Latency
from streams.diagnosis.words import names, port, slowing


def everywhere(known: Facts) -> Diagnosis:
    """The likeliest cause; at least one region must fail, and none may succeed."""
    family = known.family
    return _mixed(known) if family is None else _BY_FAMILY[family](known)


def _refused(known: Facts) -> Diagnosis:
    target, host = known.target, known.host
    if host.all_down:
        return Diagnosis(
            "all_services_down",
            f"The host refuses, and none of its {host.ports} watched ports accepts a connection: "
            "it was just restarted, or all its services are down.",
            (
                first_steps.started(target),
                first_steps.journal(target),
                f"On {target.host}: ss -ltn (does anything listen?)",
            ),
        )
    answers = f" ({_answering(known)})" if host.answering else ""
    sentence = f"The host answers{answers}, nothing listens on {port(known)}: the service is down."
    told = [first_steps.listens(target), first_steps.journal(target)]
    if (slowed := known.slowed) is not None:
        sentence += f" It died under load: {slowing(slowed)}."
        told.append(first_steps.out_of_memory(target))
    told.append("If it runs: does it listen on this address and port?")
    return Diagnosis("service_down", sentence, tuple(told))


def _silence(known: Facts) -> Diagnosis:
    """The diagnosis when nothing comes back, or a router reports the host as unreachable."""
    host = known.host
    if host.all_down:
        return _host_down(known)
    if host.answering and known.reasons[0] != "timed_out":
        return _rejected(known)
    if known.slowed is not None:
        return _overloaded(known, known.slowed)
    if host.answering:
        return _filtered(known)
    return _nobody(known)


def _rejected(known: Facts) -> Diagnosis:
    return Diagnosis(
        "rejected",
        f"The host answers ({_answering(known)}); for {port(known)} a firewall or router says "
        "that it can't be reached (ICMP unreachable or prohibited).",
        (first_steps.firewall(known.target), first_steps.trace(known.target)),
    )


def _overloaded(known: Facts, slowed: Latency) -> Diagnosis:
    target = known.target
    return Diagnosis(
        "overloaded",
        f"Nothing comes back from {port(known)} any more; {slowing(slowed)}: "
        "overload rather than a cut cable.",
        (first_steps.load(target), first_steps.queue(target), first_steps.out_of_memory(target)),
    )


def _filtered(known: Facts) -> Diagnosis:
    target = known.target
    return Diagnosis(
        "filtered",
        f"The host answers ({_answering(known)}), nothing comes back from {port(known)}: "
        "a firewall drops it, or the service no longer accepts connections.",
        (first_steps.queue(target), first_steps.firewall(target), first_steps.trace(target)),
    )


def _nobody(known: Facts) -> Diagnosis:
    """The diagnosis without another target that tells whether the host is up."""
    target = known.target
    match known.reasons[0]:
        case "network_unreachable":
            return Diagnosis(
                "no_route",
                f"There is no route to {target.host}: its network is down or no longer announced.",
                (
                    first_steps.route(target),
                    first_steps.trace(target),
                    "Ask the network's operator",
                ),
            )
        case "host_unreachable":
            return Diagnosis(
                "host_down",
                f"The last router finds nobody at {target.host}: the host is switched off or "
                "unplugged, or a firewall says so.",
                (_console(known), first_steps.trace(target)),
            )
        case _:
            return Diagnosis(
                "no_answer",
                f"Nothing comes back from {target.host}: the host is down or cut off, or a "
                "firewall drops it.",
                (
                    first_steps.ping(target),
                    first_steps.trace(target),
                    "Watch a second port of this host: it tells a dead service from a dead host",
                ),
            )


def _host_down(known: Facts) -> Diagnosis:
    target, host = known.target, known.host
    quiet = " and it does not answer ping" if host.ping == "down" else ""
    sentence = (
        f"None of the host's {host.ports} watched targets can be reached{quiet}: "
        "the host is down or cut off."
    )
    if (slowed := known.slowed) is not None:
        sentence += f" It fell under load: {slowing(slowed)}."
    return Diagnosis("host_down", sentence, (_console(known), first_steps.trace(target)))


def _reset(known: Facts) -> Diagnosis:
    target = known.target
    sentence = (
        f"Connections to {port(known)} are reset: the service closes them at once, or a "
        "firewall or proxy before it does."
    )
    told = [first_steps.journal(target), first_steps.greeting(target), first_steps.firewall(target)]
    if (slowed := known.slowed) is not None:
        sentence += f" It was under load: {slowing(slowed)}."
        told.insert(0, first_steps.load(target))
    return Diagnosis("reset", sentence, tuple(told))


def _dns(known: Facts) -> Diagnosis:
    return Diagnosis(
        "dns",
        f"The name {known.target.host} does not resolve anywhere: its DNS record, its name "
        "servers, or an expired domain.",
        (
            *first_steps.resolve(known.target),
            "Was the record or the domain changed, or did it expire?",
        ),
    )


def _service(known: Facts) -> Diagnosis:
    """The diagnosis when the port is open and the service behind it is not well."""
    target = known.target
    match known.reasons[0]:
        case "too_many_connections":
            sentence = (
                f"The service behind {port(known)} has no room for another connection: its limit "
                "is reached, or clients do not close theirs."
            )
            if (slowed := known.slowed) is not None:
                sentence += f" It was slow before: {slowing(slowed)}."
            return Diagnosis("too_many_connections", sentence, first_steps.connections(target))
        case "no_answer":
            return Diagnosis(
                "hung",
                f"Port {port(known)} takes connections, and then nothing comes: the service hangs, "
                "or a proxy or load balancer takes them for a backend that is dead.",
                (
                    first_steps.greeting(target),
                    first_steps.queue(target),
                    first_steps.load(target),
                ),
            )
        case "protocol_mismatch":
            return Diagnosis(
                "wrong_protocol",
                f"Port {port(known)} is open, but does not speak {target.kind}: another service "
                "listens there, a proxy answers for it, or the service hangs.",
                (first_steps.greeting(target), first_steps.listens(target)),
            )
        case _:
            return Diagnosis(
                "unexpected_response",
                f"Port {port(known)} is open and speaks {target.kind}, but its answer is not the "
                "expected one: the service runs and is not well.",
                (first_steps.greeting(target), first_steps.journal(target)),
            )


def _mixed(known: Facts) -> Diagnosis:
    target = known.target
    return Diagnosis(
        "mixed",
        "The regions fail in different ways: the host is going down or coming up, the name leads "
        "to several machines, or a firewall treats the regions differently.",
        (
            f"From each region: {first_steps.addresses(target)} (the same addresses?)",
            first_steps.trace(target),
            first_steps.started(target),
        ),
    )


def _answering(known: Facts) -> str:
    """A sentence on which part of the host can be reached, and which part can't."""
    host = known.host
    found = []
    if host.ping in {"up", "slow"}:
        found.append("ping")
    if host.site in {"up", "slow"}:
        found.append(f"HTTP on {host.site_port}" if host.site_port else "HTTP")
    rest = host.answering - len(found)
    if rest:
        found.append("1 other target" if rest == 1 else f"{rest} other targets")
    return names(found) + (f"; {host.down} more not" if host.down else "")


def _console(known: Facts) -> str:
    return f"Is {known.target.host} switched on? Look at its console or its hypervisor"


_BY_FAMILY: Final[dict[Family, Callable[[Facts], Diagnosis]]] = {
    "refused": _refused,
    "silence": _silence,
    "reset": _reset,
    "dns": _dns,
    "tls": encrypted.everywhere,
    "service": _service,
    "heartbeat": heartbeat.silence,
}
