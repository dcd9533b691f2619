"""The options of a plugin's command line, as getopt reads them."""

import getopt
import re
from collections.abc import Iterable
from typing import Final

from portquorum.importing.model import Place
from portquorum.importing.secrets import Secrets

_MACRO: Final = re.compile(r"\$[A-Z0-9_]+\$")
_SECONDS: Final = re.compile(r"[0-9]*\.?[0-9]+")


class Options:
    """The options of one check; those that nobody asks for are named in the report.

    `differences` are sentences. `names` are long names with their short one; one with `=` has a
    value, one with `?` may have one (`--ssl`, `-S`).
    """

    def __init__(
        self, names: str, arguments: Iterable[str], secrets: Secrets, place: Place, what: str
    ) -> None:
        self.secrets, self.place, self.what = secrets, place, what
        self.differences: list[str] = []
        short, long, self._names = _spec(names)
        # `-S1.2` and `--ssl=1.2` have a value, `-S` alone has none.
        given = [_joined(one, names) for one in arguments if one]
        try:
            found, self.rest = getopt.gnu_getopt(given, short, long)
        except getopt.GetoptError as error:
            raise ValueError(f"an option of {what} is not known here: {error.msg}") from None
        self._values: dict[str, list[str]] = {}
        for name, value in found:
            self._values.setdefault(self._names[name.lstrip("-")], []).append(value)
        self._used: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether an option is there."""
        self._used.add(name)
        return name in self._values

    def all(self, name: str) -> list[str]:
        """All values of an option."""
        self._used.add(name)
        return self._values.get(name, [])

    def text(self, name: str, default: str = "") -> str:
        """The last value of an option.

        Raises:
            ValueError: a macro in it has no value in the files.
        """
        values = self.all(name)
        value = values[-1].strip() if values else default
        if _MACRO.search(value):
            raise ValueError(f"{_MACRO.search(value)[0]} in {self.what} has no value in the files")  # type: ignore[index]
        return value

    def number(self, name: str, default: float | None = None) -> float | None:
        """A number, the last of a range `a:b`; None if it is none.

        Raises:
            ValueError: as `text`.
        """
        text = self.text(name)
        found = _SECONDS.findall(text.rpartition(":")[2])
        return float(found[0]) if found else default

    def seconds(self, name: str) -> float | None:
        """A length of time such as `10` or `10:critical`; None without one."""
        found = _SECONDS.match(self.text(name))
        return float(found[0]) if found else None

    def integer(self, name: str, default: int) -> int:
        """A whole number."""
        found = self.number(name)
        return default if found is None else int(found)

    def secret(self, name: str, hint: str) -> str:
        """A name for the value of an option."""
        value = self.all(name)[-1] if self.all(name) else ""
        return self.secrets.check(hint, self.place, f"{name} of {self.what}", value=value or None)

    def skip(self, *names: str) -> None:
        """Options that change nothing here."""
        self._used |= set(names)

    def unused(self) -> list[str]:
        """Options that nobody asked for."""
        return [name for name in self._values if name not in self._used]


def _spec(names: str) -> tuple[str, list[str], dict[str, str]]:
    short, long, known = "", [], {}
    for one in names.split():
        whole = one.rstrip("=?")
        valued = one.endswith("=")
        letters, _, word = whole.partition("/") if "/" in whole else ("", "", whole)
        word = word or letters
        for letter in letters:
            short += letter + (":" if valued else "")
            known[letter] = word
        long.append(word + ("=" if valued else ""))
        known[word] = word
    return short, long, known


def _joined(argument: str, names: str) -> str:
    """An option with a value that may be left out, without that value."""
    for one in names.split():
        if one.endswith("?"):
            letter, _, word = one.rstrip("?").partition("/")
            if re.fullmatch(rf"-{letter}[0-9.+]+", argument):
                return f"-{letter}"
            if argument.startswith(f"--{word}="):
                return f"--{word}"
    return argument
