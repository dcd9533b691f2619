"""The inventory as a page for people, in Markdown."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from portquorum.inventory.resolve import Inventory
from schemas.policy import Maintenance, Region, Team
from schemas.target import Target


def page(inventory: Inventory) -> str:
    """What is watched, by team; from where; and when nobody is woken."""
    return "\n".join([*_lines(inventory), ""])


def _lines(inventory: Inventory) -> Iterator[str]:
    targets = inventory.targets
    hosts = {target.host for target in targets if target.host is not None}
    yield f"# What is watched: {_text(inventory.source)}"
    yield ""
    yield f"{len(targets)} targets on {len(hosts)} hosts."
    by_team: dict[str | None, list[Target]] = defaultdict(list)
    for target in targets:
        by_team[target.team].append(target)
    routes = {entry.name: entry.routes for entry in inventory.policy if isinstance(entry, Team)}
    for team in sorted(by_team, key=lambda name: (name is None, name or "")):
        yield from ("", f"## {'Nobody' if team is None else _text(team)}", "")
        told = () if team is None else routes.get(team, ())
        if told:
            yield from (f"Told by: {_list(*told)}.", "")
        rows = [_row(target) for target in sorted(by_team[team], key=lambda one: one.name)]
        yield from _table(("name", "where", "kind", "every", "from", "matters", "purpose"), rows)
    yield from ("", "## Regions", "")
    regions = [entry for entry in inventory.policy if isinstance(entry, Region)]
    yield from _table(
        ("region", "may reach", "never", "checks leave from"),
        [
            (
                region.name,
                "private addresses too" if region.internal else _list("public", *region.allow),
                _list(*region.deny),
                region.source or "",
            )
            for region in regions
        ],
    )
    windows = [entry for entry in inventory.policy if isinstance(entry, Maintenance)]
    if windows:
        yield from ("", "## Maintenance", "")
        yield from _table(
            ("name", "targets", "first", "for", "again"),
            [
                (
                    window.name,
                    _list(*window.targets),
                    f"{datetime.fromtimestamp(window.start / 1000, UTC):%Y-%m-%d %H:%M} UTC",
                    _span(window.duration_ms),
                    window.rrule or "",
                )
                for window in windows
            ],
        )


def _row(target: Target) -> tuple[str, ...]:
    name = _text(target.name)
    return (
        f"[{name}](<{target.runbook}>)" if target.runbook else name,
        f"`{target.place}`",
        target.kind,
        _span(target.interval_ms),
        _list(*target.regions),
        target.criticality,
        _text(target.purpose or ""),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _list(*parts: str) -> str:
    return ", ".join(map(_text, parts))


def _text(text: str) -> str:
    """Text as it is, whatever Markdown would make of it."""
    plain = " ".join(text.split())
    return "".join(f"\\{c}" if c in r"\`*_[]<>|#" else c for c in plain)


def _span(span_ms: int) -> str:
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if span_ms >= size and span_ms % size == 0:
            return f"{span_ms // size}{unit}"
    return f"{span_ms}ms"
