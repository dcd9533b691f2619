"""The fields of a channel at its source: read with memory, secrets as names."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from portquorum.importing.model import Place, Secret
from portquorum.importing.secrets import Secrets
from sinks.notifier.secrets import not_for_channels

_BRACED: Final = r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::?-[^}]*)?\}"
_VARIABLES: Final = {
    "gatus": re.compile(rf"{_BRACED}|\$([A-Za-z_]\w*)"),
    # Not its own: `envsubst`, and the templates of secret operators of Kubernetes.
    "alertmanager": re.compile(rf"{_BRACED}|\{{\{{-?\s*\.([A-Z][A-Z0-9_]*)\s*-?\}}\}}"),
}
"""Variables as the sources have them; a `$` elsewhere is one, perhaps of a password."""
_NONE: Final = re.compile(r"(?!)()()")
_MOST: Final = 20
_LONGEST: Final = 500


class MissingFieldError(ValueError):
    """A field without which there is no channel; `field` is its name."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class RefusedError(ValueError):
    """There is no such channel here; the text says why, and what comes nearest."""


class Given:
    """The fields of one channel of `provider`, of the monitor `source`.

    `differences` are sentences about what is not as it was.
    """

    def __init__(
        self,
        source: str,
        provider: str,
        fields: Mapping[str, Any],
        secrets: Secrets,
        place: Place,
    ) -> None:
        self.provider = provider
        self._variable = _VARIABLES.get(source, _NONE)
        self.differences: list[str] = []
        self._fields = fields
        self._secrets = secrets
        self._place = place
        self._used: set[str] = set()

    def differ(self, sentence: str) -> None:
        """Notes a difference."""
        self.differences.append(sentence)

    def raw(self, name: str) -> Any:
        """The value as it is; None if it is not there."""
        self._used.add(name)
        return self._fields.get(name)

    def optional(self, name: str) -> str:
        """A scalar as text, empty if it is not there, or chosen by a template (a difference)."""
        value = self.raw(name)
        if value is None or isinstance(value, list | tuple | Mapping):
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        text = str(value).strip()
        if "{{" in self._variable.sub("", text):
            self.differ(f"{name} is chosen by a template there, and not here")
            return ""
        return self._kept(name, text[:_LONGEST])

    def text(self, name: str) -> str:
        """As `optional`.

        Raises:
            MissingFieldError: it is not there.
            RefusedError: a template chooses it.
        """
        found = self.optional(name)
        if not found:
            if "{{" in str(self._fields.get(name)):
                raise RefusedError(
                    f"{name} is chosen by a template for each alert: a channel is always the "
                    "same one; make a route of each with the tags or teams that it is for"
                )
            raise MissingFieldError(name)
        return found

    def listed(self, name: str) -> list[str]:
        """The items of a list, or of a text with commas, semicolons or lines between them.

        Raises:
            MissingFieldError: there is none.
        """
        value = self.raw(name)
        if isinstance(value, list | tuple):
            found = [str(one).strip() for one in value if isinstance(one, str | int | float)]
        else:
            found = [one.strip() for one in re.split(r"[,;\n]", self.text(name))]
        found = [self._kept(name, one[:_LONGEST]) for one in found if one]
        if not found:
            raise MissingFieldError(name)
        return found[:_MOST]

    def secret(self, name: str, *, what: str = "") -> str:
        """`${…}` for a secret: the variable that stands there, or a name for the value.

        `NAME_file` at the source counts as the secret: its value is what is in that file.

        Raises:
            MissingFieldError: it is not there.
        """
        value = self.raw(name)
        from_file = value is None and self._fields.get(f"{name}_file") is not None
        if from_file:
            self.raw(f"{name}_file")
        elif value is None or isinstance(value, list | tuple | Mapping) or str(value).strip() == "":
            raise MissingFieldError(name)
        text = "" if from_file else str(value).strip()
        words = what or f"`{name}` of {self.provider}"
        return self.named_secret(name, text, f"{words}, from its file" if from_file else words)

    def is_variable(self, value: str) -> bool:
        """Whether a variable of the source stands at the beginning: what it is, nobody knows."""
        return self._variable.match(value) is not None

    def has(self, name: str) -> bool:
        """Whether a field is there, or the file of a secret."""
        return any(self._fields.get(one) not in (None, "") for one in (name, f"{name}_file"))

    def named_secret(self, name: str, value: str, what: str) -> str:
        """`${…}` for a part of a field: `name` makes the variable's name, `value` is not kept."""
        whole = self._variable.fullmatch(value)
        if whole is not None and not_for_channels(f"${{{whole[1] or whole[2]}}}") is None:
            return self._known(whole[1] or whole[2], what)
        return self._secrets.channel(self._hint(name), self._place, what, value=value or None)

    def unused(self, harmless: Collection[str]) -> list[str]:
        """The names of fields that have a value and were not asked for."""
        return [
            str(name)
            for name, value in self._fields.items()
            if name not in self._used
            and name not in harmless
            and value not in (None, "", False, [], {})
        ]

    def _kept(self, name: str, text: str) -> str:
        """`text` with the source's variables as ours, each listed."""

        def ours(found: re.Match[str]) -> str:
            variable = found[1] or found[2]
            if not_for_channels(f"${{{variable}}}") is not None:
                return self.named_secret(name, "", f"`{name}` of {self.provider}")
            return self._known(variable, f"`{name}` of {self.provider}")

        return self._variable.sub(ours, text)

    def _known(self, variable: str, what: str) -> str:
        if all(one.name != variable or one.of_checks for one in self._secrets.found):
            self._secrets.found.append(Secret(variable, self._place, what, of_checks=False))
        return f"${{{variable}}}"

    def _hint(self, name: str) -> str:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").upper()
        service = re.sub(r"[^A-Za-z0-9]+", "_", self.provider.removesuffix("_configs")).upper()
        plain = words.replace("_", "")
        return words if plain.startswith(service.replace("_", "")) else f"{service}_{words}"
