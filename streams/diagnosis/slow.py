"""Why a target is slow."""

from streams.diagnosis import steps
from streams.diagnosis.diagnosis import Diagnosis
from streams.diagnosis.facts import Facts
from streams.diagnosis.partly import region_network
from streams.diagnosis.words import milliseconds, names, verb


def slowness(known: Facts) -> Diagnosis:
    """The likeliest cause; at least one region must say `slow`."""
    target = known.target
    if len(known.troubled) == len(known.slow):
        return region_network(known)
    if known.quick:
        return Diagnosis(
            "slow_path",
            f"It is slow from {names(known.slow)} only{_times(known)}; {names(known.quick)} "
            f"{verb(known.quick, 'gets', 'get')} quick answers: the path "
            f"from {names(known.slow)}.",
            (f"From a slow region: {steps.trace(target)} (where does the time grow?)",),
        )
    if known.host.slow:
        others = known.host.slow
        return Diagnosis(
            "host_busy",
            f"It is slow from everywhere{_times(known)}, and so {'is' if others == 1 else 'are'} "
            f"{others} other target{'' if others == 1 else 's'} of the host: the host or its "
            "uplink is busy.",
            (steps.load(target), f"On {target.host}: sar -n DEV 1 5 (or ip -s link)"),
        )
    return Diagnosis(
        "service_slow",
        f"It is slow from everywhere{_times(known)}{_others(known)}: the service is busy.",
        (steps.load(target), steps.queue(target), *steps.connections(target)),
    )


def _times(known: Facts) -> str:
    """What it is now, and what it is usually, where it is slowest."""
    if not known.latency:
        return ""
    slowest = max(known.latency, key=lambda latency: latency.lately_us)
    text = f" ({milliseconds(slowest.lately_us)} now"
    if slowest.lately_us >= 2 * slowest.usual_us:
        text += f", usually {milliseconds(slowest.usual_us)}"
    return f"{text})"


def _others(known: Facts) -> str:
    return ", other targets of the host are not" if known.host.up else ""
