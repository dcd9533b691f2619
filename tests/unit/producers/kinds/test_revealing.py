"""What a check may reveal, whatever its record says: the prober trusts no inventory."""

import pytest

from producers.checks.errors import CheckFailedError
from producers.kinds.revealing import Revealer
from schemas.probe import GrpcProbe, HttpProbe, Probe, Step, TcpProbe, TlsProbe, UdpProbe
from schemas.target import Target

_PLACEHOLDER = "${PORTQUORUM_SECRET_KEY}"
_VALUE = "correct horse battery"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTQUORUM_SECRET_KEY", _VALUE)
    monkeypatch.delenv("PORTQUORUM_SECRET_KEY_HOSTS", raising=False)


def _target(probe: Probe, *, host: str = "api.example.com", resolver: str | None = None) -> Target:
    return Target(
        id="t",
        name="t",
        kind="http",
        host=host,
        port=443,
        regions=("here",),
        interval_ms=1000,
        timeout_ms=1000,
        version=0,
        source="test",
        probe=probe,
        resolver=resolver,
    )


def _refused(target: Target, field: str = "bearer", to: str | None = None) -> str:
    with pytest.raises(CheckFailedError) as error:
        Revealer(target).reveal(_PLACEHOLDER, field, to)
    assert error.value.reason == "secret_missing"
    assert _VALUE not in error.value.detail
    return error.value.detail


def test_a_secret_is_revealed_and_masked_from_then_on() -> None:
    revealer = Revealer(_target(HttpProbe(tls=True)))
    assert not revealer.scrubber.used
    assert revealer.reveal(f"Key {_PLACEHOLDER}", "headers.Authorization") == f"Key {_VALUE}"
    assert revealer.scrubber.scrub(f"you sent {_VALUE}") == "you sent ***"


@pytest.mark.parametrize(
    ("probe", "field"),
    [
        (HttpProbe(), "bearer"),
        (HttpProbe(tls=False), "bearer"),
        (HttpProbe(tls=True, verify=False), "path"),
        (HttpProbe(tls=True), "proxy"),
        (GrpcProbe(), "metadata.x"),
        (UdpProbe(send=_PLACEHOLDER), "send"),
        (TcpProbe(steps=(Step(send=_PLACEHOLDER),)), "steps[0].send"),
        (TcpProbe(steps=(Step(starttls=True), Step(send=_PLACEHOLDER))), "steps[0].send"),
    ],
)
def test_nothing_goes_in_clear_unless_the_record_says_insecure(probe: Probe, field: str) -> None:
    assert "expected TLS with a verified certificate" in _refused(_target(probe), field)


@pytest.mark.parametrize("field", ["server_name", "expect", "", "bearers", "headers2", "resolver"])
def test_an_option_that_has_no_secrets_gets_none(field: str) -> None:
    assert "no option that may have secrets" in _refused(_target(HttpProbe(tls=True)), field)


@pytest.mark.parametrize("name", ["HOME", "PORTQUORUM_KAFKA_PASSWORD", "PORTQUORUM_SECRET_K_HOSTS"])
def test_no_other_variable_is_revealed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "something of the prober")
    target = _target(HttpProbe(tls=True, insecure=True))
    with pytest.raises(CheckFailedError, match="no other variable"):
        Revealer(target).reveal(f"${{{name}}}", "bearer")


_BOUND = [
    (_target(HttpProbe(tls=True), host="evil.example.net"), "host evil.example.net"),
    (_target(HttpProbe(tls=True, server_name="evil.net")), "server_name evil.net"),
    (_target(HttpProbe(tls=True, headers={"HOST": "evil.net:80"})), "headers.HOST evil.net:80"),
    (_target(GrpcProbe(tls=True, authority="evil.net")), "authority evil.net"),
    (
        _target(HttpProbe(tls=False, insecure=True), resolver="192.0.2.53"),
        "resolver 192.0.2.53",
    ),
    (
        _target(HttpProbe(tls=True, verify=False, insecure=True), resolver="192.0.2.53:5353"),
        "resolver 192.0.2.53:5353",
    ),
    (
        _target(HttpProbe(tls=False, insecure=True, proxy="http://evil.net:3128")),
        "proxy evil.net",
    ),
]


@pytest.mark.parametrize(("target", "found"), _BOUND)
def test_a_bound_secret_goes_only_where_its_hosts_answer(
    target: Target, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTQUORUM_SECRET_KEY_HOSTS", "api.example.com")
    field = "metadata.key" if isinstance(target.probe, GrpcProbe) else "bearer"
    assert f"PORTQUORUM_SECRET_KEY is not for {found}" in _refused(target, field)


def test_a_bound_secret_goes_to_its_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTQUORUM_SECRET_KEY_HOSTS", "api.example.com,proxy.example.com")
    probe = HttpProbe(
        tls=True, server_name="api.example.com", headers={"Host": "api.example.com:443"}
    )
    # In TLS with a verified certificate nobody else can answer, whatever a name server says.
    assert Revealer(_target(probe, resolver="192.0.2.53")).reveal(_PLACEHOLDER, "bearer") == _VALUE
    clear = _target(HttpProbe(tls=False, insecure=True, proxy="http://proxy.example.com:3128"))
    assert Revealer(clear).reveal(_PLACEHOLDER, "bearer") == _VALUE
    assert (
        Revealer(clear).reveal(_PLACEHOLDER, "proxy", "proxy.example.com")
        == "correct%20horse%20battery"
    )
    assert "not for proxy evil.net" in _refused(clear, "proxy", "evil.net")


def test_a_bound_certificate_goes_to_no_name_server_s_choice_without_a_verified_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORTQUORUM_SECRET_KEY_HOSTS", "api.example.com")
    field = "client_certificate.certificate"
    verified = _target(TlsProbe(), resolver="192.0.2.53")
    assert Revealer(verified).reveal(_PLACEHOLDER, field) == _VALUE
    assert Revealer(_target(TlsProbe(verify=False))).reveal(_PLACEHOLDER, field) == _VALUE
    found = _refused(_target(TlsProbe(verify=False), resolver="192.0.2.53"), field)
    assert "is not for resolver 192.0.2.53" in found


def test_a_short_text_makes_no_endless_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTQUORUM_SECRET_KEY", "s" * 65_536)
    revealer = Revealer(_target(HttpProbe(tls=True)))
    assert len(revealer.reveal(_PLACEHOLDER * 16, "body")) == 2**20
    with pytest.raises(
        CheckFailedError, match="at most 1048576 characters, found 1114112"
    ) as error:
        revealer.reveal(_PLACEHOLDER * 17, "body")
    assert error.value.reason == "prober_error"
