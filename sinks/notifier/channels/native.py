"""Addresses of services as they are pasted (`https://discord.com/api/webhooks/…`), in one form.

`canonical` is the only place that knows them: everything else sees `discord://…`, so that budgets,
the class of a channel, retries, what is removed from texts and the identity of a channel are the
same in both spellings. Pure, on the text as written: a placeholder `${NAME}` may stand for a part
of the path, or for all of it.

Sources: `parse_native_url` of Apprise's plugins (2.3; a test holds each against ours), and of
those marked with * the service's own documentation, since Apprise does not read them.
"""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

_Make = Callable[[re.Match[str], str], str | None]
"""Makes the canonical URL from the match and the query; None: something is missing."""


class _Rule(Struct, frozen=True):
    """The host (with a port, if any), the host with the path, and what is made of them."""

    host: re.Pattern[str]
    place: re.Pattern[str]
    make: _Make


def _rule(host: str, path: str, make: _Make) -> _Rule:
    whole = rf"(?:{host}){path}"
    return _Rule(re.compile(host, re.IGNORECASE), re.compile(whole, re.IGNORECASE), make)


_LONGEST: Final = 8_192
"""Characters of a URL that is looked at; no service gives out a longer one."""

_ONE: Final = r"([^/?#\s]+)"
_REST: Final = r"([^?#\s]+)"


def canonical(url: str) -> str:
    """The scheme's own form of a pasted address; any other URL as it is.

    >>> canonical("https://discord.com/api/webhooks/1/abc?tts=yes")
    'discord://1/abc?tts=yes'
    """
    head, _, rest = url.partition("://")
    if head.strip().lower() not in {"http", "https"} or len(url) > _LONGEST:
        return url
    place, _, query = rest.strip().partition("?")
    place = place.rstrip("/")
    for rule in _RULES:
        found = rule.place.fullmatch(place)
        if found is not None:
            return rule.make(found, query.partition("#")[0]) or url
    return url


def is_pasted(url: str) -> bool:
    """True for a URL that begins with `http://` or `https://`: no scheme of a channel."""
    return url.partition("://")[0].strip().lower() in {"http", "https"}


def may_be_native(url: str) -> bool:
    """True for a pasted URL that can't be known before its placeholders are filled in."""
    host, _, rest = url.partition("://")[2].partition("/")
    return "${" in host or ("${" in rest and any(rule.host.fullmatch(host) for rule in _RULES))


def _form(text: str, more: str = "") -> _Make:
    """`text` with {0}, {1}, … as the groups of the match, then the query and `more`."""

    def make(found: re.Match[str], query: str) -> str:
        return _joined(text.format(*found.groups("")), query, more)

    return make


def _joined(base: str, *queries: str) -> str:
    kept = "&".join(query for query in queries if query)
    return f"{base}?{kept}" if kept else base


def _take(query: str, *names: str) -> tuple[list[str], str]:
    """The values of parameters as written, and the query without them; "" if one is missing."""
    pairs = [pair for pair in query.split("&") if pair]
    values = dict.fromkeys(names, "")
    kept = []
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name.lower() in values and not values[name.lower()]:
            values[name.lower()] = value
        else:
            kept.append(pair)
    return [values[name] for name in names], "&".join(kept)


def _by_parameters(text: str, *names: str) -> _Make:
    """`text` with the groups of the match and then the values of the named parameters."""

    def make(found: re.Match[str], query: str) -> str | None:
        values, kept = _take(query, *names)
        if not all(values):
            return None
        return _joined(text.format(*found.groups(""), *values), kept)

    return make


def _discord(found: re.Match[str], query: str) -> str:
    # `?wait=` is of the service's answer; a thread is called `thread` by Apprise.
    (thread, _), kept = _take(query, "thread_id", "wait")
    place = found[1].removesuffix("/slack").removesuffix("/github")
    return _joined(f"discord://{place}", kept, f"thread={thread}" if thread else "")


def _telegram(found: re.Match[str], query: str) -> str | None:
    (chat, topic, _, _), kept = _take(query, "chat_id", "message_thread_id", "text", "parse_mode")
    if not chat:
        return None
    return _joined(f"tgram://{unquote(found[1])}/{chat}", kept, f"topic={topic}" if topic else "")


def _slack_workflow(found: re.Match[str], query: str) -> str:
    mode = "trigger" if found[1].lower() == "triggers" else "workflow"
    return _joined(f"slack://{found[2]}", query, f"mode={mode}")


def _workflows(found: re.Match[str], query: str) -> str | None:
    if not query:
        return None
    automate = "pa=yes" if found["automate"] else ""
    route = f"route={found['route']}" if found["route"] else ""
    return _joined(f"workflows://{found['host']}/{found['id']}", query, automate, route)


def _notica(_found: re.Match[str], query: str) -> str | None:
    token, _, kept = query.partition("&")
    return _joined(f"notica://{token}", kept) if token else None


def _ifttt(found: re.Match[str], query: str) -> str:
    events = f"@{found[2]}" if found[2] else ""
    return _joined(f"ifttt://{found[1]}{events}", query)


def _splunk(found: re.Match[str], query: str) -> str:
    return _joined(f"splunk://{found[2]}@{found[1]}/{found[3] or ''}", query)


def _lametric(found: re.Match[str], query: str) -> str:
    return _joined(f"lametrics://{found[1]}{found[2] or ''}/", query)


def _cliq(found: re.Match[str], query: str) -> str | None:
    region = _CLIQ_REGIONS.get(found["domain"].lower())
    token = _take(query, "zapikey")[0][0]
    if region is None or not token:
        return None
    mark = "@" if found["path"].lower() == "bots" else "%23"
    company = f"company={found['company']}" if found["company"] else ""
    name = f"cliq://{token}/{mark}{found['name']}"
    return _joined(name, f"region={region}", company)


_CLIQ_REGIONS: Final = {
    "cliq.zoho.com": "us",
    "cliq.zoho.eu": "eu",
    "cliq.zoho.in": "in",
    "cliq.zoho.com.au": "au",
    "cliq.zoho.jp": "jp",
    "cliq.zohocloud.ca": "ca",
    "cliq.zoho.sa": "sa",
    "cliq.zoho.uk": "uk",
}

_RULES: Final = (
    # Discord, also of the test versions*, with the version of the API*, and with the endings by
    # which it takes the messages of Slack and GitHub*, which are not ours.
    # https://discord.com/developers/docs/resources/webhook#execute-webhook
    _rule(
        r"(?:(?:canary|ptb)\.)?discord(?:app)?\.com",
        rf"/api(?:/v\d+)?/webhooks/{_REST}",
        _discord,
    ),
    _rule(r"hooks\.slack\.com", rf"/services/{_REST}", _form("slack://{0}")),
    _rule(r"hooks\.slack-gov\.com", rf"/services/{_REST}", _form("slack://{0}", "mode=gov-hook")),
    _rule(r"hooks\.slack\.com", rf"/(workflows|triggers)/{_REST}", _slack_workflow),
    # Workflows of Microsoft Teams: Logic Apps, and Power Automate since 2025.
    _rule(
        r"(?P<host>[a-z0-9_.-]+\.(?:logic\.azure\.[a-z]{2,12}"
        r"|(?:power|apps)platform(?:\.[a-z0-9-]{2,24}){1,3})(?::\d{1,5})?)",
        r"(?P<automate>/powerautomate/automations/direct(?:/cu/(?P<route>\d+))?)?"
        r"/workflows/(?P<id>[^/?#\s]+)/triggers/manual/paths/invoke",
        _workflows,
    ),
    _rule(
        r"chat\.googleapis\.com",
        rf"/v1/spaces/{_ONE}/messages",
        _by_parameters("gchat://{0}/{1}/{2}", "key", "token"),
    ),
    # Telegram*: https://core.telegram.org/bots/api#making-requests
    _rule(r"api\.telegram\.org", rf"/bot{_ONE}/sendMessage", _telegram),
    _rule(r"ntfy\.sh", rf"/{_REST}", _form("ntfys://{0}")),
    _rule(
        r"api\.ciscospark\.com|webexapis\.com",
        rf"/v[1-9]\d*/webhooks/incoming/{_ONE}",
        _form("wxteams://{0}"),
    ),
    _rule(r"(?:media\.)?guilded\.gg", rf"/webhooks/{_REST}", _form("guilded://{0}")),
    _rule(r"(?:api\.)?fluxer\.app", rf"/(?:v\d+/)?webhooks/{_REST}", _form("fluxer://{0}")),
    _rule(r"api\.flock\.com", rf"/hooks/sendMessage/{_ONE}", _form("flock://{0}")),
    _rule(r"inbots\.zoom\.us", rf"/incoming/hook/{_ONE}", _form("zoom://{0}")),
    _rule(
        r"webhooks\.t2bot\.io",
        rf"/api/v\d+/matrix/hook/{_ONE}",
        _form("matrixs://{0}", "mode=t2bot"),
    ),
    _rule(r"([a-z0-9_-]+)\.ryver\.com", rf"/application/webhook/{_ONE}", _form("ryver://{0}/{1}")),
    _rule(r"(?:www\.)?stackfield\.com", rf"/apiwh/{_ONE}", _form("stackfield://{0}")),
    _rule(r"www\.kookapp\.cn", rf"/api/v3/incoming/{_ONE}", _form("kook://{0}/", "mode=webhook")),
    _rule(r"open\.larksuite\.com", rf"/open-apis/bot/v2/hook/{_ONE}", _form("lark://{0}")),
    # https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot *
    _rule(r"open\.feishu\.cn", rf"/open-apis/bot/v2/hook/{_ONE}", _form("feishu://{0}")),
    _rule(
        r"qyapi\.weixin\.qq\.com",
        r"/cgi-bin/webhook/send",
        _by_parameters("wecombot://{0}", "key"),
    ),
    # https://open.dingtalk.com/document/robots/custom-robot-access *
    _rule(r"oapi\.dingtalk\.com", r"/robot/send", _by_parameters("dingtalk://{0}", "access_token")),
    _rule(r"qmsg\.zendee\.cn", rf"/send/{_ONE}", _form("qq://{0}")),
    _rule(r"push\.spug\.dev", rf"/send/{_ONE}", _form("spugpush://{0}")),
    _rule(r"(?:www\.)?pushplus\.plus", rf"/(?:send|batchSend)/{_ONE}", _form("pushplus://{0}/")),
    _rule(
        r"(?:www\.)?pushplus\.plus",
        r"/(?:send|batchSend)",
        _by_parameters("pushplus://{0}/", "token"),
    ),
    _rule(r"api\.wpush\.cn", r"/api/v1/send", _by_parameters("wpush://{0}/", "apikey")),
    # https://bark.day.app and https://sct.ftqq.com *
    _rule(r"api\.day\.app", rf"/{_ONE}", _form("barks://api.day.app/{0}")),
    _rule(r"sctapi\.ftqq\.com", r"/([^/?#\s]+?)\.send", _form("schan://{0}")),
    _rule(r"(?:www\.)?youlmk\.com", rf"/k/{_ONE}", _form("youlmk://{0}")),
    _rule(
        r"push\.getnotifyapp\.com",
        rf"/notify(?:-json|-group)?/{_ONE}",
        _form("notifyapp://{0}/"),
    ),
    _rule(r"notica\.us", r"", _notica),
    _rule(r"n\.tkte\.ch", rf"/h/{_ONE}/{_ONE}", _form("notifico://{0}/{1}")),
    _rule(r"maker\.ifttt\.com", r"/use/([^/?#\s]+)((?:/[^/?#\s]+)*)", _ifttt),
    _rule(r"api\.lfg\.gm", rf"/horn/{_ONE}", _form("lfg://{0}")),
    _rule(
        r"developer\.lametric\.com",
        r"/api/v[1-9]*\d+/dev/widget/update/com\.lametric\.([^/?#\s]+)(/[1-9]\d*)?",
        _lametric,
    ),
    _rule(
        r"(?P<domain>cliq\.zoho(?:cloud)?(?:\.[a-z]+){1,2})",
        r"/+(?:company/(?P<company>[^/?#\s]+)/+)?"
        r"api/v2/+(?P<path>channelsbyname|bots)/(?P<name>[^/?#\s]+)/+message",
        _cliq,
    ),
    _rule(r"([^@/\s]+)@api\.46elks\.com", r"/a1/sms", _form("elks://{0}@/")),
    # On-call systems.
    _rule(
        r"alert\.victorops\.com",
        rf"/integrations/generic/\d+/alert/{_ONE}/{_ONE}(?:/([^?#\s]+))?",
        _splunk,
    ),
    _rule(r"signals\.firehydrant\.com", rf"/v1/process/{_ONE}", _form("firehydrant://{0}/")),
    _rule(r"api\.incident\.io", rf"/v2/alert_events/http/{_ONE}", _form("incidentio://{0}/")),
    _rule(r"api\.spike\.sh", rf"/v1/alerts/{_ONE}", _form("spike://{0}")),
    _rule(r"api\.squadcast\.com", rf"/v2/incidents/api/{_ONE}", _form("squadcast://{0}/")),
    _rule(
        r"api\.eu\.squadcast\.com",
        rf"/v2/incidents/api/{_ONE}",
        _form("squadcast://{0}/", "region=eu"),
    ),
    _rule(
        r"([a-z0-9.-]+\.xmatters\.com)",
        rf"/api/integration/1/functions/{_ONE}/triggers",
        _form("xmatters://{0}/{1}/"),
    ),
    # https://pagertree.com/docs/integration-guides/webhook and
    # https://docs.signl4.com/integrations/webhook/webhook.html *
    _rule(r"api\.pagertree\.com", rf"/integration/{_ONE}", _form("pagertree://{0}")),
    _rule(r"connect\.signl4\.com", rf"/webhook/{_ONE}", _form("signl4://{0}")),
)
