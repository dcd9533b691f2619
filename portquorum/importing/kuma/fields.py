"""A monitor of the source with memory: what was asked for counts as used."""

import json
from collections.abc import Mapping as AnyMapping
from typing import Any, Final

from portquorum.importing.kuma import names
from portquorum.importing.model import Ignored, Place
from portquorum.inventory.tree import Mapping
from schemas.plain_text import one_line

_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_NOTHING: Final = frozenset({"", "false", "0", "null", "none", "[]", "{}", "no", "off"})
_SHOWN: Final = 60


class MonitorFields:
    """The fields of one monitor, in any spelling; `usual` has those that hold for all of a file."""

    def __init__(
        self, value: AnyMapping[str, Any], file: str, usual: AnyMapping[str, Any] | None = None
    ) -> None:
        self.file = file
        self._mapping = value
        self._written = {names.plain(str(name)): str(name) for name in reversed(list(value))}
        self._value = {names.plain(str(name)): one for name, one in (usual or {}).items()}
        self._value |= {
            plain: value[written] for plain, written in self._written.items() if written in value
        }
        self._used: set[str] = set()

    def place(self, name: str = "") -> Place:
        """Where a field stands, or the monitor itself."""
        if not isinstance(self._mapping, Mapping):
            return Place(self.file)
        written = self._written.get(names.plain(name), "")
        return Place(self.file, self._mapping.lines.get(written, self._mapping.line))

    def raw(self, name: str) -> Any:
        """The value as it stands there; None if there is none."""
        plain = names.plain(name)
        self._used.add(plain)
        return self._value.get(plain)

    def text(self, name: str, default: str = "") -> str:
        """A scalar as text; `default` for null, an empty text, and what is no scalar."""
        found = self.raw(name)
        if isinstance(found, bool):
            return str(found).lower()
        if isinstance(found, float) and found.is_integer():
            return str(int(found))
        return str(found) if isinstance(found, str | int | float) and found != "" else default

    def number(self, name: str, default: float = 0) -> float:
        """A number, in quotes too; `default` for anything else."""
        try:
            found = float(self.text(name))
        except ValueError:
            return default
        return found if -1e12 < found < 1e12 else default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false; `default` if nothing is said."""
        text = self.text(name).lower()
        return text in _TRUE if text else default

    def decoded(self, name: str) -> Any:
        """A list or mapping, also one that is written as JSON in a text; other values as they are.

        Raises:
            ValueError: a text that begins as JSON and is none; the message has nothing of it.
        """
        found = self.raw(name)
        if not isinstance(found, str) or not found.strip():
            return found
        if found.lstrip()[:1] not in {"{", "["}:
            return found
        try:
            return json.loads(found)
        except (ValueError, RecursionError):
            raise ValueError(f"{name}: expected JSON, found what is none") from None

    def listed(self, name: str) -> list[Any]:
        """The items of a list; a value that is none is a list of one, nothing an empty one."""
        try:
            found = self.decoded(name)
        except ValueError:
            return []
        if found is None or found == "":
            return []
        return list(found) if isinstance(found, list | tuple) else [found]

    def skip(self, *fields: str) -> None:
        """Counts fields as used that say nothing for this type."""
        self._used.update(map(names.plain, fields))

    def unused(self) -> list[Ignored]:
        """Fields with a value of their own that nobody asked for; names and no values."""
        found: list[Ignored] = []
        for plain, written in self._written.items():
            if plain in self._used or plain in names.BOOKKEEPING:
                continue
            if self._is_usual(plain):
                continue
            shown = one_line(written)[:_SHOWN]
            why = names.WHY.get(plain, names.OF_ANOTHER_TYPE)
            found.append(Ignored(self.place(written), shown, why))
        return found

    def unknown(self) -> list[str]:
        """The names of fields with a value that Uptime Kuma does not have: of other programs."""
        return [
            one_line(written)[:_SHOWN]
            for plain, written in self._written.items()
            if plain not in names.KNOWN | names.BOOKKEEPING
            and plain not in self._used
            and not self._is_usual(plain)
        ]

    def bookkeeping(self) -> set[str]:
        """The names of Uptime Kuma's own data about the monitor that it has."""
        return {
            one_line(written)[:_SHOWN]
            for plain, written in self._written.items()
            if plain in names.BOOKKEEPING and plain not in self._used
        }

    def _is_usual(self, plain: str) -> bool:
        value = self._value.get(plain)
        if value is None or value is False:
            return True
        if isinstance(value, list | dict):
            try:
                text = json.dumps(value)
            except (TypeError, ValueError, RecursionError):
                return False
        else:
            text = self.text(plain) if not isinstance(value, str) else value
        text = text.strip().lower()
        return text in _NOTHING or text in names.USUAL.get(plain, frozenset())
