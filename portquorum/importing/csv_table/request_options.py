"""Options of checks in columns `probe.NAME`: names in place of the secrets in them."""

from typing import Any, Final

from portquorum.importing import hiding
from portquorum.importing.model import Place
from portquorum.importing.secrets import Secrets
from producers.kinds.secrets import PREFIX

About = tuple[Secrets, Place, str]
"""Where secrets are collected, where the row stands, and its name."""

_WHOLE: Final = frozenset({"bearer", "community"})
_USUAL: Final = frozenset({"public", "private"})
_NAMED: Final = "${" + PREFIX


def hidden(option: str, value: Any, about: About) -> Any:
    """The value of an option without its secrets; what is none stays.

    Raises:
        ValueError: a secret in an option that takes no name for it.
    """
    if isinstance(value, str):
        return _text(option, value, about)
    if option in {"headers", "metadata"} and isinstance(value, dict):
        return {name: hiding.header(name, str(one), *about) for name, one in value.items()}
    if option == "basic_auth" and isinstance(value, dict):
        written = str(value.get("password", ""))
        password = written if _NAMED in written else _name("password", written, about)
        return value | {"password": password}
    return hiding.in_json(value, lambda hint, one: _name(hint, one, about))


def _text(option: str, value: str, about: About) -> str:
    if option in _WHOLE:
        return value if _NAMED in value or value in _USUAL else _name(option, value, about)
    if option == "body":
        return hiding.body(value, *about)
    if option == "send":
        return hiding.line(value, *about)
    if option != "path" and hiding.sentence(value) != value:
        raise ValueError(f"probe.{option}: expected ${{{PREFIX}NAME}} for its secret, found a text")
    return value


def _name(option: str, value: str, about: About) -> str:
    secrets, place, owner = about
    return secrets.check(f"{owner} {option}", place, f"{option} of {owner}", value=value)
