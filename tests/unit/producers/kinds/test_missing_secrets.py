"""Which secrets a prober lacks for its targets, told by name before any check is made."""

import pytest

from producers.kinds.missing_secrets import has_secrets, missing, named
from producers.schedule.scheduler import Scheduler
from schemas.probe import BasicAuth, HttpProbe, Probe, UdpProbe
from schemas.target import Target

_A, _B = "PORTQUORUM_SECRET_A", "PORTQUORUM_SECRET_B"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (_A, _B):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_HOSTS", raising=False)


def _target(name: str, probe: Probe | None, host: str = "api.example.com") -> Target:
    return Target(
        id=name.lower(),
        name=name,
        kind="http",
        host=host,
        port=443,
        regions=("here",),
        interval_ms=1000,
        timeout_ms=1000,
        version=0,
        source="test",
        probe=probe,
    )


def _with_token(name: str = "API", **options: object) -> Target:
    return _target(name, HttpProbe(tls=True, bearer=f"${{{_A}}}", **options))  # type: ignore[arg-type]


def test_a_target_without_secrets_lacks_none() -> None:
    for probe in (None, HttpProbe(headers={"A": "$$ and $5"}), UdpProbe(protocol="dns")):
        assert not has_secrets(_target("x", probe))
        assert missing(_target("x", probe)) == frozenset()


def test_those_that_are_not_set_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    both = _with_token(basic_auth=BasicAuth(username=f"${{{_A}}}", password=f"x${{{_B}}}"))
    assert missing(both) == {_A, _B}
    monkeypatch.setenv(_A, "a secret")
    assert missing(both) == {_B}
    monkeypatch.setenv(_B, "another")
    assert missing(both) == frozenset()


def test_one_that_is_for_other_hosts_is_missing_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_A, "a secret")
    monkeypatch.setenv(f"{_A}_HOSTS", "other.example.com")
    assert missing(_with_token()) == {_A}
    proxy = _target("p", HttpProbe(insecure=True, proxy=f"http://u:${{{_A}}}@other.example.com:1"))
    assert missing(proxy) == frozenset()


def test_other_variables_are_no_secrets_and_not_named() -> None:
    assert missing(_target("x", HttpProbe(tls=True, bearer="${HOME}"))) == frozenset()


def test_some_targets_are_named_in_order() -> None:
    assert named(_with_token(f"T{at}") for at in (7, 3, 9, 1, 5, 2, 8)) == {
        _A: ("T1", "T2", "T3", "T5", "T7")
    }


def test_the_scheduler_knows_which_targets_have_secrets() -> None:
    scheduler = Scheduler("here")
    scheduler.set_targets([_with_token("API"), _target("plain", None)], 0.0)
    assert [one.id for one in scheduler.with_secrets] == ["api"]
    scheduler.set_targets([_target("API", HttpProbe(tls=True))], 0.0)
    assert list(scheduler.with_secrets) == []
    scheduler.set_targets([_with_token("API")], 0.0)
    scheduler.remove("api")
    assert list(scheduler.with_secrets) == []
