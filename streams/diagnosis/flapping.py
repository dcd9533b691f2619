"""Diagnosis of a target that goes down and up again and again."""

from streams.diagnosis import first_steps
from streams.diagnosis.diagnosis import Diagnosis
from streams.diagnosis.facts import Facts
from streams.diagnosis.words import names, port


def unsteadiness(known: Facts) -> Diagnosis:
    """The likeliest cause, from the last failure; at least one region must fail."""
    target = known.target
    if known.working:
        return Diagnosis(
            "unstable_path",
            f"It comes and goes, and at the last fall {names(known.working)} could still connect: "
            f"an unsteady path from {names(known.failing_regions)}, or one of several servers.",
            (
                f"From {names(known.failing_regions)}: {first_steps.trace(target)}",
                f"From each region: {first_steps.addresses(target)} (the same addresses?)",
            ),
        )
    if known.host.all_down:
        return Diagnosis(
            "unstable_host",
            f"It comes and goes together with the other {known.host.down} of the host's watched "
            "targets: the host restarts again and again, or its network is unsteady.",
            (first_steps.started(target), first_steps.trace(target), first_steps.load(target)),
        )
    if known.family == "refused":
        return Diagnosis(
            "restart_loop",
            f"Nothing listens on {port(known)} each time it falls, and the host answers: the "
            "service crashes and is started again and again.",
            (
                first_steps.restarts(target),
                first_steps.out_of_memory(target),
            ),
        )
    return Diagnosis(
        "unstable",
        f"It comes and goes: overload, or an unsteady network before {target.host or target.id}.",
        (first_steps.load(target), first_steps.trace(target), first_steps.journal(target)),
    )
