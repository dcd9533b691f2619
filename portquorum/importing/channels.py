"""Channels of other monitors as ours: provider and fields in, URLs with `${…}` out.

`provider` is the source and its own word for it: `gatus.discord`, `kuma.telegram`,
`alertmanager.slack_configs`. No value of a token is copied: each becomes a variable of the notifier
that the report lists. A value that is a variable at the source keeps its name.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from portquorum.importing.model import Place
from portquorum.importing.providers import of_alertmanager, of_gatus, of_kuma
from portquorum.importing.providers.given import Given, MissingFieldError, RefusedError
from portquorum.importing.providers.template import Maker
from portquorum.importing.secrets import Secrets
from schemas.plain_text import one_line
from sinks.notifier.channels.problem import problem

PROVIDERS: Final[Mapping[str, Maker | str]] = {
    **{f"gatus.{name}": made for name, made in of_gatus.PROVIDERS.items()},
    **{f"kuma.{name}": made for name, made in of_kuma.PROVIDERS.items()},
    **{f"alertmanager.{name}": made for name, made in of_alertmanager.PROVIDERS.items()},
}
"""How each is made; a text: why there is no such channel here, and what comes nearest."""

_HARMLESS: Final = {
    "gatus": of_gatus.HARMLESS,
    "kuma": of_kuma.HARMLESS,
    "alertmanager": of_alertmanager.HARMLESS,
}
_SHOWN: Final = 40


class Channel(Struct, frozen=True):
    """The URLs for `urls:` of a route (one for each receiver), and what differs, in sentences."""

    urls: tuple[str, ...]
    differences: tuple[str, ...] = ()


class Refused(Struct, frozen=True):
    """There is no such channel: why, and what comes nearest."""

    why: str


def channel(
    provider: str, fields: Mapping[str, Any], secrets: Secrets, place: Place
) -> Channel | Refused:
    """The channel of a provider's `fields`. Never raises for what is in them.

    Fields that were not used are named in a difference, but for those that say nothing of the
    channel (`default-alert` of Gatus, `isDefault` of Kuma).
    """
    source, _, name = provider.partition(".")
    maker = PROVIDERS.get(provider)
    if maker is None:
        return Refused(f"{_shown(name)} is no provider that is known here; {_NEAREST}")
    if isinstance(maker, str):
        return Refused(maker)
    given = Given(source, name, fields, secrets, place)
    try:
        urls = maker(given)
    except MissingFieldError as error:
        return Refused(f"{_shown(name)} has no {_shown(error.field)}")
    except RefusedError as error:
        return Refused(str(error))
    for url in urls:
        wrong = problem(url)
        if wrong is not None:
            return Refused(f"{_shown(name)}: {wrong}")
    left = given.unused(_HARMLESS[source])
    if left:
        given.differ(f"not taken over: {', '.join(map(_shown, left))}")
    return Channel(tuple(dict.fromkeys(urls)), tuple(dict.fromkeys(given.differences)))


_NEAREST: Final = (
    "write a channel of docs/notifications.md, or webhook+https://… for a service of yours"
)


def _shown(name: str) -> str:
    return one_line(name)[:_SHOWN]
