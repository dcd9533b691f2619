"""Channels that need more than a template: addresses with a token in them, and mail."""

import re
from typing import Final
from urllib.parse import parse_qs

from portquorum.importing.providers.given import Given, MissingFieldError, RefusedError
from portquorum.importing.providers.template import Maker, encoded, split
from sinks.notifier.channels.native import canonical, is_pasted
from sinks.notifier.channels.problem import problem

CLOUD_EVENT: Final = "it is posted a CloudEvent of portquorum, and not the body that it is used to"
_WORD: Final = re.compile(r"[a-z][a-z_.-]{0,23}(?:[0-9]{1,3})?|v[0-9]{1,2}")
_MATTERMOST: Final = re.compile(r"(/.*)?/hooks/([^/]+)/?")
_ROCKET: Final = re.compile(r"(/.*)?/hooks/([^/]+/[^/]+)/?")
_IN_FILE: Final = "file:"
"""The address is in a file of the source's machine."""


def pasted(field: str, *schemes: str, channel: str = "") -> Maker:
    """The whole address of a service that is known by it, as one secret.

    `schemes` are those expected; `channel` is a field that some services choose a room by.
    """

    def make(given: Given) -> list[str]:
        value = _address(given, field)
        if channel and given.optional(channel):
            given.differ(f"the webhook's own channel is used: {channel} is not taken over")
        if _is_open(given, value):
            return [given.secret(field)]
        if "://" not in value:
            given.differ(f"what stands in {field} is no address: the variable has to be set to one")
            return [given.named_secret(field, "", f"`{field}` of {given.provider}")]
        form = canonical(value)
        if is_pasted(form):
            return _compatible(given, field, value)
        scheme = form.partition("://")[0]
        if scheme not in schemes:
            given.differ(f"by its address it is a channel of {scheme}, and is used as one")
        return [given.secret(field)]

    return make


def teams(field: str) -> Maker:
    """Microsoft Teams: workflows as they are; connectors of Office 365 need a new address."""

    def make(given: Given) -> list[str]:
        value = _address(given, field)
        if not _is_open(given, value) and canonical(value).startswith("workflows://"):
            return [given.secret(field)]
        given.differ(
            "Microsoft retires connectors of Office 365: make a workflow in Teams that posts when "
            "a webhook request is received, and set the variable to its URL"
        )
        return [given.named_secret(f"{field}_WORKFLOW", "", "the URL of a workflow of Teams")]

    return make


def mattermost(field: str, channel: str = "") -> Maker:
    """`mmosts://HOST/TOKEN` of `https://HOST/hooks/TOKEN`."""

    def make(given: Given) -> list[str]:
        made = _hook(given, field, _MATTERMOST, "mmosts", "HOST/TOKEN")
        room = given.optional(channel) if channel else ""
        return [f"{made}?channel={encoded(room.lstrip('#'), '')}" if room else made]

    return make


def rocketchat(field: str, channel: str = "") -> Maker:
    """`rockets://A/B@HOST` of `https://HOST/hooks/A/B`."""

    def make(given: Given) -> list[str]:
        made = _hook(given, field, _ROCKET, "rockets", "TOKEN_A/TOKEN_B@HOST")
        room = given.optional(channel) if channel else ""
        return [f"{made}/{encoded(room, '#@')}?mode=webhook" if room else f"{made}?mode=webhook"]

    return make


def webhook(field: str, *, note: str = CLOUD_EVENT) -> Maker:
    """A service of one's own: `webhook+https://…`; the service itself, if it is a known one."""

    def make(given: Given) -> list[str]:
        value = _address(given, field)
        if not _is_open(given, value) and not is_pasted(canonical(value)):
            given.differ("by its address it is a service that is spoken to in its own way")
            return [given.secret(field)]
        given.differ(note)
        return [_webhook(given, field, value)]

    return make


def token_at_end(field: str, template: str, what: str) -> Maker:
    """`template` with {host} and {token}: the last part of an address's path is the token."""

    def make(given: Given) -> list[str]:
        value = _address(given, field)
        if _is_open(given, value):
            shape = template.format(host="HOST", token="TOKEN")  # noqa: S106 - in words
            given.differ(f"the variable has to be set to {shape}")
            return [given.named_secret(f"{field}_CHANNEL", "", f"{shape} of {field}")]
        parts = split(value, field)
        token = parts.path.rstrip("/").rpartition("/")[2]
        if not token or not parts.netloc:
            raise MissingFieldError(field)
        made = given.named_secret(field, token, what)
        return [template.format(host=parts.netloc.rpartition("@")[2], token=made)]

    return make


def dingtalk(field: str, secret: str) -> Maker:
    """`dingtalk://SECRET@TOKEN` of an address with `access_token`."""

    def make(given: Given) -> list[str]:
        value = _address(given, field)
        token = "".join(parse_qs(split(value, field).query).get("access_token", [])[:1])
        made = given.named_secret("token", token, f"access_token in {field}")
        return [
            f"dingtalk://{given.secret(secret)}@{made}"
            if given.has(secret)
            else f"dingtalk://{made}"
        ]

    return make


def incidentio(field: str, token: str) -> Maker:
    """`incidentio://SOURCE/?token=…` of the address of an alert source."""

    def make(given: Given) -> list[str]:
        value = _address(given, field)
        if _is_open(given, value) or not canonical(value).startswith("incidentio://"):
            return token_at_end(field, "incidentio://{token}/?token=TOKEN", "the source")(given)
        place = canonical(value).partition("?")[0]
        source = place.removeprefix("incidentio://").strip("/")
        made = given.named_secret(f"{field}_SOURCE", source, f"the end of `{field}`'s path")
        if given.has(token):
            return [f"incidentio://{made}/?token={given.secret(token)}"]
        query = "".join(parse_qs(split(value, field).query).get("token", [])[:1])
        hidden = given.named_secret("token", query, f"the token of `{field}`")
        return [f"incidentio://{made}/?token={hidden}"]

    return make


def zulip(*, bot: str, key: str, domain: str, channel: str) -> Maker:
    """`zulip://BOT@SERVER/KEY/CHANNEL`; the bot by its address of mail."""

    def make(given: Given) -> list[str]:
        name = given.text(bot).partition("@")[0].removesuffix("-bot")
        server = given.text(domain).removeprefix("https://").strip("/")
        room = encoded(given.text(channel), "")
        return [f"zulip://{encoded(name, '')}@{server}/{given.secret(key)}/{room}"]

    return make


def mail(
    *,
    host: str,
    port: str,
    user: str,
    credential: str,
    sender: str,
    to: str,
    implicit_tls: str = "",
    no_tls: str = "",
    requires_tls: str = "",
) -> Maker:
    """`mailtos://USER:PASSWORD@HOST:PORT?from=…&to=…`, a URL for each receiver.

    Args:
        host: the field with the server, and its port after a colon.
        port: the field with the port; empty if there is none.
        user: the field with the name to log in by.
        credential: the field with the password.
        sender: the field with the address that it is from.
        to: the field with the receivers.
        implicit_tls: a field that says so; port 465 does, too.
        no_tls: a field that says that the connection stays in the clear.
        requires_tls: a field that says so if it is false.
    """

    def make(given: Given) -> list[str]:
        name, _, behind = given.text(host).partition(":")
        at = (given.optional(port) if port else "") or behind
        clear = bool(no_tls) and given.optional(no_tls) == "true"
        clear |= bool(requires_tls) and given.optional(requires_tls) == "false"
        ssl = (bool(implicit_tls) and given.optional(implicit_tls) == "true") or at == "465"
        login = encoded(given.optional(user), "")
        if given.has(credential):
            login = f"{login}:{given.secret(credential)}"
        place = f"{name}:{at}" if at else name
        origin = _plain(given.optional(sender))
        mode = "insecure" if clear else "ssl" if ssl else "starttls"
        query = f"mode={mode}" + (f"&from={encoded(origin, '')}" if origin else "")
        base = f"{'mailto' if clear else 'mailtos'}://{login}{'@' if login else ''}{place}"
        return [f"{base}?{query}&to={encoded(_plain(one), '')}" for one in given.listed(to)]

    return make


def apprise(field: str) -> Maker:
    """A URL of Apprise, as one secret."""

    def make(given: Given) -> list[str]:
        value = _address(given, field)
        wrong = problem(value)
        if wrong is not None:
            raise RefusedError(wrong)
        return [given.secret(field)]

    return make


def _address(given: Given, field: str) -> str:
    value = given.raw(field)
    if given.has(f"{field}") and value in (None, ""):
        return _IN_FILE
    if not isinstance(value, str) or not value.strip():
        raise MissingFieldError(field)
    return value.strip()


def _is_open(given: Given, value: str) -> bool:
    """True if nobody knows here what service it is: a variable of the source, or a file."""
    return value == _IN_FILE or given.is_variable(value)


def _plain(text: str) -> str:
    """The address alone of `Monitoring <ops@example.com>`."""
    found = re.search(r"<([^<>]+)>\s*$", text)
    return (found[1] if found else text).strip()


def _hook(given: Given, field: str, pattern: re.Pattern[str], scheme: str, shape: str) -> str:
    value = _address(given, field)
    parts = split(value, field)
    found = pattern.fullmatch(parts.path)
    if _is_open(given, value) or found is None or not parts.netloc:
        given.differ(f"the variable has to be set to {scheme}://{shape}")
        return given.named_secret(f"{field}_CHANNEL", "", f"{scheme}://{shape} of {field}")
    if parts.scheme == "http":
        scheme = scheme.removesuffix("s")
    token = given.named_secret(field, found[2], f"what follows /hooks/ in `{field}`")
    place = parts.netloc.rpartition("@")[2]
    path = found[1] or ""
    return (
        f"{scheme}://{token}@{place}{path}"
        if pattern is _ROCKET
        else f"{scheme}://{place}{path}/{token}"
    )


def _compatible(given: Given, field: str, value: str) -> list[str]:
    """A service that takes the messages of the one that is expected: by the form of its path."""
    parts = split(value, field)
    path, service = parts.path, given.provider.partition("_")[0]
    if service in (parts.hostname or ""):
        given.differ(f"{field} is no address of a webhook: the variable has to be set to one")
        return [given.named_secret(field, "", f"`{field}` of {given.provider}")]
    if _ROCKET.fullmatch(path):
        given.differ("by its address it is Rocket.Chat, and is used as such")
        return [_hook(given, field, _ROCKET, "rockets", "TOKEN_A/TOKEN_B@HOST") + "?mode=webhook"]
    if _MATTERMOST.fullmatch(path):
        given.differ("by its address it is Mattermost, and is used as such")
        return [_hook(given, field, _MATTERMOST, "mmosts", "HOST/TOKEN")]
    raise RefusedError(
        f"{given.provider}: {field} is no address of that service; write the channel of what "
        "answers there, or webhook+https://… for a service of yours"
    )


def _webhook(given: Given, field: str, value: str) -> str:
    if _is_open(given, value) or "://" not in value:
        shape = "webhook+https://HOST/PATH"
        given.differ(f"the variable has to be set to {shape}")
        return given.named_secret(f"{field}_CHANNEL", "", f"{shape} of `{field}`")
    split(value, field)
    scheme, _, rest = value.partition("://")
    if scheme.lower() not in {"http", "https"}:
        raise RefusedError(f"{field}: expected a URL of http or https")
    authority, _, path = rest.partition("/")
    login, found, place = authority.rpartition("@")
    if found:
        user, _, password = login.partition(":")
        hidden = given.named_secret(f"{field}_PASSWORD", password, f"the password in `{field}`")
        place = f"{user}:{hidden}@{place}"
    base = f"webhook+{scheme.lower()}://{place}"
    if not path or all(map(_WORD.fullmatch, path.rstrip("/").split("/"))):
        return f"{base}/{path}"
    hidden = given.named_secret(f"{field}_PATH", path, f"what follows the host in `{field}`")
    return f"{base}/{hidden}"
