"""Names that a command line may mean: of an inventory file, and of the last contact."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from portquorum.cli.completion import memory
from schemas.target_id import slug

MOST_BYTES: Final = 64 * 1024
"""As much of a file is read; more would take too long, and be more than anybody looks through."""

_SECTIONS: Final = {"team": "teams", "region": "regions", "route": "routes"}
_MOST_TEMPLATES: Final = 10

Names = dict[str, list[str]]


def names(kind: str, files: list[Path], ports: Mapping[str, int | None]) -> list[str]:
    """The names of this kind (`target`, `team`, …), sorted, each once.

    `ports`: kind of check → its usual port, for the ids of targets without a name.
    """
    found = set(memory.remembered().get(kind, ()))
    for file in files:
        if file.is_file():
            found.update(_of_file(file, ports).get(kind, ()))
    return sorted(found)


def _of_file(file: Path, ports: Mapping[str, int | None]) -> Names:
    """The names of a file; from what was kept if it has not changed since."""
    state = file.stat()
    mark = f"{file.absolute()}:{state.st_mtime_ns}:{state.st_size}"
    kept = memory.kept(mark)
    if kept is None:
        kept = read(file, ports)
        memory.keep(mark, kept)
    return kept


def read(file: Path, ports: Mapping[str, int | None]) -> Names:
    """The names that stand in the beginning of a file; what can't be read has none."""
    with file.open("rb") as opened:
        data = opened.read(MOST_BYTES + 1)
    text = data[:MOST_BYTES].decode("utf-8", "ignore")
    if len(data) > MOST_BYTES:
        text = text[: text.rfind("\n- ") if "\n- " in text else text.rfind("\n  - ")]
    found: Names = {}
    for document in _documents(text):
        for kind, section in _SECTIONS.items():
            found.setdefault(kind, []).extend(_mapping(document.get(section)))
        templates = _mapping(document.get("templates"))
        targets = document.get("targets")
        for target in targets if isinstance(targets, list) else ():
            whole = _whole(_mapping(target), templates)
            found.setdefault("target", []).extend(_ids(whole, ports))
            found.setdefault("tag", []).extend(_list(whole.get("tags")))
    return found


def _documents(text: str) -> list[dict[str, Any]]:
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        return [_mapping(one) for one in yaml.load_all(text, Loader=loader)]
    except yaml.YAMLError:
        return []


def _mapping(value: object) -> dict[str, Any]:
    """A mapping with those that it takes over by `<<`; empty if it is none."""
    if not isinstance(value, dict):
        return {}
    merged = value.get("<<")
    others = merged if isinstance(merged, list) else [merged]
    found: dict[str, Any] = {}
    for one in reversed(others):
        found |= one if isinstance(one, dict) else {}
    return {**found, **{name: one for name, one in value.items() if name != "<<"}}


def _whole(target: dict[str, Any], templates: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """A target with the fields of its templates."""
    found: dict[str, Any] = {}
    if depth < _MOST_TEMPLATES:
        for name in _list(target.get("extends")):
            found |= _whole(_mapping(templates.get(name)), templates, depth + 1)
    return found | target


def _ids(target: dict[str, Any], ports: Mapping[str, int | None]) -> list[str]:
    """The ids of a target, as the loader makes them: several with `ports`."""
    several = [port for one in _list(target.get("ports")) for port in _range(one)]
    usual = ports.get(str(target.get("kind") or "tcp"))
    port = str(target.get("port") or usual or "")
    if target.get("id"):
        base = str(target["id"])
    elif target.get("name"):
        base = slug(str(target["name"]))
    else:
        host = str(target.get("host") or "").lower()
        return [slug(f"{host}-{one}" if one else host) for one in several or [port]] if host else []
    return [f"{base}-{one}" for one in several] or [base]


def _range(written: str) -> list[str]:
    first, _, last = written.partition("-")
    if not last:
        return [first]
    return [str(port) for port in range(int(first), min(int(last), int(first) + 999) + 1)]


def _list(value: object) -> list[str]:
    if isinstance(value, list):
        return [one for one in value if isinstance(one, str)]
    return [value] if isinstance(value, str) and value else []
