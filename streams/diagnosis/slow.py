"""Diagnosis of a slow target."""

from schemas.result import REASON_TEXT
from streams.diagnosis import first_steps
from streams.diagnosis.diagnosis import Diagnosis
from streams.diagnosis.facts import Facts
from streams.diagnosis.partial import region_network
from streams.diagnosis.units import about, milliseconds
from streams.diagnosis.words import names, verb


def slowness(known: Facts) -> Diagnosis:
    """The likeliest cause; at least one region must say `slow`."""
    target = known.target
    if len(known.troubled) == len(known.slow):
        return region_network(known)
    if len(known.rising) == len(known.slow):
        return _rising(known)
    if known.quick:
        hit = sorted({*known.slow, *known.failing_regions})
        return Diagnosis(
            "slow_path",
            f"It is {_how(known)} from {names(known.slow)} only{_times(known)}{_failing(known)}; "
            f"{names(known.quick)} {verb(known.quick, 'gets', 'get')} quick answers: the path "
            f"from {names(hit)}.",
            (f"From a slow region: {first_steps.trace(target)} (where does the time grow?)",),
        )
    if known.host.slow:
        others = known.host.slow
        return Diagnosis(
            "host_busy",
            f"It is {_how(known)} from {_where(known)}{_times(known)}{_failing(known)}, and so "
            f"{'is' if others == 1 else 'are'} {others} other "
            f"target{'' if others == 1 else 's'} of the host: the host or its uplink is busy.",
            (first_steps.load(target), f"On {target.host}: sar -n DEV 1 5 (or ip -s link)"),
        )
    return Diagnosis(
        "service_slow",
        f"It is {_how(known)} from {_where(known)}{_times(known)}{_failing(known)}"
        f"{_others(known)}: the service is busy.",
        (first_steps.load(target), first_steps.queue(target), *first_steps.connections(target)),
    )


def _rising(known: Facts) -> Diagnosis:
    """The diagnosis when the latency rises but no region is too slow yet."""
    limit, hours = known.target.latency, min(hours for _, hours in known.rising)
    reached = "it will be too slow"
    if limit is not None and limit.max_ms is not None:
        reached = f"{limit.max_ms:g} ms are reached"
    where = f"{names(known.slow)} only" if known.quick else "everywhere"
    return Diagnosis(
        "rising",
        f"It takes longer and longer from {where}{_times(known)}: if it goes on like this, "
        f"{reached} in {about(hours)}. Something grows: data, a queue, memory, the load.",
        (
            first_steps.load(known.target),
            first_steps.queue(known.target),
            *first_steps.connections(known.target),
        ),
    )


def _where(known: Facts) -> str:
    """Where it is slow, if no region gets quick answers."""
    return names(known.slow) if known.failing else "everywhere"


def _failing(known: Facts) -> str:
    """The regions that fail beside the slow ones."""
    if not known.failing:
        return ""
    reasons = " / ".join(REASON_TEXT[reason] for reason in known.reasons)
    return f" and unreachable from {names(known.failing_regions)} ({reasons})"


def _how(known: Facts) -> str:
    return "slower than usual" if len(known.unusual) == len(known.slow) else "slow"


def _times(known: Facts) -> str:
    """The present and the usual time, of the slowest region."""
    if not known.latency:
        return ""
    slowest = max(known.latency, key=lambda latency: latency.lately_us)
    text = f" ({milliseconds(slowest.lately_us)} now"
    if slowest.lately_us >= 2 * slowest.usual_us or len(known.unusual) == len(known.slow):
        text += f", usually {milliseconds(slowest.usual_us)}"
    return f"{text})"


def _others(known: Facts) -> str:
    return ", other targets of the host are not" if known.host.up else ""
