"""Entries on their way from a wing to the report: with ids, and with each other's ids."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from portquorum.importing.hiding import sentence
from portquorum.importing.identity import Ids
from portquorum.importing.model import Found, Outcome, Taken, Timing
from portquorum.inventory.heartbeats import KIND as HEARTBEAT
from schemas.plain_text import one_line
from schemas.target import Target

_ORDER: Final = ("name", "id", "kind", "host", "port")
_LONGEST_NAME: Final = 200
_LONGEST_TAG: Final = 64


class Entry(Struct):
    """An entry on its way: `targets` have ids; empty once it is left out."""

    found: Found
    targets: list[dict[str, Any]] = []
    ids: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    differences: list[str] = []
    left_out: str | None = None

    def leave_out(self, why: str) -> None:
        """Takes its targets out, for a reason."""
        self.targets, self.left_out = [], one_line(sentence(why))


def number(count: int, one: str, many: str = "") -> str:
    """`1 host`, `3 hosts`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def identified(found: Iterable[Found]) -> list[Entry]:
    """The entries, each target with an id that no other has, a name and its group as a tag."""
    ids, entries = Ids(), []
    for one in found:
        entry = Entry(one, differences=list(one.differences), left_out=one.left_out)
        if one.left_out is None and not (one.targets or one.routes or one.taken):
            entry.left_out = "it names nothing that could be checked"
        if entry.left_out is None:
            entry.targets = [_target(target, one) for target in one.targets]
            given = [
                ids.give(one.group, str(t["name"]), _place(t), str(t.get("id", "")))
                for t in entry.targets
            ]
            entry.ids = tuple(name for name, _ in given)
            entry.renamed = tuple(name for name, other in given if other)
            entry.targets = [
                _ordered(target | {"id": name})
                for target, name in zip(entry.targets, entry.ids, strict=True)
            ]
        entries.append(entry)
    return entries


def _target(target: Mapping[str, Any], of: Found) -> dict[str, Any]:
    """With a name, and the group as a tag."""
    name = one_line(str(target.get("name") or of.name)).strip()[:_LONGEST_NAME].strip()
    group = one_line(of.group).strip()[:_LONGEST_TAG].strip()
    tags = list(dict.fromkeys([*([group] if group else []), *target.get("tags", ())]))
    return {**target, "name": name or _place(target)} | ({"tags": tags} if tags else {})


def _ordered(target: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: target[name] for name in _ORDER if name in target}
    return known | {name: value for name, value in target.items() if name not in known}


def _place(target: Mapping[str, Any]) -> str:
    words = [target.get("host") or target.get("kind", ""), target.get("port", "")]
    return " ".join(str(word) for word in words if word)


def by_key(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The entries by key; a source that has one twice means all of them."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.found.key:
            found.setdefault(entry.found.key, []).append(entry)
    return found


def connect(entries: list[Entry]) -> None:
    """Turns references by key into ids; one to an entry that was left out is a difference."""
    keys = by_key(entries)
    for entry in entries:
        wanted: list[str] = []
        for key in entry.found.depends_on:
            others = [one for one in keys.get(key, ()) if one.targets]
            if not others:
                entry.differences.append(
                    f"it does not depend on {sentence(key)!r}, which was left out"
                )
            wanted += [name for one in others if one is not entry for name in one.ids]
        for target in entry.targets:
            own = [one for key in _keys(target) for one in keys.get(key, ())]
            ids = [*wanted, *(name for one in own if one is not entry for name in one.ids)]
            target.pop("depends_on", None)
            if ids:
                target["depends_on"] = list(dict.fromkeys(ids))


def _keys(target: Mapping[str, Any]) -> list[str]:
    """The keys of `depends_on: ["key:…"]` of one target."""
    named: list[str] = target.get("depends_on", [])
    return [one.removeprefix("key:") for one in named]


def window(written: Mapping[str, Any], keys: Mapping[str, list[Entry]]) -> dict[str, Any] | None:
    """A maintenance window with ids in place of keys; None if none of its targets is left."""
    targets: list[str] = []
    for name in written.get("targets", ()):
        if name.startswith("key:"):
            there = keys.get(name.removeprefix("key:"), ())
            targets += [one for entry in there if entry.targets for one in entry.ids]
        else:
            targets.append(name)
    return {**written, "targets": list(dict.fromkeys(targets))} if targets else None


def taken(entry: Entry, by_id: Mapping[str, Target]) -> Taken:
    """What the report says of an entry; `by_id`: the targets as the loader resolved them."""
    found = entry.found
    outcome: Outcome = "nearly" if entry.differences else "exact"
    if entry.left_out is not None:
        outcome = "left_out"
    is_taken = outcome != "left_out"
    return Taken(
        place=found.place,
        name=f"{found.group}/{found.name}" if found.group else found.name,
        outcome=outcome,
        ids=(*entry.ids, *(f"routes.{name}" for name in found.routes)) if is_taken else (),
        renamed=entry.renamed if is_taken else (),
        differences=tuple(dict.fromkeys(entry.differences)) if is_taken else (),
        why=entry.left_out,
        networked=found.networked,
        ignored=tuple(found.ignored),
        before=found.before,
        after=_after(entry, by_id),
    )


def _after(entry: Entry, by_id: Mapping[str, Target]) -> Timing | None:
    """The timing of the entry's first target; a job has none."""
    first = by_id.get(entry.ids[0]) if entry.targets else None
    if first is None or first.kind == HEARTBEAT:
        return None
    again = first.retries * first.retry_delay_ms
    return Timing(
        interval_s=first.interval_ms / 1000,
        timeout_s=first.timeout_ms / 1000,
        told_after_s=max(first.open_after_ms, again) / 1000,
    )
