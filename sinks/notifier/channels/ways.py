"""How each plugin of Apprise is given a text, so that it arrives as it was written.

Plugins differ in what they make of a text, and the same plugin differs between Apprise 1.9 and 2.3:
some escape it, some turn it into HTML, some collect mentions from it. Here stands, for each, the
way on which both versions send what they are given, and the markup that the reader's program then
reads (`Budget.markup`). Found by running every plugin named here with both versions; held by
tests/unit/sinks/notifier/channels/test_ways.py.
"""

from collections.abc import Collection
from typing import Any, Final, Literal

from msgspec import Struct, structs

from sinks.notifier.texts.model import SHORT, Budget, Markup, Units

Format = Literal["text", "html", "markdown"]
Title = Literal["own", "line", "in_body", "none"]
"""`own`: the plugin's title, as escaped as the body. `line`: its title, in plain text. `in_body`:
the first line of the body. `none`: only the short form goes."""


class Way(Struct, frozen=True, kw_only=True):
    """How one plugin is given a text.

    `format` is what the URL's parameter `format` is set to, None: as the plugin has it. `source` is
    the format that Apprise is told the text has, None: it sends the text as it is. The plugin drops
    empty lines unless `fill_blank_lines`.
    """

    markup: Markup = "plain"
    format: Format | None = None
    source: Format | None = None
    title: Title = "own"
    units: Units = "characters"
    fill_blank_lines: bool = False


_PLAIN: Final = Way(format="text", source="text")
_MAIL: Final = Way(markup="html", format="html", source="html", title="line")
_SHORT: Final = Way(format="text", source="text", title="none", units="sms")
_MENTIONS: Final = Way(markup="mattermost", title="in_body")
_DISCORD: Final = Way(markup="discord", format="text", title="in_body", units="utf16")

_WAYS: Final[dict[str, Way]] = {
    "discord": _DISCORD,
    "fluxer": _DISCORD,
    "guilded": _DISCORD,
    # `mrkdwn: false`; the title is escaped by Apprise, the body is not.
    "slack": Way(markup="slack", format="text", title="line"),
    "google_chat": Way(markup="slack", title="in_body"),
    "telegram": Way(
        markup="telegram", format="html", title="in_body", units="utf16", fill_blank_lines=True
    ),
    "mattermost": _MENTIONS,
    "rocketchat": _MENTIONS,
    "zulip": Way(markup="mattermost", title="line"),
    "revolt": _MENTIONS,
    "twist": Way(markup="mattermost", title="line"),
    "github": Way(markup="mattermost", title="line"),
    "kook": _MENTIONS,
    "webexteams": _MENTIONS,
    # A title of its own would stand behind a `#` that nobody renders.
    "matrix": Way(format="text", source="text", title="in_body"),
    # Apprise escapes for CommonMark itself.
    "goalert": Way(source="text"),
    "ilert": Way(source="text"),
    "incidentio": Way(source="text"),
    "squadcast": Way(source="text"),
}

_SHORT_LIMIT: Final = 200
_SHORT_MESSAGES: Final = frozenset(
    {
        "africas_talking",
        "cm",
        "eight00com",
        "exotel",
        "kaleyra",
        "mobilemessage",
        "notifyre",
        "octopush",
        "smpp",
        "smseagle",
        "smstunnel",
        "sns",
        "telesign",
        "twilio",
    }
)
_BYTES: Final = {
    # RFC 2812, section 2.3: 512 bytes with the command; Apprise leaves room for that.
    "irc": 380,
    # https://docs.ntfy.sh/publish/#limitations: a longer one becomes a file to download.
    "ntfy": 4_096,
    # https://gateway.threema.ch/en/developer/api: a text message.
    "threema": 3_500,
    # https://developer.work.weixin.qq.com/document/path/91770 (bot), /90236 (application).
    "wecombot": 2_048,
    "wechat": 2_048,
}
"""Services that count bytes of UTF-8 where Apprise counts characters, with their limits."""

_MAIL_FORMATS: Final = frozenset({"html", "text"})
MOST_FILLED: Final = 100
"""Blank lines that are kept where a plugin drops empty ones."""

_PING: Final = 200
"""Room for the mentions of `ping=`, which Discord's plugin adds."""


def plugin_name(plugin: Any) -> str:
    """The name of the plugin's module in Apprise (`email`, `slack`); empty for one of ours."""
    module = type(plugin).__module__
    found = module.removeprefix("apprise.plugins.")
    return "" if found == module else found.partition(".")[0]


def formats_of(plugin: Any) -> frozenset[str]:
    """The formats that the plugin sends: one, or from Apprise 2 on several."""
    given = plugin.notify_format
    every: Collection[Any] = given if isinstance(given, (tuple, list, set, frozenset)) else (given,)
    return frozenset(str(getattr(one, "value", one)) for one in every)


def way_of(plugin: Any, wanted: str | None) -> Way:
    """The way for `plugin`; `wanted` is the parameter `format` of its URL."""
    way = _way_of(plugin_name(plugin), plugin, wanted)
    return structs.replace(way, units="bytes") if plugin_name(plugin) in _BYTES else way


def _way_of(name: str, plugin: Any, wanted: str | None) -> Way:
    if name in _SHORT_MESSAGES or 0 < int(plugin.body_maxlen) <= _SHORT_LIMIT:
        return _SHORT
    if name in _WAYS:
        return _WAYS[name]
    formats = formats_of(plugin)
    if name == "email" or formats in {frozenset({"html"}), _MAIL_FORMATS}:
        return _PLAIN if wanted == "text" else _MAIL
    if "text" in formats:
        return _PLAIN
    return Way(markup="markdown")


def budget_for(plugin: Any, way: Way) -> Budget:
    """What one message of `plugin` may hold, by Apprise's own limits."""
    body, title = int(plugin.body_maxlen), int(plugin.title_maxlen)
    body = min(body, _BYTES.get(plugin_name(plugin), body))
    in_body = way.title in {"in_body", "none"} or title <= 0
    if getattr(plugin, "overflow_amalgamate_title", False) and not in_body:
        body -= title + 2
    if way.markup == "discord":
        body -= _PING
    if way.fill_blank_lines:
        body -= MOST_FILLED
    return Budget(
        title=0 if in_body else title,
        body=max(body, 1),
        markup=way.markup,
        title_in_body=in_body,
        units=way.units,
        short=min(SHORT, max(body, 1)),
    )
