"""`AlertmanagerConfig` of the Prometheus operator, in the words of Alertmanager's own file.

Source: https://github.com/prometheus-operator/prometheus-operator, Documentation/api-reference
(monitoring.coreos.com/v1alpha1 and v1beta1): the same fields in camel case, matchers and days of
the month as mappings, and keys of Secrets in place of secrets.
"""

import re
from typing import Any, Final

from portquorum.inventory.tree import Mapping, Sequence

KIND: Final = "AlertmanagerConfig"
_SECRET: Final = frozenset({"name", "key", "optional"})
_OTHER: Final = {
    "source_match": "source_matchers",
    "target_match": "target_matchers",
    "url_secret": "url",
}
_ACRONYMS: Final = (("URL", "Url"), ("ID", "Id"), ("TLS", "Tls"))


def plain(spec: Mapping) -> Mapping:
    """The `spec` of an AlertmanagerConfig as the file of Alertmanager has it."""
    made: Mapping = _plain(spec)
    for receiver in made.get("receivers") or ():
        for one in receiver.get("discord_configs") or () if isinstance(receiver, Mapping) else ():
            if isinstance(one, Mapping) and "api_url_file" in one:
                one["webhook_url_file"] = one.pop("api_url_file")
    times = made.pop("mute_time_intervals", None)
    if isinstance(times, Sequence):
        made["time_intervals"] = times
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        made = Mapping(value.line)
        for name, inner in value.items():
            key, known = _snake(str(name)), inner
            if isinstance(inner, Mapping) and "key" in inner and set(inner) <= _SECRET:
                key, known = f"{key}_file", f"{inner.get('name')}/{inner['key']}"
            made[key] = known if key == "matchers" else _plain(known)
            made.lines[key] = value.lines.get(name, value.line)
        return made
    if isinstance(value, Sequence):
        several = Sequence(value.line)
        several.lines = list(value.lines)
        several.extend(map(_plain, value))
        return several
    return value


def _snake(name: str) -> str:
    for acronym, word in _ACRONYMS:
        name = name.replace(acronym, word)
    words = re.sub(r"(?<=[a-z0-9])[A-Z]", r"_\g<0>", name).lower()
    return _OTHER.get(words, words)
