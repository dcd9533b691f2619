"""The result as one self-contained HTML file."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from portquorum.backtest.charts import lines, verdict
from portquorum.backtest.result import Result
from portquorum.presentation.output import clock, span
from streams.backtest import compare

SHOWN: Final = 500
"""Most rows of a list that are shown; the JSON document has all."""

_STYLE: Final = """
:root { color-scheme: light dark; --now: #d9a114; --other: #1795b8; --line: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; }
.dim { opacity: .7; } .verdict { font-size: 1.3rem; font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
.n { text-align: right; white-space: nowrap; } .better { color: #1a8a3c; }
.worse { color: #cf3b2f; }
.now { fill: var(--now); background: var(--now); } .other { fill: var(--other);
  background: var(--other); }
.bar { height: .5rem; min-width: 2px; margin: .25rem 0; border-radius: 2px; }
.key span { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 1rem; }
svg { width: 100%; height: 10rem; }
"""


def document(result: Result) -> str:
    """The page. All text from outside is escaped."""
    found, scope = result.comparison, result.scope
    changes = ", ".join(result.changes) or "no difference to the present policy"
    scoped = (
        f"{clock(found.since)[:16]} – {clock(found.until)[:16]} UTC · "
        f"{scope.targets:,} targets on {scope.hosts:,} hosts · "
        f"{scope.rows + scope.calm_rows:,} results"
    )
    body = [
        "<h1>Backtest</h1>",
        f"<p class=dim>{scoped}</p>",
        f"<p><b>{escape(scope.policy)}</b>: {escape(changes)}</p>",
        f"<p class=verdict>{escape(verdict(found))}</p>",
        _figures(result),
        "<h2>Openings a day</h2>",
        "<p class=key><span class=now></span>now<span class=other></span>proposed</p>",
        _days(found),
    ]
    if len(found.teams) > 1 or (found.teams and found.teams[0].name):
        body += ["<h2>By team</h2>", _groups(found.teams)]
    if found.targets:
        body += ["<h2>By target, the greatest differences</h2>", _groups(found.targets[:SHOWN])]
    body += _told("Would not have opened", found.gone)
    body += _told("Would be new", found.new)
    body += ["<h2>What to know of these figures</h2><ul>"]
    body += [f"<li>{escape(note)}</li>" for note in result.notes]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>portquorum backtest: {escape(scope.policy)}</title>"
        f"<style>{_STYLE}</style></head>\n<body>{''.join(body)}</ul></body></html>\n"
    )


def _figures(result: Result) -> str:
    rows = []
    for line in lines(result.comparison):
        kind = {True: "better", False: "worse", None: ""}[line.better]
        rows.append(
            f"<tr><td>{escape(line.name)}<td class=n>{line.present}<td class=n><b>{line.proposed}"
            f'</b><td class="n {kind}">{line.difference}'
        )
    head = "<tr><th><th class=n>now<th class=n>proposed<th class=n>difference"
    return f"<table>{head}{''.join(rows)}</table>"


def _days(found: compare.Comparison) -> str:
    """Two bars for each day, scaled to the higher one of both."""
    first, second = found.present.days, found.proposed.days
    most = max(*first, *second, 1)
    bars = []
    for day, values in enumerate(zip(first, second, strict=True)):
        for place, (kind, value) in enumerate(zip(("now", "other"), values, strict=True)):
            height = 100 * value / most
            at = f'x="{day * 10 + 1 + place * 4}" y="{100 - height:.2f}"'
            date = clock(found.since + day * 86_400_000)[:10]
            bars.append(
                f'<rect class={kind} {at} width="4" height="{height:.2f}">'
                f"<title>{date}: {value:,}</title></rect>"
            )
    width = 10 * len(first)
    return (
        f'<svg viewBox="0 0 {width} 100" preserveAspectRatio="none" role="img" '
        f'aria-label="openings a day">{"".join(bars)}</svg>'
    )


def _groups(groups: Sequence[compare.Group]) -> str:
    most = max(max(one.present.incidents, one.proposed.incidents, 1) for one in groups)
    rows = []
    for one in groups:
        first, second = one.present, one.proposed
        bars = "".join(
            f'<div class="bar {kind}" style="width:{100 * value / most:.1f}%"></div>'
            for kind, value in (("now", first.incidents), ("other", second.incidents))
            if value
        )
        numbers = (
            f"{first.incidents:,} → {second.incidents:,}",
            f"{first.minutes_down:,.0f} → {second.minutes_down:,.0f}",
            f"{first.alerts:,} → {second.alerts:,}",
        )
        cells = "".join(f"<td class=n>{text}" for text in numbers)
        rows.append(f"<tr><td>{escape(one.name or 'no team')}<td style=width:30%>{bars}{cells}")
    head = "<tr><th><th><th class=n>incidents<th class=n>minutes down<th class=n>alerts"
    return f"<table>{head}{''.join(rows)}</table>"


def _told(title: str, some: Sequence[compare.OneSidedIncident]) -> Iterable[str]:
    if not some:
        return
    more = f", the first {SHOWN:,}" if len(some) > SHOWN else ""
    yield f"<h2>{title} ({len(some):,}{more})</h2><table>"
    yield "<tr><th>opened (UTC)<th>target<th>team<th class=n>for<th>why"
    for one in some[:SHOWN]:
        yield (
            f"<tr><td>{clock(one.incident.opened_at)}<td><b>{escape(one.name)}</b><br>"
            f"<span class=dim>{escape(one.place)}</span><td>{escape(one.team or '')}"
            f"<td class=n>{span(one.lasted_ms)}<td>{escape(one.why)}"
        )
    yield "</table>"
