"""A report as one self-contained HTML file."""

from collections.abc import Iterator
from html import escape
from typing import Final

from portquorum.report.result import Column, Days, Figure, Report, Table, Value
from portquorum.report.words import height, share, text

_TITLES: Final = {
    "uptime": "Uptime",
    "slo": "Service level objectives",
    "cost": "Cost of downtime",
    "reliability": "Reliability",
}
_STYLE: Final = """
:root { color-scheme: light dark; --back: #f6f7f9; --card: #fff; --ink: #17212e; --dim: #64748b;
  --line: #e3e8ef; --bar: #3b82b8; --track: #e9eef4; --good: #15803d; --bad: #c8322b; }
@media (prefers-color-scheme: dark) { :root { --back: #0f151d; --card: #18212c; --ink: #e6edf5;
  --dim: #93a3b8; --line: #2a3747; --bar: #5aa7dc; --track: #243140; --good: #4ade80;
  --bad: #ff7b72; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back);
  margin: 0 auto; max-width: 66rem; padding: 2rem 1.2rem 4rem; }
h1 { font-size: 1.9rem; margin: 0; letter-spacing: -.02em; }
h2 { font-size: 1.05rem; margin: 0 0 .8rem; }
.dim { color: var(--dim); }
.verdict { font-size: 1.25rem; font-weight: 600; margin: 1rem 0 1.4rem; }
.trouble { color: var(--bad); }
.figures { display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); }
.card, .figure { background: var(--card); border: 1px solid var(--line); border-radius: .7rem; }
.card { padding: 1.1rem 1.3rem; margin-top: 1rem; overflow-x: auto; }
.figure { padding: .8rem 1rem; }
.figure b { display: block; font-size: 1.45rem; font-variant-numeric: tabular-nums;
  white-space: nowrap; letter-spacing: -.01em; }
.good { color: var(--good); } .bad { color: var(--bad); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { font-weight: 500; color: var(--dim); font-size: .85rem; }
th, td { text-align: left; padding: .4rem 1.1rem .4rem 0; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; } .n { text-align: right; white-space: nowrap; }
td.bars { width: 22%; min-width: 7rem; }
.track { background: var(--track); border-radius: 4px; height: .6rem; }
.track i { display: block; height: 100%; border-radius: 4px; background: var(--bar);
  min-width: 2px; }
.track i.low { background: var(--bad); }
svg { display: block; width: 100%; height: 9rem; } rect { fill: var(--bar); }
rect:hover { opacity: .7; } .axis { display: flex; justify-content: space-between;
  font-size: .8rem; color: var(--dim); }
footer { margin-top: 2rem; font-size: .85rem; color: var(--dim); }
"""


def document(report: Report) -> str:
    """The page. All text from outside is escaped."""
    title = _TITLES[report.kind]
    body = [
        f"<h1>{title}</h1>",
        f"<p class=dim>{report.since} – {report.until} UTC · {escape(report.scope)}</p>",
        f'<p class="verdict{" trouble" if report.trouble else ""}">{escape(report.verdict)}</p>',
        f"<div class=figures>{''.join(map(_figure, report.figures))}</div>",
        *(_days(one) for one in report.days),
        *(_table(one) for one in report.tables),
    ]
    notes = "".join(f"<p>{escape(note[:1].upper() + note[1:])}.</p>" for note in report.notes)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}: {escape(report.scope)}, {report.since} – {report.until}</title>"
        f"<style>{_STYLE}</style></head>\n<body>{''.join(body)}"
        f"<footer>{notes}<p>portquorum report {report.kind}</p></footer></body></html>\n"
    )


def _figure(figure: Figure) -> str:
    tone = "" if figure.tone == "plain" else f" class={figure.tone}"
    shown = text(figure.value, figure.unit)
    return (
        f"<div class=figure><b{tone}>{escape(shown)}</b><span class=dim>{figure.title}</span></div>"
    )


def _days(days: Days) -> str:
    """A bar for each day; none for a day without a value."""
    low, high = height(days)
    bars = []
    for number, (day, value) in enumerate(zip(days.days, days.values, strict=True)):
        if value is None:
            continue
        tall = max(0.8, 100 * (value - low) / (high - low)) if value > low else 0.0
        bars.append(
            f'<rect x="{number * 10 + 1}" y="{100 - tall:.2f}" width="8" height="{tall:.2f}">'
            f"<title>{day}: {escape(text(value, days.unit))}</title></rect>"
        )
    ends = (text(low or 0, days.unit), text(high, days.unit))
    return (
        f"<section class=card><h2>{escape(days.title)}</h2>"
        f"<div class=axis><span>{escape(ends[1])}</span></div>"
        f'<svg viewBox="0 0 {len(days.days) * 10} 100" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(days.title)}">{"".join(bars)}</svg>'
        f"<div class=axis><span>{days.days[0]}</span><span>the foot is {escape(ends[0])}</span>"
        f"<span>{days.days[-1]}</span></div></section>"
    )


def _table(table: Table) -> str:
    if not table.rows:
        return f"<section class=card><h2>{escape(table.title)}</h2><p class=dim>nothing</section>"
    head = "".join(
        f"<th{_class(column)}>{escape(column.title)}" + ("<th>" if column.bar else "")
        for column in table.columns
    )
    rows = "".join(f"<tr>{''.join(_cells(table, row))}" for row in table.rows)
    more = (
        f"<p class=dim>and {table.left_out:,} more; --limit says how many are shown</p>"
        if table.left_out
        else ""
    )
    return (
        f"<section class=card><h2>{escape(table.title)}</h2><table><tr>{head}{rows}</table>"
        f"{more}</section>"
    )


def _cells(table: Table, row: list[Value]) -> Iterator[str]:
    for column, value in zip(table.columns, row, strict=True):
        yield f"<td{_class(column)}>{escape(text(value, column.unit))}"
        if column.bar:
            part = 100 * share(column, table, value)
            low = " class=low" if isinstance(value, int | float) and value < 0 else ""
            yield f'<td class=bars><div class=track><i{low} style="width:{part:.1f}%"></i></div>'


def _class(column: Column) -> str:
    return "" if column.unit == "text" else " class=n"
