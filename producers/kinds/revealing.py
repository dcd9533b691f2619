"""Secrets at the moment of use: whether an option may have them, who sees them, their values."""

import functools
from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from producers.checks.errors import CheckFailedError
from producers.kinds import secret_places, secrets
from producers.kinds.scrubbing import Scrubber
from schemas.target import Target


class Revealer:
    """Reveals the secrets of one check of `target`; `scrubber` masks those that were revealed."""

    __slots__ = ("_target", "scrubber")

    def __init__(self, target: Target) -> None:
        self._target = target
        self.scrubber = Scrubber(functools.partial(_written, target))

    def reveal(self, text: str, field: str, to: str | None = None) -> str:
        """See `CheckContext.reveal`."""
        if "$" not in text:
            return text
        if not secrets.names(text):
            return secrets.unescaped(text)
        # The inventory refuses it, too; but whoever can write to [targets] needs no inventory.
        why = secret_places.refused(self._target.probe, field)
        if why is not None:
            raise CheckFailedError("secret_missing", f"{field}: {why}")
        values = secrets.values_of(text, field, self._seen_by(field, to))
        for value in values.values():
            self.scrubber.add(value)
        return secrets.filled_in(text, field, values)

    def _seen_by(self, field: str, to: str | None) -> Iterator[tuple[str, str]]:
        """The hosts that could see a secret of this option, each with the option that leads there.

        In clear, or where no certificate is verified, whoever answers as the name server or is the
        proxy chooses who gets it.
        """
        target, probe = self._target, self._target.probe
        if to is not None:
            yield to, field
        else:
            yield target.host or "", "host"
            yield from secret_places.asked_names(probe)
        if not secret_places.unverified(probe, field):
            return
        if target.resolver is not None:
            yield target.resolver, "resolver"
        proxy = getattr(probe, "proxy", None)
        if proxy is not None and to is None:
            yield urlsplit(proxy).hostname or proxy, "proxy"


def _written(target: Target) -> frozenset[str]:
    """The texts of the options, without placeholders: their author knows them."""
    options = None if target.probe is None else msgspec.to_builtins(target.probe)
    return frozenset(part for text in _texts(options) for part in secrets.between(text))


def _texts(options: object) -> Iterator[str]:
    if isinstance(options, str):
        yield options
    elif isinstance(options, dict):
        yield from (text for pair in options.items() for one in pair for text in _texts(one))
    elif isinstance(options, list | tuple):
        yield from (text for one in options for text in _texts(one))
