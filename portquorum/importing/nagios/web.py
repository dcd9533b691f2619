"""check_http and check_curl: a request, and what must be in the answer.

Source: https://github.com/monitoring-plugins/monitoring-plugins, `plugins/check_http.c` and
`check_curl.c`: 1xx, 2xx and (with `-f ok`, the default) 3xx are fine; a 4xx is a warning, a 5xx
critical; certificates are not verified.
"""

import re
from typing import Any, Final

from portquorum.importing import hiding
from portquorum.importing.nagios.options import Options
from portquorum.importing.nagios.thresholds import days, slowness
from portquorum.importing.urls import literal
from producers.kinds.secrets import PREFIX

HTTP: Final = (
    "H/hostname= t/timeout= v/verbose V/version 4/use-ipv4 6/use-ipv6 w/warning= c/critical= "
    "I/IP-address= u/url= p/port= S/ssl? C/certificate= e/expect= s/string= d/header-string= "
    "r/ereg= l/linespan R/eregi= f/onredirect= a/authorization= b/proxy-authorization= k/header= "
    "A/useragent= P/post= j/method= m/pagesize= N/no-body M/max-age= T/content-type= sni L/link "
    "E/extended-perfdata B/show-body invert-regex J/client-cert= K/private-key= D/verify-cert "
    "x/proxy= noproxy= n/nohtml timeout-result= "
    "http-version= continue-after-certificate haproxy-protocol state-regex= regex= "
    "U/show-url cookie-jar= enable-automatic-decompression max-redirs= ca-cert= "
)
_SKIPPED: Final = (
    *("verbose", "version", "use-ipv4", "use-ipv6", "timeout", "link", "extended-perfdata"),
    *("show-body", "show-url", "sni", "no-body", "linespan", "http-version", "cookie-jar"),
    *(
        "nohtml",
        "timeout-result",
        "enable-automatic-decompression",
        "max-redirs",
        "continue-after-certificate",
        "ca-cert",
    ),
)
_DEFAULT: Final = {False: 80, True: 443}


def http(options: Options) -> dict[str, Any]:
    """A target of kind `http`; with `-C` alone, the certificate's."""
    address, name = options.text("IP-address"), options.text("hostname")
    host = address or name or (options.rest[0] if options.rest else "")
    if not host:
        raise ValueError(f"{options.what} names no host")
    name, _, behind = name.partition(":") if name.count(":") == 1 else (name, "", "")
    host = host.partition(":")[0] if host.count(":") == 1 else host
    options.skip(*_SKIPPED)
    tls = options.has("ssl") or options.has("certificate")
    port = options.integer("port", 0) or (int(behind) if behind.isdecimal() else _DEFAULT[tls])
    named = bool(name) and name != host
    if options.has("certificate"):
        warn, critical = days(options.text("certificate"))
        options.differences.append("the certificate must hold (name, chain), too, not only last")
        probe: dict[str, Any] = {"critical_days": critical, "warn_days": max(warn, critical)}
        if named:
            probe["server_name"] = name
        return {"kind": "tls", "host": host, "port": port, "probe": probe}
    probe = _request(options, name if named else "")
    if tls != (port in {443, 8443}):
        probe["tls"] = tls
    if tls and not options.has("verify-cert"):
        probe["verify"] = False
    if tls and named:
        probe["server_name"] = name
    probe |= _answer(options)
    if options.has("client-cert") or options.has("private-key"):
        certificate = options.secret("client-cert", "CLIENT CERTIFICATE")
        key = options.secret("private-key", "CLIENT KEY")
        probe["client_certificate"] = {"certificate": certificate, "key": key}
    if PREFIX in str(probe) and not (tls and probe.get("verify", True)):
        probe["insecure"] = True  # As it was: without TLS, or without a look at the certificate.
    found = {"kind": "http", "host": host, "port": port, **slowness(options)}
    return found | ({"probe": probe} if probe else {})


def _request(options: Options, name: str) -> dict[str, Any]:
    probe: dict[str, Any] = {}
    path = options.text("url", "/") or "/"
    if "://" in path:
        raise ValueError("-u has a whole URL: it asks a proxy, which `proxy:` is for here")
    if path != "/":
        probe["path"] = _path(options, path if path.startswith("/") else f"/{path}")
    headers = _headers(options, name)
    method = options.text("method").upper().partition(":")[0]
    if options.has("post"):
        method = method or "POST"
        headers["Content-Type"] = (
            options.text("content-type") or "application/x-www-form-urlencoded"
        )
        body = literal(options.text("post"))
        probe["body"] = hiding.body(body, options.secrets, options.place, "HTTP")
    options.skip("content-type")
    if method and method != "GET":
        probe["method"] = method
    if options.has("authorization"):
        user, _, _ = options.all("authorization")[-1].partition(":")
        secret = options.secret("authorization", "HTTP PASSWORD")
        options.differences.append("the variable of the login is the password alone")
        probe["basic_auth"] = {"username": literal(user), "password": secret}
    if options.has("proxy-authorization"):
        options.differences.append("a login at a proxy is not taken over")
    if options.has("proxy"):
        probe["proxy"] = _proxy(options)
    return probe | ({"headers": headers} if headers else {})


def _path(options: Options, path: str) -> str:
    """The path; values of its query that are secrets by their words are names."""
    return hiding.path(literal(path), hiding.hider(options.secrets, options.place, "HTTP"))


def _headers(options: Options, name: str) -> dict[str, str]:
    headers: dict[str, str] = {"Host": name} if name else {}
    given = [one.partition(":") for one in options.all("header")]
    if options.has("useragent"):
        given.append(("User-Agent", ":", options.text("useragent")))
    for key, _, value in given:
        shown = key.strip()
        text = literal(value.strip())
        if hiding.may_be_copied(shown, text):
            headers[shown] = text
            continue
        what = f"the header {shown} of {options.what}"
        headers[shown] = options.secrets.check(shown, options.place, what, value=text)
    return headers


def _proxy(options: Options) -> str:
    """The URL of the proxy, with a name for its login."""
    scheme, _, rest = literal(options.text("proxy")).rpartition("://")
    login, at, place = rest.rpartition("@")
    if not at:
        return literal(options.text("proxy"))
    user, _, _ = login.partition(":")
    what = f"the password of the proxy of {options.what}"
    secret = options.secrets.check("PROXY PASSWORD", options.place, what, value=login)
    return f"{scheme or 'http'}://{user}:{secret}@{place}"


def _answer(options: Options) -> dict[str, Any]:
    """Statuses, redirects, and what headers and body must have."""
    probe = _statuses(options) | _body(options)
    if options.has("header-string"):
        name, colon, value = options.text("header-string").partition(":")
        if colon:
            probe["expect_headers"] = {name.strip(): re.escape(value.strip())}
        else:
            options.differences.append("a text that must be in any header is not looked for")
    if options.has("pagesize"):
        probe.setdefault("conditions", []).append(_size(options.text("pagesize")))
    if options.has("max-age"):
        options.differences.append("the age of the document is not looked at")
    return probe


def _statuses(options: Options) -> dict[str, Any]:
    follow = options.text("onredirect", "ok").lower()
    given = [
        int(code) for one in options.all("expect") for code in re.findall(r"\b([1-5]\d\d)\b", one)
    ]
    if given:
        return {"status": list(dict.fromkeys(given)), "redirects": 0}
    if options.has("expect"):
        options.differences.append("what -e expects is no status: 100 to 399 are fine")
        return {"status": ["100-399"], "redirects": 0}
    if follow in {"follow", "sticky", "stickyport", "curl"}:
        return {"status": ["100-399"]}
    if follow in {"warning", "critical"}:
        return {"status": ["100-299"], "redirects": 0}
    return {"status": ["100-399"], "redirects": 0}


def _body(options: Options) -> dict[str, Any]:
    probe: dict[str, Any] = {}
    if options.has("string"):
        probe["expect"] = options.text("string")
    pattern = options.text("ereg") or options.text("regex") or options.text("eregi")
    if pattern:
        matches = f"(?i){pattern}" if options.has("eregi") else pattern
        if options.has("invert-regex"):
            probe["conditions"] = [{"body": True, "matches": matches, "not": True}]
        else:
            probe["expect_regex"] = matches
    return probe


def _size(written: str) -> dict[str, Any]:
    least, _, most = written.partition(":")
    found: dict[str, Any] = {"body": True, "length": True}
    if least.isdecimal():
        found["at_least"] = int(least)
    if most.isdecimal():
        found["at_most"] = int(most)
    return found
