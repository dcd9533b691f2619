"""One monitor on its way to targets: its fields, what differs, and the secrets that it needs."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from portquorum.importing.environment import MissingVariableError, expand, names_in
from portquorum.importing.kuma.fields import MonitorFields
from portquorum.importing.kuma.left_out import LeftOutError
from portquorum.importing.model import Options
from portquorum.importing.secrets import Secrets

_SCHEME: Final = re.compile(r"(Basic|Bearer|Token|ApiKey|Digest) (?=\S)", re.IGNORECASE)
_NO_HOST: Final = "it names no host"
NOTIFY_DAYS: Final = 21
"""The first of the days before the end at which it tells of a certificate or domain, unless
`tlsExpiryNotifyDays` is set (checkCertExpiryNotifications, server/util-server.js)."""

_TOLD_OF_ENDS: Final = frozenset({"http", "https", "keyword", "json-query", "port", "globalping"})
"""Types whose certificates it looks at (handleTlsInfo)."""

Targets = list[dict[str, Any]]


class Context(Struct):
    """What the monitors of a file have in common.

    `proxies` and `engines` (hosts of Docker) are the source's, by id. `domains`: those that are
    watched already.
    """

    options: Options
    secrets: Secrets
    proxies: dict[str, Mapping[str, Any]] = {}
    engines: dict[str, Mapping[str, Any]] = {}
    domains: set[str] = set()
    notify_days: int = NOTIFY_DAYS


class Monitor:
    """A monitor with its fields, while its targets are made."""

    def __init__(self, fields: MonitorFields, context: Context, name: str) -> None:
        self.fields = fields
        self.context = context
        self.name = name
        self.differences: list[str] = []

    def differs(self, sentence: str) -> None:
        """Adds a sentence on what is not as it was."""
        self.differences.append(sentence)

    def expanded(self, text: str) -> str:
        """`text` with the values of variables.

        Raises:
            LeftOutError: one has no value.
        """
        if "$" not in text:
            return text
        try:
            return expand(text, self.context.options.variables, dollar_escape="")
        except MissingVariableError as error:
            raise LeftOutError(str(error)) from None

    def host(self, name: str = "hostname") -> str:
        """The host, without a port, brackets or blanks.

        Raises:
            LeftOutError: there is none, or its variable has no value.
        """
        text = self.expanded(self.fields.text(name)).strip()
        if not text:
            raise LeftOutError(_NO_HOST, networked=False)
        return text.removeprefix("[").removesuffix("]")

    def port(self, default: int | None = None) -> int:
        """The port.

        Raises:
            LeftOutError: there is none, or it is no port.
        """
        written = self.expanded(self.fields.text("port")).strip()
        if not written and default is not None:
            return default
        if not written.isdecimal() or not 0 < int(written[:6]) < 65_536:
            raise LeftOutError("it names no port from 1 to 65535")
        return int(written)

    def secret(self, hint: str, value: str, what: str = "") -> str:
        """The text with a placeholder in place of a secret value; `hint` is its field.

        A value that is a variable at the source keeps that name; a scheme before it, as `Bearer`,
        stays.
        """
        scheme = _SCHEME.match(value)
        before = scheme[0] if scheme else ""
        bare = value[len(before) :].strip()
        variables = names_in(bare, dollar_escape="")
        named = variables[0] if len(variables) == 1 and bare in _written(variables[0]) else None
        shown = f'{what or hint} of the monitor "{self.name}"'
        place = self.fields.place(hint)
        words = named or f"{self.name} {hint}"
        # A name for each field and value: two fields of one value must not say so.
        same = f"{hint} {bare}" if bare else None
        return before + self.context.secrets.check(words, place, shown, value=same)

    def of_path(self) -> Callable[[str, str], str]:
        """What `hidden_path` calls for a secret within a URL."""

        def found(hint: str, value: str) -> str:
            return self.secret(f"url {hint}", value, f"{hint} in the URL")

        return found

    def ends(self, *, tls: bool) -> dict[str, Any]:
        """Options for the end of a certificate: told of some days before, never down before."""
        wanted = (
            self.fields.flag("expiryNotification")
            and self.fields.text("type").lower() in _TOLD_OF_ENDS
        )
        if not tls:
            return {}
        days = self.context.notify_days if wanted else 0
        return {"critical_days": 0, "warn_days": days}


def _written(name: str) -> tuple[str, str]:
    return f"${name}", f"${{{name}}}"
