"""Why Kafka can't be used, as sentences: the cause, and what to do with which setting. Pure."""

from typing import Final, Literal

from msgspec import Struct

from schemas.plain_text import one_line

TroubleKind = Literal[
    "name_unknown",
    "refused",
    "unreachable",
    "silent",
    "closed",
    "not_kafka",
    "controller_port",
    "tls_expected",
    "tls_not_spoken",
    "tls_failed",
    "certificate_expired",
    "certificate_not_yet_valid",
    "certificate_other_name",
    "certificate_unknown_issuer",
    "certificate_invalid",
    "client_certificate_required",
    "client_certificate_refused",
    "user_expected",
    "user_not_expected",
    "mechanism_off",
    "password_refused",
    "no_brokers",
    "advertised_unreachable",
    "brokers_away",
    "no_controller",
    "refused_otherwise",
]

SHORT: Final[dict[TroubleKind, str]] = {
    "name_unknown": "its name is not known",
    "refused": "it refuses connections",
    "unreachable": "there is no way to it",
    "silent": "it does not answer",
    "closed": "it closes each connection",
    "not_kafka": "what answers there is no Kafka",
    "controller_port": "what answers there is a controller, no broker",
    "tls_expected": "it wants TLS",
    "tls_not_spoken": "it does not speak TLS",
    "tls_failed": "no TLS connection is made",
    "certificate_expired": "its certificate has expired",
    "certificate_not_yet_valid": "its certificate is not valid yet",
    "certificate_other_name": "its certificate has other names",
    "certificate_unknown_issuer": "its certificate is of an issuer that is not trusted",
    "certificate_invalid": "its certificate is not trusted",
    "client_certificate_required": "it wants a certificate",
    "client_certificate_refused": "it refuses our certificate",
    "user_expected": "it wants a user",
    "user_not_expected": "it does not ask for a user",
    "mechanism_off": "it does not take this kind of sign-in",
    "password_refused": "it refuses the user or the password",
    "no_brokers": "it has no brokers",
    "advertised_unreachable": "the addresses that it names can't be reached",
    "brokers_away": "some of its brokers can't be reached",
    "no_controller": "its controllers do not answer",
    "refused_otherwise": "it refuses",
}
"""Each kind in words without an address or a name, after "Kafka can't be used: "."""

_START: Final = (
    "start it with `portquorum up` (or `portquorum dev kafka`), or let PORTQUORUM_KAFKA name a "
    "running one"
)
_PROTOCOL: Final = "PORTQUORUM_KAFKA_SECURITY_PROTOCOL"
_WAY: Final = "look at routes, firewalls and whether PORTQUORUM_KAFKA names the right host and port"
_LONGEST: Final = 300


class Trouble(Struct, frozen=True, kw_only=True):
    """One reason why Kafka can't be used, found by a try.

    `where` is the `host:port` that was tried. `cause` and `remedy` are parts of a sentence. None of
    them has a password.
    """

    kind: TroubleKind
    where: str
    cause: str
    remedy: str

    @property
    def sentence(self) -> str:
        """All of it, on one line."""
        verb = "reached" if self.kind in _NO_WAY else "used"
        return f"Kafka can't be {verb} at {self.where}: {self.cause}; {self.remedy}"

    @property
    def short(self) -> str:
        """The kind alone, for those who need not know addresses and users."""
        return SHORT[self.kind]


def shown(text: object) -> str:
    """What a server sent, on one short line."""
    return one_line(str(text))[:_LONGEST]


def name_unknown(where: str, host: str, why: str) -> Trouble:
    """`why` is the resolver's word."""
    return Trouble(
        kind="name_unknown",
        where=where,
        cause=f"the name {host} is not known here ({shown(why)})",
        remedy="let PORTQUORUM_KAFKA have a name that this machine resolves, or mend its DNS",
    )


def refused(where: str) -> Trouble:
    """Nothing listens."""
    cause = "the connection was refused, nothing listens there"
    return Trouble(kind="refused", where=where, cause=cause, remedy=_START)


def unreachable(where: str, why: str) -> Trouble:
    """The system found no way; `why` is its word."""
    return Trouble(kind="unreachable", where=where, cause=shown(why), remedy=_WAY)


def silent(where: str, step: str, seconds: float) -> Trouble:
    """Nothing came in time; `step` is what was waited for."""
    return Trouble(kind="silent", where=where, cause=f"no {step} within {seconds:g} s", remedy=_WAY)


def closed(where: str, step: str, why: str = "") -> Trouble:
    """The other side ended the connection without a word."""
    return Trouble(
        kind="closed",
        where=where,
        cause=f"it closed the connection at the {step}{f' ({shown(why)})' if why else ''}",
        remedy=(
            f"the broker's log says why; {_PROTOCOL} must be that of this listener, and something "
            "between here and there may end connections"
        ),
    )


def not_kafka(where: str) -> Trouble:
    """Something else answers."""
    cause = "what answers there is not a Kafka broker"
    return Trouble(
        kind="not_kafka", where=where, cause=cause, remedy="let PORTQUORUM_KAFKA name a broker"
    )


def controller_port(where: str) -> Trouble:
    """The listener of a KRaft controller."""
    return Trouble(
        kind="controller_port",
        where=where,
        cause="this is the listener of a controller, not of a broker",
        remedy="let PORTQUORUM_KAFKA name a listener for clients",
    )


def tls_expected(where: str, protocol: str) -> Trouble:
    """The settings say plaintext, the listener has TLS."""
    better = "SASL_SSL" if protocol.startswith("SASL") else "SSL (or SASL_SSL, with a user)"
    return Trouble(
        kind="tls_expected",
        where=where,
        cause=f"the listener wants TLS, and {_PROTOCOL} is {protocol}",
        remedy=f"set {_PROTOCOL} to {better}, or take the port of another listener",
    )


def tls_not_spoken(where: str, protocol: str) -> Trouble:
    """The settings say TLS, the listener is plaintext."""
    plain = "SASL_PLAINTEXT" if protocol.startswith("SASL") else "PLAINTEXT"
    return Trouble(
        kind="tls_not_spoken",
        where=where,
        cause=f"the listener does not speak TLS, and {_PROTOCOL} is {protocol}",
        remedy=f"take the port of the listener with TLS, or set {_PROTOCOL} to {plain}",
    )


def tls_failed(where: str, why: str) -> Trouble:
    """`why` is OpenSSL's word."""
    return Trouble(
        kind="tls_failed",
        where=where,
        cause=f"no TLS connection: {shown(why)}",
        remedy="compare the broker's ssl.enabled.protocols and ssl.cipher.suites with this machine",
    )


def certificate_expired(where: str, at: str) -> Trouble:
    """`at` is the end of its validity, or empty."""
    return Trouble(
        kind="certificate_expired",
        where=where,
        cause=f"the broker's certificate has expired{f' on {at}' if at else ''}",
        remedy="give the broker a new one; if it has one, look at this machine's clock",
    )


def certificate_not_yet_valid(where: str, at: str) -> Trouble:
    """`at` is the begin of its validity, or empty."""
    return Trouble(
        kind="certificate_not_yet_valid",
        where=where,
        cause=f"the broker's certificate is not valid before {at or 'a later time'}",
        remedy="look at this machine's clock and at that of the certificate's issuer",
    )


def certificate_other_name(where: str, host: str, names: tuple[str, ...]) -> Trouble:
    """`names` are those that the certificate has."""
    has = f"it has {', '.join(map(shown, names[:8]))}" if names else "it has none"
    return Trouble(
        kind="certificate_other_name",
        where=where,
        cause=f"the broker's certificate is not for {host} ({has})",
        remedy=(
            "let PORTQUORUM_KAFKA (or, for an address that the broker names, its "
            "advertised.listeners) use a name of the certificate, or give the broker one with this "
            "name"
        ),
    )


def certificate_unknown_issuer(where: str, issuer: str, ca_file: str | None) -> Trouble:
    """`issuer` is from the certificate; `ca_file` is the setting."""
    trusted = (
        f"PORTQUORUM_KAFKA_CA_FILE ({ca_file})" if ca_file else "this machine's certificate store"
    )
    of = f"; it was issued by {shown(issuer)}" if issuer else ""
    return Trouble(
        kind="certificate_unknown_issuer",
        where=where,
        cause=f"the broker's certificate is of no issuer in {trusted}{of}",
        remedy="let PORTQUORUM_KAFKA_CA_FILE be the certificate of the cluster's own CA (PEM)",
    )


def certificate_invalid(where: str, why: str) -> Trouble:
    """`why` is OpenSSL's word."""
    return Trouble(
        kind="certificate_invalid",
        where=where,
        cause=f"the broker's certificate is not accepted: {shown(why)}",
        remedy="give the broker another one, or mend PORTQUORUM_KAFKA_CA_FILE",
    )


def client_certificate_required(where: str) -> Trouble:
    """mTLS, and the settings have no certificate."""
    return Trouble(
        kind="client_certificate_required",
        where=where,
        cause="the broker wants a certificate of its clients",
        remedy="set PORTQUORUM_KAFKA_CERT_FILE and PORTQUORUM_KAFKA_KEY_FILE (PEM)",
    )


def client_certificate_refused(where: str, cert_file: str, why: str) -> Trouble:
    """mTLS, and the broker does not accept the settings' certificate; `why` is its alert."""
    return Trouble(
        kind="client_certificate_refused",
        where=where,
        cause=f"the broker refuses the certificate of {cert_file} ({shown(why)})",
        remedy=(
            "PORTQUORUM_KAFKA_CERT_FILE must be one that is valid now, of an issuer in the "
            "broker's ssl.truststore, with those between it and the root"
        ),
    )


def user_expected(where: str, protocol: str, offered: tuple[str, ...]) -> Trouble:
    """The listener has SASL, the settings do not."""
    better = "SASL_SSL" if protocol.endswith("SSL") else "SASL_PLAINTEXT"
    return Trouble(
        kind="user_expected",
        where=where,
        cause=f"the listener wants a user, and {_PROTOCOL} is {protocol}",
        remedy=(
            f"set {_PROTOCOL} to {better}, PORTQUORUM_KAFKA_SASL_MECHANISM to what it offers "
            f"({_offer(offered)}), PORTQUORUM_KAFKA_USERNAME and PORTQUORUM_KAFKA_PASSWORD"
        ),
    )


def user_not_expected(where: str, protocol: str) -> Trouble:
    """The settings have SASL, the listener does not."""
    plain = "SSL" if protocol.endswith("SSL") else "PLAINTEXT"
    return Trouble(
        kind="user_not_expected",
        where=where,
        cause=f"the listener does not ask for a user, and {_PROTOCOL} is {protocol}",
        remedy=f"take the port of the listener with SASL, or set {_PROTOCOL} to {plain}",
    )


def mechanism_off(where: str, mechanism: str, offered: tuple[str, ...]) -> Trouble:
    """The broker's listener lacks the mechanism of the settings."""
    return Trouble(
        kind="mechanism_off",
        where=where,
        cause=f"the broker does not take {mechanism}, it offers {_offer(offered)}",
        remedy=(
            "set PORTQUORUM_KAFKA_SASL_MECHANISM to one of these that portquorum has (PLAIN, "
            "SCRAM-SHA-256, SCRAM-SHA-512), or add it to the broker's sasl.enabled.mechanisms"
        ),
    )


def password_refused(where: str, user: str, mechanism: str, *, has_blank: bool) -> Trouble:
    """Kafka says the same of a wrong password and of a user that is not there."""
    blank = " (it begins or ends with a blank or line end)" if has_blank else ""
    return Trouble(
        kind="password_refused",
        where=where,
        cause=f"the broker does not know the user {shown(user)}, or refuses the password{blank}",
        remedy=(
            "PORTQUORUM_KAFKA_USERNAME and PORTQUORUM_KAFKA_PASSWORD must be those of a user that "
            f"the cluster has for {mechanism}"
        ),
    )


def no_brokers(where: str) -> Trouble:
    """Metadata without a broker."""
    return Trouble(
        kind="no_brokers",
        where=where,
        cause="it answers, but names no broker: the cluster is starting, or all are fenced",
        remedy="wait for the cluster's controllers, or look at their logs",
    )


def advertised_unreachable(where: str, node: int, inner: Trouble) -> Trouble:
    """The cluster answers, and the address that it names for its broker does not."""
    return Trouble(
        kind="advertised_unreachable",
        where=where,
        cause=(
            f"it answers, and says that its broker {node} is at {inner.where}, where a try "
            f"failed: {inner.cause}"
        ),
        remedy=(
            "the broker's advertised.listeners must be an address that this machine reaches"
            if inner.kind in _OF_ADDRESS
            else inner.remedy
        ),
    )


def brokers_away(where: str, nodes: tuple[int, ...], of: int, inner: Trouble) -> Trouble:
    """Some of the cluster's brokers answer, and others do not."""
    named = ", ".join(map(str, nodes))
    return Trouble(
        kind="brokers_away",
        where=where,
        cause=(
            f"{len(nodes)} of its {of} brokers (id {named}) can't be reached, at {inner.where}: "
            f"{inner.cause}"
        ),
        remedy=(
            "it goes on by itself once they are back; if they run, their advertised.listeners must "
            "be addresses that this machine reaches"
        ),
    )


def no_controller(where: str, seconds: float, others: str | None = None) -> Trouble:
    """A broker that answers while the quorum is gone; `others`: what is known of other brokers."""
    cause = f"the broker answers, but the cluster's controllers have not within {seconds:g} s"
    return Trouble(
        kind="no_controller",
        where=where,
        cause=f"{cause} ({others})" if others else cause,
        remedy="start the controllers: more than half of controller.quorum.voters must run",
    )


def refused_otherwise(where: str, step: str, why: str) -> Trouble:
    """Whatever else a broker said; `why` is the error's name and text."""
    return Trouble(
        kind="refused_otherwise",
        where=where,
        cause=f"the {step} failed: {shown(why)}",
        remedy="the broker's log says more",
    )


_NO_WAY: Final = frozenset({"name_unknown", "refused", "unreachable", "silent"})
_OF_ADDRESS: Final = _NO_WAY | {"not_kafka"}


def _offer(offered: tuple[str, ...]) -> str:
    return ", ".join(map(shown, offered[:8])) or "none"
