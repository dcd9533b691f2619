"""Monitors that ask by HTTP: `http`, `keyword`, `json-query`, `real-browser`, `websocket-upgrade`.

How Uptime Kuma asks is in server/model/monitor.js (louislam/uptime-kuma): it follows redirects
before it judges a status, and reads an answer that is JSON as values.
"""

import re
from typing import Any, Final

from portquorum.importing import hiding
from portquorum.importing.kuma import jsonata
from portquorum.importing.kuma.http_request import request
from portquorum.importing.kuma.left_out import LeftOutError
from portquorum.importing.kuma.monitor import Monitor, Targets
from portquorum.importing.statuses import statuses
from portquorum.importing.urls import HttpPlace, http_entry, http_place

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LONGEST: Final = 4_000
_MOST_REDIRECTS: Final = 10
_FINE: Final = ["200-299"]
_STRUCTURE: Final = re.compile(r"([{}\[\]:,])")


def http(monitor: Monitor) -> Targets:
    """The target of a monitor of a page."""
    upside_down = monitor.fields.flag("upsideDown")
    entry, place = _asked(monitor)
    if upside_down:
        return [_closed(monitor, place)]
    _expectations(monitor, entry)
    return [entry]


def keyword(monitor: Monitor) -> Targets:
    """A page with a text that must, or must not, be in it."""
    entry, _ = _asked(monitor)
    _expectations(monitor, entry)
    inverted = monitor.fields.flag("invertKeyword")
    if monitor.fields.flag("upsideDown"):
        monitor.differs(_UPSIDE_DOWN)
        inverted = not inverted
    text = monitor.expanded(monitor.fields.text("keyword"))
    if len(text) > _LONGEST:
        raise LeftOutError(f"its keyword has more than {_LONGEST} characters")
    if text:
        _keyword(monitor, entry.setdefault("probe", {}), text, inverted=inverted)
    elif inverted:
        raise LeftOutError("no answer is without an empty keyword: it was always down")
    return [entry]


def json_query(monitor: Monitor) -> Targets:
    """An answer of JSON with a value that is compared."""
    entry, _ = _asked(monitor)
    _expectations(monitor, entry)
    if monitor.fields.flag("upsideDown"):
        raise LeftOutError(
            "upside down of a JSON query: write the opposite as a condition (docs/kinds.md)"
        )
    fields = monitor.fields
    if fields.flag("retryOnlyOnStatusCodeFailure") and fields.number("maxretries"):
        monitor.differs("a wrong value is told after as many failures as a wrong status")
    operator = fields.text("jsonPathOperator", "==")
    expected = monitor.expanded(fields.text("expectedValue"))
    found = _query(fields.text("jsonPath"), operator, expected)
    entry.setdefault("probe", {})["conditions"] = found
    if any(one.get("length") for one in found):
        monitor.differs(
            "the length of what is no list ($count) or no text ($length) is counted otherwise"
        )
    if jsonata.holds_of_nothing(found) and "json" in found[0]:
        monitor.differs("an answer that is no JSON is down, and was up")
    if fields.text("jsonPath").strip() in {"", "$", "$$"}:
        monitor.differs("blanks at the ends of the answer do not count")
    return [entry]


def real_browser(monitor: Monitor) -> Targets:
    """A page without a browser."""
    if monitor.fields.flag("upsideDown"):
        entry, place = _asked(monitor)
        return [_closed(monitor, place)]
    entry, _ = _asked(monitor)
    monitor.differs("the page is fetched, and no browser runs what is in it")
    return [entry]


_UPSIDE_DOWN: Final = (
    "upside down: it is down when the answer is what it must not be; when nobody answers it is "
    "down, too, and was up"
)


def _asked(monitor: Monitor) -> tuple[dict[str, Any], HttpPlace]:
    """The target with all that is sent, and nothing that is expected."""
    url = monitor.expanded(monitor.fields.text("url")).strip()
    if not url or url in {"https://", "http://"}:
        raise LeftOutError("it has no URL", networked=False)
    try:
        place = http_place(url)
    except ValueError as error:
        raise LeftOutError(str(error)) from None
    hidden = HttpPlace(
        host=place.host,
        port=place.port,
        tls=place.tls,
        path=hiding.path(place.path, monitor.of_path()),
    )
    entry = http_entry(hidden)
    probe = entry.setdefault("probe", {})
    verify = not monitor.fields.flag("ignoreTls")
    probe |= monitor.ends(tls=place.tls)
    if place.tls and not verify:
        probe["verify"] = False
        if probe.get("warn_days"):
            monitor.differs("the end of a certificate that is not verified is not told")
    request(monitor, probe, place)
    return entry, place


def _expectations(monitor: Monitor, entry: dict[str, Any]) -> None:
    """Statuses and redirects."""
    fields, probe = monitor.fields, entry.setdefault("probe", {})
    redirects = int(min(max(fields.number("maxredirects", 10), 0), 1000))
    probe["redirects"] = min(redirects, _MOST_REDIRECTS)
    if redirects > _MOST_REDIRECTS:
        monitor.differs(f"at most {_MOST_REDIRECTS} redirects are followed, and not {redirects}")
    accepted = fields.listed("accepted_statuscodes") or list(_FINE)
    if probe.get("status"):  # of a login that can't be made
        return
    try:
        found = statuses([_code(one) for one in accepted])
    except ValueError as error:
        raise LeftOutError(f"accepted_statuscodes: {error}") from None
    if redirects:
        found = [f"{one}-{one}" if one in _REDIRECTS else one for one in found]
    if found != _FINE:
        probe["status"] = found


def _code(one: object) -> object:
    return one.strip() if isinstance(one, str) else one


def _closed(monitor: Monitor, place: HttpPlace) -> dict[str, Any]:
    monitor.differs(
        "upside down: it is down when the port takes connections, whatever the page says"
    )
    return {"kind": "tcp", "host": place.host, "port": place.port, "expect": "closed"}


def _keyword(monitor: Monitor, probe: dict[str, Any], text: str, *, inverted: bool) -> None:
    """Looks for the keyword.

    Uptime Kuma reads an answer of JSON and writes it anew, without blanks, before it looks.
    """
    if '"' in text and _STRUCTURE.search(text):
        monitor.differs(
            "the keyword is a part of JSON: blanks between its parts do not matter, of an answer "
            "that is no JSON neither"
        )
        one: dict[str, Any] = {"body": True, "matches": _json_pattern(text)}
    elif inverted or "${" in text:
        one = {"body": True, "contains": text}
        if "${" in text:
            one = {"body": True, "matches": re.escape(text)}
    else:
        probe["expect"] = text
        return
    probe["conditions"] = [one | ({"not": True} if inverted else {})]


def _json_pattern(text: str) -> str:
    """RE2 for a part of JSON, whatever blanks are between its values."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', text)
    pattern = ""
    for part in parts:
        if len(part) > 1 and part[0] == part[-1] == '"':
            pattern += re.escape(part)
            continue
        for piece in _STRUCTURE.split(part):
            if _STRUCTURE.fullmatch(piece):
                pattern += rf"\s*{re.escape(piece)}\s*"
            else:
                pattern += re.escape(piece)
    # Whatever is before or behind a part is not asked for.
    return pattern.replace(r"\s*\s*", r"\s*").removeprefix(r"\s*").removesuffix(r"\s*")


def _query(path: str, operator: str, expected: str) -> list[dict[str, Any]]:
    try:
        return jsonata.conditions(path, operator, expected)
    except jsonata.UnknownQueryError as error:
        raise LeftOutError(str(error)) from None


def request_of_websocket(monitor: Monitor, probe: dict[str, Any], place: HttpPlace) -> None:
    """Adds headers and login of an upgrade to `probe`."""
    request(monitor, probe, place)
    if "status" in probe:
        raise LeftOutError("it logs in by NTLM, which no check here does")
