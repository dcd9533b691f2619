"""What alert rules make of a target."""

from typing import Any

import pytest

from portquorum.importing.prometheus import promql, thresholds
from portquorum.importing.prometheus.meaning import Meaning, meaning_of
from portquorum.importing.prometheus.policy import Policy, exported, matched, policy_of
from portquorum.importing.prometheus.rules import AlertRule, Recording, rules_of
from portquorum.importing.source_yaml import Fields

HTTPS = {"kind": "http", "host": "a.example", "port": 443, "probe": {"critical_days": 0}}


def meanings(*written: dict[str, object]) -> list[Meaning]:
    group = Fields({"name": "g", "rules": [dict(one) for one in written]}, "rules.yml")
    found = list(rules_of([group]))
    recorded = {one.name: one.tree for one in found if isinstance(one, Recording)}
    return [meaning_of(one, recorded) for one in found if isinstance(one, AlertRule)]


def alert(expr: str, **more: object) -> dict[str, object]:
    return {"alert": "A", "expr": expr, **more}


def policy(
    *written: dict[str, object], entry: dict[str, Any] = HTTPS, labels: dict[str, str] | None = None
) -> Policy:
    found = matched(meanings(*written), lambda _: {"job": "web", **(labels or {})})
    return policy_of(entry, found, interval_s=30, timeout_s=5, has_rules=True)


@pytest.mark.parametrize(
    ("expr", "hold", "open_after"),
    [
        ("probe_success == 0", "2m", "2m"),
        ("probe_success != 1", "90s", "90s"),
        ("probe_success < 1", None, None),
        ("1 > probe_success", "1m", "1m"),
        ("max_over_time(probe_success[5m]) == 0", None, "5m"),
        ("avg_over_time(probe_success[10m]) == 0", "1m", "11m"),
        ("avg_over_time(probe_success[10m]) * 100 < 50", None, "5m"),
        ("1 - avg_over_time(probe_success[10m]) > 0.5", None, "5m"),
        ('probe_success{job=~"w.b"} == 0', "1m", "1m"),
        ("min by (instance) (probe_success) == 0", "1m", "1m"),
        ("MIN(probe_success) BY (instance) == BOOL 0 OR probe_success == 0", "1m", "no effect"),
        ("min(probe_success) BY (instance) == 0", "1m", "1m"),
        ("probe_success == 0 and on() vector(1)", None, "no effect"),
    ],
)
def test_when_it_is_told_that_a_target_is_down(
    expr: str, hold: str | None, open_after: str | None
) -> None:
    found = policy(alert(expr, **({"for": hold} if hold else {})))
    if open_after == "no effect":
        assert found.differences == [
            "no alert of the files tells that it is down; here an incident does"
        ]
        return
    assert found.fields.get("open_after") == open_after
    assert not any("no alert" in one for one in found.differences)


def test_a_rule_of_other_targets_is_none_of_this_one() -> None:
    found = policy(alert('probe_success{env="prod"} == 0', **{"for": "5m"}))
    assert "open_after" not in found.fields
    assert found.before is not None
    assert found.before.told_after_s is None


@pytest.mark.parametrize(
    ("severity", "criticality"),
    [("critical", "critical"), ("page", "critical"), ("warning", None), (None, None)],
)
def test_the_severity_is_that_of_the_incident(
    severity: str | None, criticality: str | None
) -> None:
    labels = {"labels": {"severity": severity}} if severity else {}
    assert policy(alert("probe_success == 0", **labels)).fields.get("criticality") == criticality


def test_a_severity_that_there_is_not_is_told() -> None:
    found = policy(alert("probe_success == 0", labels={"severity": "info"}))
    assert found.differences == ["the severity info is a warning here"]


def test_slow_is_a_warning_beside_an_urgent_outage() -> None:
    found = policy(
        alert("probe_success == 0", labels={"severity": "critical"}),
        alert("probe_duration_seconds > 1.5", **{"for": "1m"}, labels={"severity": "warning"}),
    )
    assert found.fields["criticality"] == "important"
    assert found.fields["latency"] == {"max_ms": 1500, "for": 3, "of": "total"}
    assert found.differences == []


@pytest.mark.parametrize(
    ("expr", "limit"),
    [
        ("sum by (instance) (probe_http_duration_seconds) > 2", (2000, "total")),
        ('probe_http_duration_seconds{phase="connect"} > 0.25', (250, "connect")),
        ("probe_icmp_duration_seconds > 1", (1000, "connect")),
        ("avg_over_time(probe_duration_seconds[1m]) > 1", (1000, "total")),
        ("probe_duration_seconds > 1 and probe_success == 1", (1000, "total")),
    ],
)
def test_slow(expr: str, limit: tuple[int, str]) -> None:
    latency = policy(alert("probe_success == 0"), alert(expr)).fields["latency"]
    assert (latency["max_ms"], latency["of"]) == limit


def test_of_several_limits_the_lowest_has_the_others_in_it() -> None:
    down = alert("probe_success == 0")
    whole = {"alert": "Whole", "expr": "probe_duration_seconds > 1", "for": "1m"}
    phases = {"alert": "Phases", "expr": "probe_http_duration_seconds > 1", "for": "1m"}
    found = policy(down, whole, phases)
    assert (found.fields["latency"]["max_ms"], found.differences) == (1000, [])
    connect = {"alert": "C", "expr": 'probe_http_duration_seconds{phase="connect"} > 0.5'}
    found = policy(down, whole, connect)
    assert found.fields["latency"]["of"] == "connect"
    assert found.differences == ["it is slow as alert C has it, and not as Whole has it"]


def test_a_metric_is_one_of_some_probers() -> None:
    assert exported("probe_icmp_duration_seconds", "icmp")
    assert not exported("probe_icmp_duration_seconds", "http")
    assert exported("probe_success", "tcp")
    assert exported("probe_dns_lookup_time_seconds", "http")


def test_the_ends_of_certificates() -> None:
    early = "(probe_ssl_earliest_cert_expiry - time()) / 86400 < 21"
    found = policy(alert("probe_success == 0"), alert(early, labels={"severity": "warning"}))
    assert found.probe == {"warn_days": 21}
    late = "0 <= round((last_over_time(probe_ssl_earliest_cert_expiry[9m]) - time()) / 86400) < 3"
    found = policy(
        alert("probe_success == 0"),
        alert(early, labels={"severity": "warning"}),
        alert(late, labels={"severity": "critical"}),
    )
    assert found.probe == {"warn_days": 21, "critical_days": 3}
    assert "3 days before its certificate ends it is down (alert A)" in found.differences


def test_the_end_of_a_certificate_is_none_of_a_target_without_tls() -> None:
    found = policy(
        alert("probe_ssl_earliest_cert_expiry - time() < 86400 * 14"),
        entry={"kind": "tcp", "host": "a.example", "port": 22},
    )
    assert found.probe == {}


def test_a_status_of_which_an_alert_tells_is_down() -> None:
    entry = HTTPS | {"probe": {"critical_days": 0, "status": [200, 401, 503], "redirects": 10}}
    bad = "probe_http_status_code <= 199 OR probe_http_status_code >= 500"
    found = policy(alert("probe_success == 0"), alert(bad), entry=entry)
    assert found.probe == {"status": [200, 401]}
    assert "with the status 503, of which an alert tells, it is down" in found.differences


def test_a_status_that_is_down_anyway_changes_nothing() -> None:
    found = policy(alert("probe_success == 0"), alert("probe_http_status_code >= 400"))
    assert found.probe == {}
    assert found.differences == []


def test_a_rule_on_the_status_alone_tells_of_an_outage_too() -> None:
    found = policy(alert("probe_http_status_code != 200", **{"for": "3m"}))
    assert found.fields["open_after"] == "3m"
    assert found.probe["status"] == [200]


def test_of_several_alerts_the_first_one_is_told() -> None:
    found = policy(
        {"alert": "Later", "expr": "probe_success == 0", "for": "10m"},
        {"alert": "Soon", "expr": "probe_success == 0", "for": "1m"},
    )
    assert found.fields["open_after"] == "1m"
    assert any("as by alert Soon, and not again by Later" in one for one in found.differences)


def test_recording_rules_are_what_they_record() -> None:
    recording = {"record": "probe:ratio", "expr": "avg_over_time(probe_success[10m])"}
    found = policy(recording, alert('probe:ratio{job="web"} < 0.5'))
    assert found.fields["open_after"] == "5m"


def test_labels_and_runbook_of_the_rule() -> None:
    found = policy(
        alert(
            "probe_success == 0",
            labels={"severity": "critical", "team": "web", "tier": "1", "x": "{{ $labels.y }}"},
            annotations={"runbook_url": "https://wiki.example/r", "summary": "{{ $value }}"},
        )
    )
    assert found.fields["team"] == "web"
    assert found.fields["tags"] == ["tier:1"]
    assert found.fields["runbook"] == "https://wiki.example/r"


@pytest.mark.parametrize(
    ("expr", "why"),
    [
        ("up == 0", "Prometheus' own scrapes"),
        ("node_load1 > 5", "it is about node_load1"),
        ("count(probe_success == 0) > 3", "it uses count()"),
        ("changes(probe_success[1h]) > 5", "it uses changes()"),
        ("absent(probe_success)", "it uses absent()"),
        ("sum(probe_success) < 2", "several targets together"),
        ("probe_ip_protocol != 6", "it is about probe_ip_protocol"),
        ("probe_success == 0 unless on(x) y", "it uses unless"),
        ("probe_success offset 5m == 0", "another time"),
        ("probe_success ==", "can't be read"),
        ('probe_http_duration_seconds{phase="tls"} > 1', "the phase tls"),
        ("probe_success == 1", "up"),
    ],
)
def test_rules_that_there_is_nothing_for_are_named(expr: str, why: str) -> None:
    (found,) = meanings(alert(expr))
    assert found.effects == ()
    assert why in found.why


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(",
        "a b",
        "a{b}",
        "a{b=1}",
        "a[5m",
        "1 +",
        "sum by (",
        "{}{",
        "'x",
        "a[5m] offset",
        "(" * 500,
        "a" * 20_000,
    ],
)
def test_what_is_no_expression_is_an_error_and_no_crash(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|compares"):
        thresholds.ways(promql.parse(text), {})
