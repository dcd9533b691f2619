"""The report on an import: for the terminal, as Markdown and as JSON."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from portquorum.importing.model import Outcome, Place, Report, Taken, Timing
from schemas.plain_text import one_line

_SHOWN: Final = 12
"""The most lines of a section of which every line is like the others."""

_MOST_SENTENCES: Final = 40
"""The most sentences of a section on the terminal: a file of another kind has one an entry."""

_POSITION: Final = re.compile(r"\[[0-9]+\]")
_OUTCOMES: tuple[tuple[Outcome, str], ...] = (
    ("exact", "exact"),
    ("nearly", "nearly"),
    ("left_out", "left out"),
)


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain values, with its counts."""
    plain: dict[str, Any] = _encodable(msgspec.to_builtins(report))
    return {"counts": {"entries": len(report.entries)} | counts(report), **plain}


def _encodable(value: Any) -> Any:
    """The same without lone surrogates, which names of files may have and JSON may not."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {name: _encodable(one) for name, one in value.items()}
    return [_encodable(one) for one in value] if isinstance(value, list | tuple) else value


def counts(report: Report) -> dict[str, int]:
    """The number of entries by outcome; together they are all."""
    return {name: report.count(name) for name, _ in _OUTCOMES}


def headline(report: Report) -> str:
    """One line: `40 entries of gatus: 35 exact, 4 nearly, 1 left out`."""
    shown = ", ".join(f"{report.count(name)} {words}" for name, words in _OUTCOMES)
    one = "entry" if len(report.entries) == 1 else "entries"
    return f"{len(report.entries)} {one} of {report.source}: {shown}"


def grouped(
    entries: Iterable[Taken], sentences: Callable[[Taken], Iterable[str]]
) -> list[tuple[str, list[Taken]]]:
    """Each sentence with its entries, the most frequent first."""
    found: dict[str, list[Taken]] = {}
    for entry in entries:
        for sentence in sentences(entry):
            found.setdefault(sentence, []).append(entry)
    return sorted(found.items(), key=lambda one: -len(one[1]))


def reasons(entry: Taken) -> tuple[str, ...]:
    """Why an entry was left out."""
    return () if entry.why is None else (entry.why,)


def timing(entry: Taken) -> str:
    """`every 60 s, timeout 10 s, told after 120 s → the same`; empty without a timing before."""
    before, after = entry.before, entry.after
    if before is None or after is None:
        return ""
    if before == after:
        return f"{_timing(before)} → the same"
    if before.told_after_s is None and _checked(before) == _checked(after):
        # Whom nobody was told of there has an incident here all the same.
        return f"{_timing(before)}, no alert → an incident after {after.told_after_s or 0:g} s"
    if _checked(before) == _checked(after) and after.told_after_s is not None:
        return f"{_timing(before)} → told after {after.told_after_s:g} s"
    return f"{_timing(before)} → {_timing(after)}"


def _checked(one: Timing) -> tuple[float, float | None]:
    return one.interval_s, one.timeout_s


def _timing(one: Timing) -> str:
    parts = [f"every {one.interval_s:g} s"]
    if one.timeout_s is not None:
        parts.append(f"timeout {one.timeout_s:g} s")
    if one.told_after_s is not None:
        parts.append(f"told after {one.told_after_s:g} s")
    return ", ".join(parts)


def lines(report: Report) -> Iterator[str]:
    """`sections`, each title before its lines."""
    for title, texts in sections(report):
        yield title
        yield from texts


def sections(report: Report) -> Iterator[tuple[str, list[str]]]:
    """The report for a terminal: titles, each with its lines. Entries stand by sentence."""
    yield from _section(
        "Nearly, and what differs",
        _sentences(grouped(report.entries, lambda one: one.differences)),
    )
    yield from _section("Left out, and why", _sentences(grouped(report.entries, reasons)))
    yield from _section("Timing, before → after", _timings(report.entries))
    routes = [f"{name}: {'; '.join(texts)}" for name, texts in report.routes.items() if texts]
    yield from _section("Routes, and what differs", routes)
    yield from _section("Not read", [f"{_at(one.place)}{one.why}" for one in report.unreadable])
    renamed = [f"{one.name} is {', '.join(one.renamed)}" for one in report.entries if one.renamed]
    yield from _section("Renamed ids", _few(renamed))
    yield from _section("Ignored", _ignored(report))
    secrets = [f"{one.name}: {one.what} ({one.place})" for one in report.secrets]
    yield from _section("Secrets to set", secrets)


def _section(title: str, found: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    texts = [one_line(one) for one in found]
    if texts:
        yield title, texts


def _few(texts: list[str]) -> list[str]:
    more = len(texts) - _SHOWN
    return [*texts[:_SHOWN], f"… and {more} more"] if more > 0 else texts


def _timings(entries: Iterable[Taken]) -> list[str]:
    """The timings, each with the number of its entries, the most frequent first."""
    found = Counter(text for entry in entries if (text := timing(entry)))
    return _few([f"{text} (× {count})" for text, count in found.most_common()])


def _sentences(found: Sequence[tuple[str, list[Taken]]]) -> Iterator[str]:
    for sentence, entries in found[:_MOST_SENTENCES]:
        names = ", ".join(entry.name for entry in entries[:3])
        more = f" and {len(entries) - 3} more" if len(entries) > 3 else ""
        yield f"{sentence}: {names}{more}"
    rest = found[_MOST_SENTENCES:]
    if rest:
        count = sum(len(entries) for _, entries in rest)
        yield f"… and {len(rest)} more, of {count} entries: --report FILE has them all"


def _ignored(report: Report) -> list[str]:
    """What was ignored, equal things of several entries once."""
    found: Counter[tuple[str, str]] = Counter()
    for one in (*report.ignored, *(one for entry in report.entries for one in entry.ignored)):
        found[_POSITION.sub("[]", one.what), one.why] += 1
    return [
        f"{what}{f' (× {count})' if count > 1 else ''}: {why}"
        for (what, why), count in found.items()
    ]


def _at(place: Place) -> str:
    return f"{place}: " if place.file else ""


def markdown(report: Report) -> str:
    """The whole report, each entry a row."""
    found = [f"# Import of {report.source}", "", f"{headline(report)}.", ""]
    if report.warnings:
        found += ["## To know", "", *(f"- {_cell(one)}" for one in report.warnings), ""]
    found += ["## Entries", "", *_entries(report.entries), ""]
    if report.routes:
        found += ["## Routes", ""]
        for name, differences in report.routes.items():
            found.append(f"- {_cell(name)}: {_cell('; '.join(differences) or 'as it was')}")
        found.append("")
    if report.secrets:
        found += ["## Secrets to set", "", "| variable | of | what it is | where it stands |"]
        found.append("|---|---|---|---|")
        for secret in report.secrets:
            of = "the probers" if secret.of_checks else "the notifier"
            found.append(
                f"| `{secret.name}` | {of} | {_cell(secret.what)} | {_cell(secret.place)} |"
            )
        found.append("")
    if report.unreadable:
        found += ["## Not read", ""]
        found += [f"- {_cell(_at(one.place) + one.why)}" for one in report.unreadable] + [""]
    ignored = [*report.ignored, *(one for entry in report.entries for one in entry.ignored)]
    if ignored:
        found += ["## Ignored", "", "| where | what | why |", "|---|---|---|"]
        found += [f"| {_cell(i.place)} | {_cell(i.what)} | {_cell(i.why)} |" for i in ignored] + [
            ""
        ]
    return "\n".join(found)


def _entries(entries: Iterable[Taken]) -> Iterator[str]:
    words = dict(_OUTCOMES)
    yield "| entry | where | becomes | | what differs, or why not | timing |"
    yield "|---|---|---|---|---|---|"
    for entry in entries:
        renamed = f" (renamed: {', '.join(entry.renamed)})" if entry.renamed else ""
        told = "; ".join((*entry.differences, *reasons(entry)))
        cells = (
            *(entry.name, entry.place, ", ".join(entry.ids) + renamed),
            *(words[entry.outcome], told, timing(entry)),
        )
        yield f"| {' | '.join(map(_cell, cells))} |"


_LIKE_A_LINK: Final = re.compile(r"://|www\.|@", re.IGNORECASE)
_MARKS: Final = re.compile(r"[\\`*_\[\]<>|~&$#]")


def _cell(value: object) -> str:
    """Text of the source as text in Markdown; what GitHub makes a link or a mention is code."""
    words = one_line(str(value)).split(" ")
    return " ".join(
        _code(one) if _LIKE_A_LINK.search(one) else _MARKS.sub(r"\\\g<0>", one) for one in words
    )


def _code(text: str) -> str:
    """A code span in a table: nothing in it means anything."""
    ticks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    blank = " " if "`" in text else ""
    return f"{ticks}{blank}{text.replace('|', chr(92) + '|')}{blank}{ticks}"
