"""One endpoint on its way to targets, and the conditions that all kinds share."""

import math
from typing import Any, Final

from msgspec import Struct, field

from portquorum.importing.gatus.condition import NO_ANSWER, Condition, holds, number
from portquorum.importing.gatus.texts import LeaveOutError, Texts
from portquorum.importing.model import Place
from portquorum.importing.source_yaml import Fields
from schemas.partition import canonical_host

_DAY_MS: Final = 86_400_000
_MOST_DAYS: Final = 365
NEVER: Final = "in Gatus this condition never holds, so the endpoint is always down"


class Endpoint(Struct):
    """An endpoint of Gatus: its fields, and what of it is known already."""

    fields: Fields
    client: Fields
    texts: Texts
    url: str
    """As it is written, with variables."""

    name: str
    group: str
    conditions: list[Condition]
    timeout_s: float

    @property
    def owner(self) -> str:
        """The endpoint in words, and for the names of its secrets."""
        return f"{self.group} {self.name}".strip()

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.fields.place()


class Check(Struct):
    """The target that an endpoint becomes, and others beside it."""

    target: dict[str, Any]
    probe: dict[str, Any] = field(default_factory=dict)
    others: list[dict[str, Any]] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    has_tls: bool = False

    def differs(self, sentence: str) -> None:
        """Adds a difference, once."""
        if sentence not in self.differences:
            self.differences.append(sentence)


def host_and_port(text: str, scheme: str, default: int | None = None) -> tuple[str, int]:
    """The host and port of `host:port`, `[::1]:port`, or of a host alone with a `default`.

    Raises:
        LeaveOutError: there is no such host or port.
    """
    place = text.partition("/")[0]
    host, colon, port = place.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = place, "" if default is None else str(default)
    try:
        name = canonical_host(host)
        if port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65536:
            return name, int(port)
    except ValueError as error:
        raise LeaveOutError(str(error)) from None
    raise LeaveOutError(f"expected {scheme}://host:port, found another URL")


def shared_conditions(
    endpoint: Endpoint, check: Check, *, body: bool = False, status: bool = False
) -> list[Condition]:
    """Handles what means the same for all kinds; the conditions that are left.

    `body`, `status`: the kind has such a thing, and judges the conditions on it itself.

    Raises:
        LeaveOutError: a condition that can't be judged here.
    """
    left = []
    for one in endpoint.conditions:
        subject = one.subject
        placeholder = subject.placeholder if subject is not None else ""
        if (placeholder == "[BODY]" and body) or (placeholder == "[STATUS]" and status):
            left.append(one)
        elif placeholder in {"[BODY]", "[STATUS]", "[DNS_RCODE]", ""}:
            _constant(one, check)
        else:
            _HANDLERS[placeholder](one, endpoint, check)
    _unreachable_is_fine(endpoint, check)
    return left


def tls_options(endpoint: Endpoint) -> dict[str, Any]:
    """`verify: false` for `client.insecure`, and a certificate of the client's as secrets."""
    client = endpoint.client
    found: dict[str, Any] = {"verify": False} if client.boolean("insecure") else {}
    pair = client.child("tls")
    if pair.text("certificate-file") and pair.text("private-key-file"):
        found["client_certificate"] = {
            option: endpoint.texts.secrets.check(
                f"{endpoint.owner} {word}",
                pair.place(name),
                f"the content (PEM) of {pair.text(name)}, of {endpoint.owner}",
                value=f"\0file {pair.text(name)}",
            )
            for option, name, word in (
                ("certificate", "certificate-file", "certificate"),
                ("key", "private-key-file", "key"),
            )
        }
        pair.skip("renegotiation", "TLS 1.3 has none, and no server needs it before a request")
    return found


def _constant(condition: Condition, check: Check) -> None:
    """A condition that no answer changes."""
    if not holds(condition, NO_ANSWER):
        raise LeaveOutError(f"{NEVER}: {condition.text}")
    check.differs(f"the condition {condition.text} is left out: it always holds")


def _connected(condition: Condition, endpoint: Endpoint, check: Check) -> None:
    yes = holds(condition, {**NO_ANSWER, "[CONNECTED]": "true"})
    no = holds(condition, NO_ANSWER)
    if yes:
        return
    if no and check.target["kind"] == "tcp" and len(endpoint.conditions) == 1:
        check.target["expect"] = "closed"
        return
    raise LeaveOutError(
        f"a server that must not be there can't be asked for more: {condition.text}"
    )


def _response_time(condition: Condition, endpoint: Endpoint, check: Check) -> None:
    limit = number(condition.right) + (1 if condition.operator == "<=" else 0)
    if condition.operator not in {"<", "<="}:
        if condition.operator in {">", ">="} and number(condition.right) <= 0:
            return
        raise LeaveOutError(
            f"a time that an answer must at least take is no option: {condition.text}"
        )
    if limit <= 0:
        raise LeaveOutError(f"{NEVER}: {condition.text}")
    timeout_ms = endpoint.timeout_s * 1000
    if limit < timeout_ms:
        check.target["max_ms"] = min(limit, check.target.get("max_ms", limit))


def _certificate(condition: Condition, _endpoint: Endpoint, check: Check) -> None:
    days = _days(condition, check)
    if not check.has_tls:
        raise LeaveOutError(f"there is no TLS, so that {NEVER}: {condition.text}")
    if check.probe.get("verify") is False:
        check.differs(
            "a certificate that is not verified (insecure) is not looked at for its end either"
        )
        return
    check.probe["critical_days"] = max(days, check.probe.get("critical_days", 0))


def _domain(condition: Condition, endpoint: Endpoint, check: Check) -> None:
    days = _days(condition, check)
    host = check.target["host"]
    probe = {"critical_days": days} | ({"warn_days": days} if days > 30 else {})
    check.others = [
        {"name": f"{endpoint.name} (domain)", "kind": "domain", "host": host, "probe": probe}
    ]
    check.differs("the registration of its domain is a target of its own, asked once a day")


def _days(condition: Condition, check: Check) -> int:
    ms = number(condition.right)
    if condition.operator not in {">", ">="}:
        raise LeaveOutError(f"what must end soon is no option: {condition.text}")
    days = min(math.ceil(ms / _DAY_MS), _MOST_DAYS)
    if days * _DAY_MS != ms and ms > 0:
        check.differs(f"the end must be {days} days away, as days are whole ({condition.text})")
    return max(days, 0)


def _ip(condition: Condition, endpoint: Endpoint, check: Check) -> None:
    if len(endpoint.conditions) == 1:
        raise LeaveOutError(
            "the address of a host is not compared; a target of kind dns asks a name server for it"
        )
    check.differs(f"the address of the host is not compared ({condition.text})")


def _context(_condition: Condition, _endpoint: Endpoint, _check: Check) -> None:
    raise LeaveOutError("it needs what another endpoint of its suite answered ([CONTEXT])")


_HANDLERS: Final = {
    "[CONNECTED]": _connected,
    "[RESPONSE_TIME]": _response_time,
    "[CERTIFICATE_EXPIRATION]": _certificate,
    "[DOMAIN_EXPIRATION]": _domain,
    "[IP]": _ip,
    "[CONTEXT]": _context,
}


def _unreachable_is_fine(endpoint: Endpoint, check: Check) -> None:
    """Gatus has a status of 0 and an empty body when nobody answers, and judges these."""
    if "expect" in check.target or not endpoint.conditions:
        return
    # A ping without an answer takes the timeout; others may be refused at once.
    lost_ms = {"[RESPONSE_TIME]": f"{endpoint.timeout_s * 1000:.0f}"}
    answer = {**NO_ANSWER, **(lost_ms if check.target["kind"] == "icmp" else {})}
    if all(holds(one, answer) for one in endpoint.conditions):
        check.differs(
            "to Gatus a server that can't be reached at all is up here, since its conditions hold "
            "without an answer; here it is down"
        )
