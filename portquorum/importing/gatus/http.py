"""HTTP endpoints of Gatus as targets of kind `http`."""

import json
import re
from functools import lru_cache
from typing import Any, Final

from portquorum.importing import hiding
from portquorum.importing.gatus.body import of_body
from portquorum.importing.gatus.check import NEVER, Check, Endpoint, shared_conditions, tls_options
from portquorum.importing.gatus.condition import NO_ANSWER, Condition, holds, parse
from portquorum.importing.gatus.texts import LeaveOutError, Texts, is_variable
from portquorum.importing.model import Place
from portquorum.importing.statuses import Status, ranges
from portquorum.importing.urls import HttpPlace, http_entry, http_place, literal
from producers.kinds.http_options import OURS
from producers.kinds.secrets import PREFIX

_ALL: Final = range(100, 600)
_POSSIBLE: Final = range(100, 1000)
_REDIRECTS: Final = range(300, 400)
_AND_OR: Final = re.compile(r"\s(&&|\|\|)\s")
_NAMED: Final = "${" + PREFIX
_RANDOM: Final = re.compile(r"\[RANDOM_STRING_(\d{1,4})\]")


def http(endpoint: Endpoint) -> Check:
    """The target of an endpoint whose URL is one of HTTP.

    Raises:
        LeaveOutError, MissingVariableError: why there is none.
        ValueError: something is not as Gatus demands it.
    """
    check = request(endpoint)
    follow = _client(endpoint, check)
    meant = [one for condition in endpoint.conditions for one in _meant(condition, check)]
    endpoint.conditions = meant
    left = shared_conditions(endpoint, check, body=True, status=True)
    check.probe["status"] = _statuses(left, follow=follow)
    of_bodies = [one for one in left if one.subject and one.subject.placeholder == "[BODY]"]
    conditions = [written for one in of_bodies for written in of_body(one, check)]
    if conditions:
        check.probe["conditions"] = conditions
        if "max_ms" in check.target:
            check.differs("the time of a check is to the end of the body, on a new connection")
    mark_in_clear(check)
    return check


def request(endpoint: Endpoint) -> Check:
    """The target with its URL, headers and body."""
    url_place, login = place_of(endpoint)
    entry = http_entry(url_place)
    probe: dict[str, Any] = entry.pop("probe", {})
    if "path" in probe:
        probe["path"] = hidden_path(url_place, endpoint)
    check = Check(entry, probe, has_tls=url_place.tls)
    _headers(endpoint, check)
    if login and "authorization" not in {name.lower() for name in check.probe.get("headers", {})}:
        _login(login, endpoint, check)
    _body(endpoint, check)
    return check


def place_of(endpoint: Endpoint) -> tuple[HttpPlace, str]:
    """What the URL asks, with names in place of the secrets in its path, and its login.

    The login is as it is written, `user:password`; empty without one.

    Raises:
        MissingVariableError: a variable before the path has no value.
        ValueError: it is no URL of HTTP.
    """
    texts = endpoint.texts
    head, tail = _split(endpoint.url)
    before, at, authority = head.rpartition("@")
    scheme, colon, login = before.partition("://") if at else ("", "", "")
    whole = texts.known(f"{scheme}{colon}{authority}" if at else head)
    path = texts.option(tail, endpoint.place, f"a part of the URL of {endpoint.owner}")
    return http_place(whole + path.replace("$$", "$")), login


def hidden_path(url_place: HttpPlace, endpoint: Endpoint) -> str:
    """The path for an option that may have secrets, with names in place of what looks like one."""
    path, secrets = literal(url_place.path), endpoint.texts.secrets
    return hiding.path(path, hiding.hider(secrets, endpoint.place, endpoint.owner))


def _split(url: str) -> tuple[str, str]:
    """The part of a URL that says whom to ask, and the rest; neither is cut within `${…}`."""
    at, depth = url.find("://") + 3 if "://" in url else 0, 0
    while at < len(url) and (depth or url[at] not in "/?#"):
        depth += {"{": 1, "}": -1}.get(url[at], 0)
        at += 1
    return url[:at], url[at:]


def _login(written: str, endpoint: Endpoint, check: Check) -> None:
    username, _, password = written.partition(":")
    texts, owner, place = endpoint.texts, endpoint.owner, endpoint.place
    what = f"the password in the URL of {owner}"
    hidden = _password(texts, password, place, what, f"{owner} password")
    name = texts.option(username, place, f"the user in the URL of {owner}")
    check.probe["basic_auth"] = {"username": name, "password": hidden}


def _password(texts: Texts, written: str, place: Place, what: str, hint: str) -> str:
    """The name for a password: that of its variable, or one for all that stands there."""
    if not written or is_variable(written):
        return texts.option(written, place, what, secret=True)
    return texts.secrets.check(hint, place, what, value=written)


def _headers(endpoint: Endpoint, check: Check) -> None:
    written = endpoint.fields.child("headers")
    texts, owner = endpoint.texts, endpoint.owner
    headers: dict[str, str] = {}
    for name in written.value:
        text = written.text(name)
        if name.lower() == "host":
            headers[name] = texts.known(text)
        elif name.lower() in OURS:
            check.differs(f"the header {name} is that of the connection, and not sent")
        else:
            what = f"the header {name} of {owner}"
            value = texts.option(text, written.place(name), what, defaults=False)
            headers[name] = hiding.header(name, value, texts.secrets, written.place(name), owner)
    if headers:
        check.probe["headers"] = headers


def _body(endpoint: Endpoint, check: Check) -> None:
    fields, texts, owner = endpoint.fields, endpoint.texts, endpoint.owner
    method = fields.text("method", "GET").upper()
    if method != "GET":
        check.probe["method"] = method
    text = body_text(endpoint, check)
    graphql = fields.boolean("graphql")
    if not text and not graphql:
        return
    if graphql:
        names = {name.lower() for name in check.probe.get("headers", {})}
        sent = json.dumps({"query": text}, ensure_ascii=False)
        check.probe["body"] = hiding.body(sent, texts.secrets, fields.place("body"), owner)
        if "content-type" not in names:
            headers = {"Content-Type": "application/json"}
            check.probe["headers"] = headers | check.probe.get("headers", {})
        return
    check.probe["body"] = hiding.body(text, texts.secrets, fields.place("body"), owner)


def body_text(endpoint: Endpoint, check: Check) -> str:
    """What Gatus sends, with its placeholders replaced, for an option that may have secrets."""
    fields = endpoint.fields
    text = fields.text("body")
    text = text.replace("[ENDPOINT_NAME]", endpoint.name).replace("[ENDPOINT_URL]", endpoint.url)
    text = text.replace("[ENDPOINT_GROUP]", endpoint.group)
    if _RANDOM.search(text):
        check.differs("in place of a random text a fixed one is sent")
        text = _RANDOM.sub(lambda one: "x" * int(one[1]), text)
    if "[LOCAL_ADDRESS]" in text:
        raise LeaveOutError("it sends the address of the prober ([LOCAL_ADDRESS])")
    place, what = fields.place("body"), f"the body of {endpoint.owner}"
    return endpoint.texts.option(text, place, what, defaults=False)


def _client(endpoint: Endpoint, check: Check) -> bool:
    """Options of the client that HTTP alone has; whether redirects are followed."""
    client = endpoint.client
    of_tls = tls_options(endpoint)
    if check.has_tls:
        check.probe |= of_tls
    elif "verify" in of_tls:
        check.differs("after a redirect to TLS the certificate is verified, in spite of insecure")
    if client.boolean("ignore-redirect"):
        check.probe["redirects"] = 0
    if client.boolean("store-cookies"):
        check.differs("cookies are kept within a check alone, not from one to the next")
    proxy = client.text("proxy-url")
    if proxy:
        check.probe["proxy"] = _proxy(proxy, endpoint)
    if "oauth2" in client:
        client.get("oauth2")
        raise LeaveOutError(
            "it fetches a token (OAuth2) for each check; give it a token that lasts "
            "(bearer: ${PORTQUORUM_SECRET_…}), or let a job fetch and check (portquorum beat)"
        )
    if "identity-aware-proxy" in client:
        client.get("identity-aware-proxy")
        raise LeaveOutError("it logs in at Google's Identity-Aware Proxy, which no kind does")
    return "redirects" not in check.probe


def _proxy(written: str, endpoint: Endpoint) -> str:
    client, texts = endpoint.client, endpoint.texts
    login, at, rest = written.rpartition("@")
    if not at:
        return texts.known(written).removesuffix("/")
    scheme, _, user = login.partition("://")
    place, what = client.place("proxy-url"), f"the login of the proxy of {endpoint.owner}"
    name, colon, password = user.partition(":")
    hidden = _password(texts, password, place, what, f"{endpoint.owner} proxy password")
    shown = texts.option(name, place, what) + colon + hidden
    return f"{scheme}://{shown}@{texts.known(rest).removesuffix('/')}"


def _meant(condition: Condition, check: Check) -> list[Condition]:
    """The conditions that somebody meant who joined them by && or ||, which Gatus does not know."""
    if not _AND_OR.search(condition.text):
        return [condition]
    parts = _AND_OR.split(condition.text)
    try:
        each = [parse(part.strip()) for part in parts[::2]]
    except ValueError:
        each = []
    signs = set(parts[1::2])
    if len(signs) != 1 or not each or any(one.left.upper() != "[STATUS]" for one in each):
        raise LeaveOutError(f"Gatus knows no && and ||; {NEVER}: {condition.text}")
    check.differs(
        f"Gatus knows no && and ||, and never takes {condition.text!r} as fulfilled; here it is "
        "what was meant"
    )
    if signs == {"&&"}:
        return each
    fine = [s for s in _ALL if any(holds(one, _status(s)) for one in each)]
    return [parse(f"[STATUS] == any({', '.join(map(str, fine))})")]


def _status(status: int) -> dict[str, str]:
    return {**NO_ANSWER, "[STATUS]": str(status)}


def _statuses(conditions: list[Condition], *, follow: bool) -> list[Status]:
    """All statuses for which every condition on the status holds.

    A redirect that stands there by itself is not followed; Gatus follows each, if it follows.
    """
    of_status = tuple(one for one in conditions if _is_status(one))
    found = _fine(of_status)
    fine = [status for status in found if status in _ALL]
    texts = ", ".join(one.text for one in of_status)
    if found and not fine:
        raise LeaveOutError(f"a status beyond 599 is none of HTTP, and can't be expected: {texts}")
    if not fine and all(holds(one, NO_ANSWER) for one in of_status):
        raise LeaveOutError(
            f"it is up to Gatus while nobody answers ({texts}): a port that must be closed is a "
            "target of kind tcp with expect: closed"
        )
    if not fine:
        raise LeaveOutError(f"{NEVER}: {texts}")
    return [
        f"{one}-{one}" if follow and isinstance(one, int) and one in _REDIRECTS else one
        for one in ranges(fine)
    ]


def _is_status(condition: Condition) -> bool:
    return condition.subject is not None and condition.subject.placeholder == "[STATUS]"


@lru_cache(maxsize=1024)
def _fine(conditions: tuple[Condition, ...]) -> tuple[int, ...]:
    """The statuses for which all of them hold, also those that servers make up (999)."""
    return tuple(s for s in _POSSIBLE if all(holds(one, _status(s)) for one in conditions))


def mark_in_clear(check: Check) -> None:
    """`insecure: true` where a secret goes without TLS, or to a server that need not prove itself.

    That is what the source does.
    """
    sent = {name: one for name, one in check.probe.items() if name != "client_certificate"}
    verified = check.has_tls and check.probe.get("verify", True)
    by_proxy = _NAMED in check.probe.get("proxy", "")
    if by_proxy or (_NAMED in json.dumps(sent) and not verified):
        check.probe["insecure"] = True
