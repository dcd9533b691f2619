"""Secrets at the source: a name in the inventory, and never their value."""

import re
from typing import Final

from portquorum.importing.model import Place, Secret
from producers.kinds.secrets import HOSTS, PREFIX

_LONGEST: Final = 60
_WORDS: Final = re.compile(
    r"pass(?:word|wd|phrase|code)?\b|passw|\bpwd\b|\bpw\b|\bjwt\b|\botp\b|\bcommunity\b|token|secret|api.?key|apikey|access.?key|private.?key"
    r"|auth\b|authorization|credential|cookie|session|signature|\bkey\b|\bsig\b|webhook"
)


def looks_secret(name: str) -> bool:
    """Whether the value of a header, parameter or field of this name is most often a secret."""
    plain = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().replace("_", " ").replace("-", " ")
    return _WORDS.search(plain) is not None


class Secrets:
    """The secrets that were found; a name for each. Values are never kept in `found`."""

    def __init__(self) -> None:
        self.found: list[Secret] = []
        self._names: set[str] = set()
        self._next: dict[str, int] = {}
        self._by_value: dict[tuple[bool, str], str] = {}

    def check(self, hint: str, place: Place, what: str, *, value: str | None = None) -> str:
        """`${PORTQUORUM_SECRET_…}` for an option of `probe:` that may have a secret.

        Args:
            hint: what the name is made of, such as `API TOKEN` or the variable of the source.
            place: where the value stands.
            what: in words, for the operator.
            value: the same one gives the same name again; None: a name of its own.
        """
        return self._named(f"{PREFIX}{_name(hint)}", place, what, value, of_checks=True)

    def channel(self, hint: str, place: Place, what: str, *, value: str | None = None) -> str:
        """`${…}` for a channel of a route. See `check`."""
        return self._named(_name(hint), place, what, value, of_checks=False)

    def _named(
        self, name: str, place: Place, what: str, value: str | None, *, of_checks: bool
    ) -> str:
        known = None if value is None else self._by_value.get((of_checks, value))
        if known is None:
            known = self._unique(name)
            self._names.add(known)
            self.found.append(Secret(known, place, what, of_checks))
            if value is not None:
                self._by_value[of_checks, value] = known
        return f"${{{known}}}"

    def _unique(self, name: str) -> str:
        count, unique = self._next.get(name, 2), name
        while unique in self._names:
            unique, count = f"{name}_{count}", count + 1
        self._next[name] = count
        return unique


def _name(hint: str) -> str:
    name = re.sub(r"[^A-Z0-9]+", "_", hint.upper().removeprefix(PREFIX)).strip("_")[:_LONGEST]
    name = name.rstrip("_") or "VALUE"
    if name[0].isdigit():
        name = f"N{name}"
    return f"{name}_VALUE" if name.endswith(HOSTS) else name
