"""Endpoints of Gatus that are no HTTP: tcp, udp, tls, starttls, icmp, ssh, grpc, ws, sctp."""

from typing import Any, Final

from portquorum.importing import hiding
from portquorum.importing.gatus.body import float_of
from portquorum.importing.gatus.check import (
    NEVER,
    Check,
    Endpoint,
    host_and_port,
    shared_conditions,
    tls_options,
)
from portquorum.importing.gatus.condition import NO_ANSWER, Condition, glob_regex, holds
from portquorum.importing.gatus.http import body_text, hidden_path, mark_in_clear, place_of
from portquorum.importing.gatus.texts import LeaveOutError
from portquorum.importing.urls import tls_option

_ANYTHING: Final = "(?s)."
_OWN_PROTOCOL: Final = {53: "dns", 123: "ntp"}
_SERVING: Final = ("SERVING", "pat(SERVING)")


def tcp(endpoint: Endpoint) -> Check:
    """`tcp://`: a connection; with a body, what is sent and what must come."""
    check = _started(endpoint, "tcp", "tcp")
    left = shared_conditions(endpoint, check, body=True)
    check.probe |= _steps(endpoint, check, left)
    mark_in_clear(check)
    return check


def tls(endpoint: Endpoint) -> Check:
    """`tls://`: a handshake; with a body, what is sent in it and what must come."""
    check = _started(endpoint, "tls", "tls")
    check.has_tls = True
    check.probe |= {"critical_days": 0} | tls_options(endpoint)
    left = shared_conditions(endpoint, check, body=True)
    steps = _steps(endpoint, check, left)
    if steps:
        check.target["kind"] = "tcp"
        check.probe |= {"tls": "implicit"} | steps
    mark_in_clear(check)
    return check


def starttls(endpoint: Endpoint) -> Check:
    """`starttls://`: SMTP, with STARTTLS."""
    check = _started(endpoint, "starttls", "smtp")
    check.has_tls = True
    check.probe |= {"tls": "starttls", "critical_days": 0} | tls_options(endpoint)
    shared_conditions(endpoint, check)
    return check


def udp(endpoint: Endpoint) -> Check:
    """`udp://`: without a body Gatus sends nothing, and is content."""
    check = _started(endpoint, "udp", "udp")
    left = shared_conditions(endpoint, check, body=True)
    steps = _steps(endpoint, check, left)
    if steps:
        check.probe |= steps["steps"][0]
    elif check.target["port"] in _OWN_PROTOCOL:
        name = _OWN_PROTOCOL[check.target["port"]]
        check.differs(f"it is asked in its own protocol ({name}); Gatus sends nothing over UDP")
    else:
        raise LeaveOutError(
            "Gatus sends nothing there, and takes whatever happens for up; a target of kind udp "
            "needs what to send (probe: {send: …}) and what to expect"
        )
    mark_in_clear(check)
    return check


def icmp(endpoint: Endpoint) -> Check:
    """`icmp://`: one echo request."""
    host = endpoint.texts.known(endpoint.url).partition("://")[2].rstrip("/")
    check = Check({"kind": "icmp", "host": host.strip("[]")}, {"count": 1})
    network = endpoint.client.text("network", "ip")
    if network != "ip":
        check.differs(f"the address is chosen as for any client, and not by network: {network}")
    shared_conditions(endpoint, check)
    return check


def ssh(endpoint: Endpoint) -> Check:
    """`ssh://`: the server's identification; a login and a command are none of a prober's."""
    text = endpoint.texts.known(endpoint.url).partition("://")[2]
    host, port = host_and_port(text, "ssh", 22)
    check = Check({"kind": "ssh", "host": host, "port": port})
    fields = endpoint.fields
    login = fields.child("ssh")
    logins = [login.get(name) for name in ("username", "password", "private-key")]
    has_login = any(logins)
    fields.skip("body", "no command is run: SSH has to identify itself, that is all")
    left = shared_conditions(endpoint, check, body=True, status=True)
    for one in left:
        ok = {**NO_ANSWER, "[STATUS]": "0"}
        is_body = one.subject is not None and one.subject.placeholder == "[BODY]"
        if is_body or not holds(one, ok):
            raise LeaveOutError(
                "it logs in by SSH and looks at what a command says, which no prober does: let a "
                "job on that host do so and report (kind: heartbeat, portquorum beat)"
            )
    if has_login:
        check.differs("SSH has to identify itself; Gatus logs in, too, and runs a command")
    return check


def grpc(endpoint: Endpoint) -> Check:
    """`grpc://` and `grpcs://`: the health of the whole server."""
    scheme, _, text = endpoint.texts.known(endpoint.url).partition("://")
    host, port = host_and_port(text, scheme)
    has_tls = scheme.lower() == "grpcs"
    check = Check({"kind": "grpc", "host": host, "port": port}, has_tls=has_tls)
    check.probe |= tls_option(port, tls=has_tls)
    if has_tls:
        check.probe |= {"critical_days": 0} | tls_options(endpoint)
    left = shared_conditions(endpoint, check, body=True)
    serving = [
        one for one in left if one.operator == "==" and one.subject and one.subject.path == "status"
    ]
    if any(one.right not in _SERVING for one in left) or len(serving) < len(left):
        raise LeaveOutError("the answer of grpc.health.v1 must be SERVING here, and nothing else")
    if not serving:
        check.differs("the server must be SERVING; Gatus takes any state that it tells")
    return check


def websocket(endpoint: Endpoint) -> Check:
    """`ws://` and `wss://`: a message, and one that comes."""
    place, login = place_of(endpoint)
    if login:
        raise LeaveOutError("expected no user and password in the URL of a WebSocket")
    check = Check({"kind": "websocket", "host": place.host, "port": place.port}, has_tls=place.tls)
    texts, owner = endpoint.texts, endpoint.owner
    if place.path != "/":
        check.probe["path"] = hidden_path(place, endpoint)
    check.probe |= tls_option(place.port, tls=place.tls)
    if place.tls:
        check.probe |= {"critical_days": 0} | tls_options(endpoint)
    headers = {"Origin": "http://localhost/"}  # Gatus' own
    written = endpoint.fields.child("headers")
    for name in written.value:
        where, what = written.place(name), f"{name} of {owner}"
        value = texts.option(written.text(name), where, what, defaults=False)
        headers[name] = hiding.header(name, value, texts.secrets, where, owner)
    check.probe["headers"] = headers
    left = shared_conditions(endpoint, check, body=True)
    steps = _steps(endpoint, check, left)
    if not steps:
        steps = {"steps": [{"expect_regex": _ANYTHING}]}
        check.differs("a message is waited for; Gatus sends an empty one before")
    check.probe |= steps
    mark_in_clear(check)
    return check


def sctp(endpoint: Endpoint) -> Check:
    """`sctp://`: there is no such kind."""
    raise LeaveOutError(f"there is no kind for SCTP ({endpoint.url.partition('://')[0]}://)")


def _started(endpoint: Endpoint, scheme: str, kind: str) -> Check:
    text = endpoint.texts.known(endpoint.url).partition("://")[2]
    host, port = host_and_port(text, scheme)
    return Check({"kind": kind, "host": host, "port": port})


def _steps(endpoint: Endpoint, check: Check, conditions: list[Condition]) -> dict[str, Any]:
    """What is sent and the one answer that must come; nothing without a body and conditions."""
    text = body_text(endpoint, check)
    if not text:
        for one in conditions:
            if not holds(one, NO_ANSWER):
                raise LeaveOutError(f"without a body Gatus reads nothing, so {NEVER}: {one.text}")
        return {}
    place, owner = endpoint.fields.place("body"), endpoint.owner
    step = {"send": hiding.line(text, endpoint.texts.secrets, place, owner)}
    if len(conditions) > 1:
        raise LeaveOutError("a step has one expectation, and there are several conditions on it")
    step["expect_regex"] = _regex(conditions[0]) if conditions else _ANYTHING
    return {"steps": [step]}


def _regex(condition: Condition) -> str:
    """What an answer must match for a condition on it, as text."""
    subject, (call, inner) = condition.subject, condition.call
    plain = subject is not None and not subject.path
    if plain and subject is not None and not subject.function and condition.operator == "==":
        if call == "pat":
            return "(?s)" + glob_regex(inner).replace("^.*", "").replace(".*$", "") or _ANYTHING
        texts = inner.split(",") if call == "any" else [inner]
        return "(?s)" + "|".join(glob_regex(_escaped(one.strip())) for one in texts)
    length = subject is not None and plain and subject.function == "len"
    if length and condition.operator in {">", ">=", "!="} and float_of(condition.right) <= 1:
        return _ANYTHING
    raise LeaveOutError(f"no step can expect that of what comes: {condition.text}")


def _escaped(text: str) -> str:
    """A text as a pattern of `filepath.Match` that it alone matches."""
    return "".join(f"\\{char}" if char in "*?[\\" else char for char in text)
