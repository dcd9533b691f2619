"""Shows an explanation: one screen, 100 columns."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from rich.text import Text

from portquorum.cli.notifications import IncidentRoute, MaintenanceNow, TargetNotifications
from portquorum.cli.notify_shown import SENT_STYLE, STATUS_WORDS
from portquorum.delivery.names import short_names
from portquorum.presentation.output import OF_CLOSED, STATUS_STYLE, clock, job_word, out, table
from schemas.duration import duration_text
from schemas.notification import Notification
from schemas.plain_text import one_line
from schemas.probe import JOB
from schemas.result import REASON_TEXT
from schemas.target import Target
from sinks.notifier.sparing.model import day_and_time
from streams.diagnosis.units import milliseconds
from streams.explain import Explanation, IncidentExplained, RecheckExplained, RegionExplained

IDLE_MS: Final = 30_000
"""Age beyond which a log has no writer, in ms: probers beat every 5 s, ticks come after 10 s."""

OLD_CHECKPOINT_MS: Final = 120_000
"""Age beyond which a checkpoint has no writer, in ms: by default one comes every 15 s."""

HOST_TARGETS_SHOWN: Final = 6
ROUTES_SHOWN: Final = 8

OF_ANY_REASON: Final = "missed, failed or too long"
"""What incidents of the type `unreachable` of a job are called, whatever their reason is."""


class ExplainAnswer(Struct, frozen=True, kw_only=True):
    """The whole answer of `explain`. Times are UTC ms; `now` is this machine's.

    `explanation` is None if the stream does not know the target. `log_at` is the log's newest
    append time; for the others see `streams.replay.latest_state.Latest`.
    """

    target: Target
    partition: int
    explanation: Explanation | None
    log_at: int
    checkpoint_at: int | None
    behind: int
    complete: bool
    told: TargetNotifications
    now: int


def show(answer: ExplainAnswer) -> None:
    """Prints the answer."""
    target, known = answer.target, answer.explanation
    out().print(
        Text.assemble(
            (one_line(target.name), "bold"),
            one_line(f"  {target.kind} {target.place}"),
            (f"  {target.id}", "dim"),
        )
    )
    if known is None:
        _line(
            "The stream does not know this target: it was not applied, or the log lost it; "
            "`portquorum inventory apply --republish` writes it again.",
            "bold red",
        )
    else:
        _headline(known)
        if known.regions:
            _regions(known)
        _chapter("What would change it", known.would_change)
        for incident in known.incidents:
            _incident(incident, known)
        _others(known)
    _told(answer)
    _standing(answer)


def _headline(known: Explanation) -> None:
    style = "bold red" if known.incidents else STATUS_STYLE.get(known.status, "")
    _line(f"● {known.headline}", style)
    for sentence in known.because:
        _indented(sentence)
    if known.recheck is not None:
        _indented(_recheck(known.recheck, known.at))


def _recheck(last: RecheckExplained, at: int) -> str:
    """The line on the last request that every region check the host."""
    if last.asked_at is None:
        return "Every region will be asked to check the host: requests for other hosts go first."
    waits = "; another request waits for its turn" if last.waits else ""
    ago = duration_text(max(0, at - last.asked_at))
    return f"Every region was asked to check the host {ago} ago{waits}."


def _regions(known: Explanation) -> None:
    columns = ("region", "says", "why", "last result", "fresh", "failures", "lately / usual")
    closed = known.target.expect == "closed"
    rows = [_row(one, known.at, closed=closed) for one in known.regions]
    out().print(table(columns, rows, fold=("why",), drop=("lately / usual", "failures", "fresh")))


def _row(one: RegionExplained, at: int, *, closed: bool) -> tuple[object, ...]:
    said = one.said
    word = OF_CLOSED.get(said.verdict, said.verdict) if closed else said.verdict
    verdict = Text(word, style=STATUS_STYLE.get(said.verdict, ""))
    why = "" if said.reason is None else REASON_TEXT[said.reason]
    if said.detail and said.detail != why:
        why = f"{why} ({said.detail})" if why else said.detail
    remarks = [why] if why else []
    if said.verdict == "stale" and one.last_word is not None:
        remarks.insert(0, f"last word: {one.last_word}")
    if said.verdict == "up" and one.failures:
        remarks.append("not confirmed")
    if said.set_aside:
        remarks.append("set aside")
    if one.silent_since is not None:
        remarks.append(f"silent since {clock(one.silent_since)[11:]}")
    return (
        one.region,
        verdict,
        "; ".join(remarks) or None,
        None if one.newest_at is None else f"{duration_text(max(0, at - one.newest_at))} ago",
        _fresh(one, at),
        f"{one.failures} of {one.failures_needed}" if one.failures else None,
        _latency(one),
    )


def _latency(one: RegionExplained) -> str | None:
    if one.lately_us is None or one.usual_us is None:
        return None
    return f"{_latency_text(one.lately_us)} / {_latency_text(one.usual_us)}"


def _latency_text(us: int) -> str:
    """As `status` writes it below 1 ms; an event's words have no hundredths."""
    return f"{us / 1000:.2f} ms" if us < 1000 else milliseconds(us)


def _fresh(one: RegionExplained, at: int) -> Text | None:
    if one.fresh_until is None:
        return None
    if one.fresh_until >= at:
        return Text(f"{duration_text(one.fresh_until - at)} more")
    return Text(f"no, for {duration_text(at - one.fresh_until)}", style="magenta")


def _incident(one: IncidentExplained, known: Explanation) -> None:
    closed = known.target.expect == "closed"
    first = "began" if known.target.kind == JOB else "first failure"
    if closed or one.incident_type == "expiring":
        first = "first seen"
    of_outage = one.incident_type == "unreachable"
    what = _outage(known, closed=closed) if of_outage else one.incident_type
    lines = [
        f"{what}, {first} {clock(one.first_failed_at)} UTC, opened "
        f"{clock(one.opened_at)[11:]}"
        + (f", outage {one.episode}" if one.episode > 1 else "")
        + (", improved" if one.improved else "")
        + (f", acknowledged by {one.acknowledged_by}" if one.acknowledged_by else "")
        + (f": {one.acknowledged_note}" if one.acknowledged_note else "")
    ]
    if one.sentence is not None:
        lines.append(one.sentence)
    lines += [f"{number}. {step}" for number, step in enumerate(one.first_steps, 1)]
    _chapter(f"Incident {one.incident_id}", lines)


def _outage(known: Explanation, *, closed: bool) -> str:
    """What an incident of the type `unreachable` is called: nobody tries to reach a job."""
    if closed:
        return "open port"
    if known.target.kind == JOB:
        return job_word(region.said.reason for region in known.regions)
    return "unreachable"


def _others(known: Explanation) -> None:
    if not known.host_targets:
        return
    text = Text()
    for place, one in enumerate(known.host_targets[:HOST_TARGETS_SHOWN]):
        text.append(", " if place else "")
        text.append(f"{one.target}{f' ({one.port})' if one.port else ''} ")
        word = OF_CLOSED.get(one.status, one.status) if one.expect == "closed" else one.status
        text.append(word, style=STATUS_STYLE.get(one.status, ""))
    more = len(known.host_targets) - HOST_TARGETS_SHOWN
    if more > 0:
        text.append(f", and {more} more")
    _chapter("Others on this host", [text])


def _told(answer: ExplainAnswer) -> None:
    known = answer.told
    lines: list[Text | str] = []
    kinds: dict[tuple[object, ...], list[IncidentRoute]] = {}
    for way in known.ways:
        looked = tuple((one.route, one.takes) for one in way.routes)
        kinds.setdefault((way.channels, way.fallback, way.spared, looked), []).append(way)
    for ways in kinds.values():
        lines += _would_tell(ways, job=answer.target.kind == JOB)
    for window in known.maintenance:
        lines.append(f"maintenance {window.name} {_when(window, answer.now)}")
    names = short_names({one.channel for one in known.sent if one.channel})
    lines += [_sent(one, names.get(one.channel, ""), answer.now) for one in known.sent]
    if not known.sent:
        lines.append("nothing was sent for it in the last 30 days")
    _chapter("Who is told", lines)


def _when(window: MaintenanceNow, now: int) -> str:
    if window.now:
        return f"is on until {day_and_time(window.end, window.timezone)}"
    if window.start > now:
        return f"begins at {day_and_time(window.start, window.timezone)}"
    return "is over"


def _would_tell(ways: list[IncidentRoute], *, job: bool) -> list[Text | str]:
    """Who is told of incidents of some types, and which routes take them and do not take them."""
    first = ways[0]
    called = {"unreachable": OF_ANY_REASON} if job else {}
    of = ", ".join(
        f"{called.get(way.incident_type, way.incident_type)} ({way.severity})" for way in ways
    )
    lines: list[Text | str] = []
    if first.nobody:
        lines.append(Text(f"{of}: nobody, no route takes it", "yellow"))
    else:
        channels = ", ".join(short_names(first.channels).values())
        fallback = ", ".join(first.fallback)
        instead = f"; if one fails, also the route {fallback}" if fallback else ""
        lines.append(f"{of}: {channels}{instead}")
    if first.spared:
        lines.append(Text(one_line(f"  nobody now: {first.spared}"), "yellow"))
    for one in first.routes[:ROUTES_SHOWN]:
        word = "" if one.takes else "not "
        lines.append(Text(one_line(f"  {word}{one.route}: {one.why}"), "" if one.takes else "dim"))
    more = len(first.routes) - ROUTES_SHOWN
    if more > 0:
        lines.append(Text(f"  and {more} more routes (--json has all)", "dim"))
    return lines


def _sent(one: Notification, channel: str, now: int) -> Text:
    text = Text(STATUS_WORDS.get(one.status, one.status), style=SENT_STYLE[one.status])
    ago = duration_text(max(0, now - one.at))
    if one.status == "not_sent":
        whom = f" to {channel}" if channel else ""
        text.append(f"{whom} {ago} ago: {one.event} ({one.why or 'nothing says why'})")
        return text
    text.append(f" {ago} ago by {channel}: {one.subject}")
    if one.error:
        text.append(f" (attempt {one.attempt}: {one.error})", style="red")
    return text


def _standing(answer: ExplainAnswer) -> None:
    """The times of the data, and whether the roles behind it run."""
    known = answer.explanation
    who = "receiver" if answer.target.kind == JOB else "prober"
    if not answer.log_at:
        _line(f"The log of this partition is empty: no {who} has ever reported.", "bold red")
        return
    offset = "" if known is None else f", offset {known.offset}"
    age = duration_text(max(0, answer.now - answer.log_at))
    out().print()
    _line(
        f"As of {clock(answer.log_at)} UTC ({age} ago), partition {answer.partition}{offset}.",
        "dim",
    )
    if answer.now - answer.log_at > IDLE_MS:
        _line(f"Nothing was written to the log for {age}: no {who} and no stream runs.", "bold red")
    if answer.checkpoint_at is None:
        _line("The stream has not written a checkpoint yet: it may not have run.", "bold red")
    elif answer.now - answer.checkpoint_at > OLD_CHECKPOINT_MS:
        checkpoint_age = duration_text(answer.now - answer.checkpoint_at)
        _line(
            f"The stream's newest checkpoint is {checkpoint_age} old, with {answer.behind} records "
            "after it: does the stream run? What is said above may not have been sent.",
            "bold red",
        )
    if not answer.complete:
        _line("The log no longer has all records since that checkpoint.", "bold red")


def _chapter(title: str, lines: Iterable[Text | str]) -> None:
    out().print(Text(title, style="bold"))
    for line in lines:
        _indented(line)


def _indented(line: Text | str) -> None:
    shown = line if isinstance(line, Text) else Text(one_line(line))
    out().print_indented(shown)


def _line(text: str, style: str = "") -> None:
    out().print(Text(one_line(text), style=style))
