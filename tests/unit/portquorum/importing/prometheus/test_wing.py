"""Files in, entries out: nothing is lost, and what is written is an inventory."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portquorum.importing.assemble import assemble
from portquorum.importing.model import Import, Options, Report
from portquorum.importing.prometheus import read_blackbox, read_prometheus
from portquorum.importing.writer import document
from portquorum.inventory import tree
from portquorum.inventory.decode import Entries, decode
from portquorum.inventory.resolve import resolve

TO_EXPORTER = [
    {"source_labels": ["__address__"], "target_label": "__param_target"},
    {"source_labels": ["__param_target"], "target_label": "instance"},
    {"target_label": "__address__", "replacement": "blackbox:9115"},
]
MODULES = {
    "modules": {
        "http_2xx": {"prober": "http", "timeout": "5s"},
        "ping": {"prober": "icmp"},
        "unused": {"prober": "tcp"},
    }
}
Write = Callable[[str, Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, value: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        text = value if isinstance(value, str) else yaml.safe_dump(value, sort_keys=False)
        path.write_text(text)
        return path

    return written


def job(name: str = "web", targets: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    written = {
        "job_name": name,
        "metrics_path": "/probe",
        "params": {"module": ["http_2xx"]},
        "static_configs": [{"targets": list(targets)}],
        "relabel_configs": TO_EXPORTER,
    }
    return {key: one for key, one in (written | more).items() if one is not None}


def done(found: Import, options: Options | None = None) -> tuple[dict[str, Any], Report]:
    """The inventory and the report; the inventory passes its own check as it is written."""
    inventory, report = assemble(found, options or Options())
    assert len(report.entries) == len(found.entries)
    assert sum(report.count(one) for one in ("exact", "nearly", "left_out")) == len(found.entries)
    if inventory.get("targets"):
        roots, problems = tree.read(document(inventory, report), "inventory.yaml")
        assert problems == []
        entries = Entries()
        wrong = decode(roots[0], entries)
        resolve(entries, "test", wrong)
    return inventory, report


def test_jobs_modules_and_rules_of_three_files(write: Write) -> None:
    modules = write("blackbox.yml", MODULES)
    write("rules/a.yml", {"groups": [{"name": "g", "rules": [
        {"alert": "Down", "expr": "probe_success == 0", "for": "2m",
         "labels": {"severity": "critical"}},
        {"alert": "Disk", "expr": "node_filesystem_avail_bytes < 5"},
    ]}]})  # fmt: skip
    main = write(
        "prometheus.yml",
        {
            "global": {"scrape_interval": "30s"},
            "rule_files": ["rules/*.yml", "/etc/elsewhere/*.yml"],
            "alerting": {"alertmanagers": []},
            "scrape_configs": [
                job(targets=["https://a.example/health"]),
                job("ping", ["gw.example"], params={"module": ["ping"]}),
                {"job_name": "node", "static_configs": [{"targets": ["n1:9100", "n2:9100"]}]},
            ],
        },
    )
    inventory, report = done(read_prometheus([main], Options(blackbox=(modules,))))
    assert [entry.outcome for entry in report.entries] == ["exact", "exact"]
    web, ping = inventory["targets"]
    assert web == {
        "name": "https://a.example/health",
        "id": "web-https-a.example-health",
        "kind": "http",
        "host": "a.example",
        "port": 443,
        "probe": {"path": "/health", "critical_days": 0, "redirects": 10},
        "interval": "30s",
        "timeout": "5s",
        "retries": 1,
        "open_after": "2m",
        "criticality": "critical",
        "tags": ["web", "job:web"],
    }
    assert ping["timeout"] == "9500ms"  # Prometheus' 10s without the offset
    assert report.entries[0].before == report.entries[0].after
    said = {one.what: one.why for one in report.ignored}
    assert said.keys() == {
        "alerting",
        "alert Disk",
        "job node",
        "module unused",
        "rule_files /etc/elsewhere/*.yml",
    }
    assert said["job node"].startswith("Prometheus reads the metrics of n1:9100 itself")


def test_the_same_files_by_the_other_word(write: Write) -> None:
    modules = write("blackbox.yml", MODULES)
    main = write("prometheus.yml", {"scrape_configs": [job(targets=["a.example"])], "global": {}})
    _, report = done(read_blackbox([modules, main], Options()))
    assert report.source == "blackbox"
    assert [one.name for one in report.entries] == ["web/a.example"]


def test_modules_alone_say_what_is_missing(write: Write) -> None:
    found = read_blackbox([write("blackbox.yml", MODULES)], Options())
    assert found.entries == []
    assert len(found.unreadable) == 1
    assert "name that file, too" in found.unreadable[0].why


def test_without_modules_those_of_the_exporter_hold_and_that_is_told(write: Write) -> None:
    main = write(
        "prometheus.yml",
        {
            "global": {"scrape_interval": "15s"},
            "scrape_configs": [
                job(targets=["a.example"]),
                job("own", ["b.example"], params={"module": ["our_module"]}),
            ],
        },
    )
    _, report = done(read_prometheus([main], Options()))
    known, unknown = report.entries
    assert known.outcome == "nearly"
    assert "--blackbox" in known.differences[0]
    assert unknown.outcome == "left_out"
    assert unknown.why is not None
    assert "'our_module' is in none of the files" in unknown.why


def test_a_module_by_a_label_and_a_target_by_a_parameter(write: Write) -> None:
    by_label = job(
        "mixed",
        static_configs=[
            {"targets": ["a.example"], "labels": {"module": "ping", "team": "net", "env": "prod"}},
            {"targets": ["b.example"], "labels": {"__param_module": "http_2xx"}},
        ],
        relabel_configs=[
            {"source_labels": ["module"], "regex": "(.+)", "target_label": "__param_module"},
            *TO_EXPORTER,
        ],
        params=None,
    )
    direct = job(
        "direct",
        ["blackbox:9115"],
        relabel_configs=None,
        params={"module": ["http_2xx"], "target": ["https://c.example"]},
    )
    main = write("p.yml", {"scrape_configs": [by_label, direct], "global": {}})
    inventory, _ = done(read_blackbox([write("b.yml", MODULES), main], Options()))
    a, b, c = inventory["targets"]
    assert (a["kind"], a["team"], a["tags"]) == (
        "icmp",
        "net",
        ["mixed", "env:prod", "job:mixed", "module:ping"],
    )
    assert inventory["teams"] == {"net": {}}
    assert (b["kind"], c["kind"], c["host"]) == ("http", "http", "c.example")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"metrics_path": "/snmp"}, "asks the exporter blackbox:9115 for /snmp"),
        ({"relabel_configs": TO_EXPORTER[:2]}, "does not put the exporter into __address__"),
        ({"relabel_configs": TO_EXPORTER[2:]}, "asks no blackbox exporter"),
        (
            {"relabel_configs": [*TO_EXPORTER[:2],
                {"target_label": "__address__", "replacement": "json-exporter:7979"}],
             "params": {"module": ["default"]}},
            "json-exporter:7979, which is not the blackbox exporter",
        ),
        ({"static_configs": []}, "has no targets"),
        (
            {"relabel_configs": [
                {"action": "drop", "source_labels": ["__address__"], "regex": "a.*"}]},
            "relabelling drops it",
        ),
    ],
)  # fmt: skip
def test_jobs_of_something_else_are_named(write: Write, changed: dict[str, Any], why: str) -> None:
    main = write("p.yml", {"scrape_configs": [job(targets=["a.example"], **changed)]})
    found = read_blackbox([write("b.yml", MODULES), main], Options())
    assert found.entries == []
    assert [one.why for one in found.ignored if why in one.why and one.what == "job web"]


def test_targets_that_prometheus_alone_finds_are_left_out_with_what_to_do(write: Write) -> None:
    found_by = job(static_configs=None, kubernetes_sd_configs=[{"role": "ingress"}])
    main = write("p.yml", {"scrape_configs": [found_by]})
    _, report = done(read_blackbox([write("b.yml", MODULES), main], Options()))
    (entry,) = report.entries
    assert entry.outcome == "left_out"
    assert "/api/v1/targets" in (entry.why or "")


def test_the_list_of_targets_that_prometheus_has(write: Write) -> None:
    active = {
        "labels": {"instance": "https://a.example", "job": "ingress", "env": "prod"},
        "scrapePool": "ingress",
        "scrapeUrl": "http://blackbox:9115/probe?module=http_2xx&target=https%3A%2F%2Fa.example%2Fx",
        "scrapeInterval": "1m",
        "scrapeTimeout": "10s",
    }
    other = active | {"scrapeUrl": "http://n1:9100/metrics"}
    listed = write(
        "targets.json",
        json.dumps({"status": "success", "data": {"activeTargets": [active, other]}}),
    )
    inventory, report = done(
        read_prometheus([listed], Options(blackbox=(write("b.yml", MODULES),)))
    )
    (target,) = inventory["targets"]
    assert (target["host"], target["probe"]["path"], target["interval"]) == (
        "a.example",
        "/x",
        "1m",
    )
    assert target["tags"] == ["ingress", "env:prod", "job:ingress"]
    assert len(report.entries) == 1


def test_files_of_targets_within_the_folder_alone(write: Write, tmp_path: Path) -> None:
    write("conf/targets/a.yml", [{"targets": ["a.example"], "labels": {"env": "prod"}}])
    write("conf/targets/b.json", json.dumps([{"targets": ["b.example"]}]))
    outside = write("secret.yml", [{"targets": ["never.example"]}])
    (tmp_path / "conf" / "targets" / "c.yml").symlink_to(outside)
    main = write(
        "conf/prometheus.yml",
        {
            "scrape_configs": [
                job(
                    static_configs=None,
                    file_sd_configs=[{"files": ["targets/*", "../secret.yml", "/etc/hosts.yml"]}],
                )
            ]
        },
    )
    found = read_blackbox([write("b.yml", MODULES), main], Options())
    assert [one.name for one in found.entries] == ["a.example", "b.example"]
    said = [one.why for one in found.unreadable]
    assert len(said) == 2
    assert all("name the file itself" in one for one in said)


def test_a_folder_has_what_is_in_it(write: Write, tmp_path: Path) -> None:
    write("all/b.yml", MODULES)
    write("all/p.yml", {"scrape_configs": [job(targets=["a.example"])]})
    write("all/other.yml", {"name": "something else"})
    write("all/.git/p.yml", {"scrape_configs": [job(targets=["hidden.example"])]})
    found = read_prometheus([tmp_path / "all"], Options())
    assert [one.name for one in found.entries] == ["a.example"]
    assert found.unreadable == []


PROBE = {
    "apiVersion": "monitoring.coreos.com/v1",
    "kind": "Probe",
    "metadata": {"name": "nas", "namespace": "obs"},
    "spec": {
        "interval": "30s",
        "scrapeTimeout": "8s",
        "module": "ping",
        "prober": {"url": "blackbox.obs.svc:9115"},
        "targets": {
            "staticConfig": {"static": ["nas.lan"], "labels": {"room": "cellar"}},
        },
        "metricRelabelings": [{"targetLabel": "service", "replacement": "lan"}],
    },
}
RULES = {
    "apiVersion": "monitoring.coreos.com/v1",
    "kind": "PrometheusRule",
    "metadata": {"name": "r"},
    "spec": {
        "groups": [
            {
                "name": "g",
                "rules": [
                    {"alert": "Lan", "expr": 'probe_success{service="lan"} == 0', "for": "15m"},
                    {"alert": "Vpn", "expr": 'probe_success{service="vpn"} == 0', "for": "1m"},
                ],
            }
        ]
    },
}


def test_objects_of_the_operator(write: Write) -> None:
    values = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "bb"},
        "spec": {"values": {"config": MODULES}},
    }
    text = yaml.safe_dump_all([PROBE, RULES, {"apiVersion": "v1", "kind": "Service"}, values])
    inventory, report = done(read_prometheus([write("all.yaml", text)], Options()))
    (target,) = inventory["targets"]
    assert target["kind"] == "icmp"
    assert (target["interval"], target["timeout"], target["open_after"]) == ("30s", "7500ms", "15m")
    assert target["tags"] == ["probe/obs/nas", "job:probe/obs/nas", "namespace:obs", "room:cellar"]
    assert report.entries[0].outcome == "exact"
    assert {one.what for one in report.ignored} == {
        "alert Vpn",
        "kind Service",
        "module http_2xx",
        "module unused",
    }


def test_other_objects_with_targets(write: Write) -> None:
    scrape = {
        "apiVersion": "monitoring.coreos.com/v1alpha1",
        "kind": "ScrapeConfig",
        "metadata": {"name": "s"},
        "spec": {
            "metricsPath": "/probe",
            "params": {"module": ["ping"]},
            "staticConfigs": [{"targets": ["a.example"]}],
            "relabelings": [
                {"sourceLabels": ["__address__"], "targetLabel": "__param_target"},
                {"targetLabel": "__address__", "replacement": "bb:9115"},
            ],
        },
    }
    monitor = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "m"},
        "spec": {
            "endpoints": [
                {"path": "/probe", "params": {"module": ["ping"], "target": ["b.example"]}},
                {"port": "http"},
            ]
        },
    }
    chart = {
        "config": MODULES,
        "serviceMonitor": {
            "enabled": True,
            "targets": [{"name": "c", "url": "https://c.example", "interval": "2m"}],
        },
        "prometheusRule": {"rules": [{"alert": "X", "expr": "probe_success == 0", "for": "4m"}]},
    }
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "data": {
            "prometheus.yml": yaml.safe_dump({"scrape_configs": [job(targets=["d.example"])]})
        },
    }
    listed = {"apiVersion": "v1", "kind": "List", "items": [scrape, monitor, config_map]}
    files = [write("l.yaml", listed), write("values.yaml", chart)]
    inventory, report = done(read_prometheus(files, Options()))
    assert [one["host"] for one in inventory["targets"]] == [
        "a.example",
        "b.example",
        "d.example",
        "c.example",
    ]
    assert all(one["open_after"] == "4m" for one in inventory["targets"])
    assert inventory["targets"][3]["interval"] == "2m"
    assert report.unreadable == ()


def test_what_a_chart_has_switched_off_is_no_entry(write: Write) -> None:
    off = {"enabled": False, "targets": [{"name": "c", "url": "https://c.example"}]}
    found = read_prometheus([write("v.yml", {"config": MODULES, "serviceMonitor": off})], Options())
    assert found.entries == []
    assert [one.why for one in found.ignored if one.what == "serviceMonitor"] == [
        "it is switched off there (enabled: false)"
    ]


def test_variables_and_placeholders(write: Write) -> None:
    targets = ["https://${HOST}/x", "https://__EDGE_DNS__/y", "https://$NONE/"]
    main = write("p.yml", {"global": {}, "scrape_configs": [job(targets=targets)]})
    options = Options(variables={"HOST": "a.example", "EDGE_DNS": "b.example"})
    inventory, report = done(read_blackbox([write("b.yml", MODULES), main], options))
    assert [one["host"] for one in inventory["targets"]] == ["a.example", "b.example"]
    assert report.entries[2].why == "the variable NONE has no value; --env-file gives it one"


def test_equal_names_have_their_job_beside_them(write: Write) -> None:
    jobs = [
        job("web", ["a.example"]),
        job("ping", ["a.example"], params={"module": ["ping"]}),
    ]
    main = write("p.yml", {"global": {}, "scrape_configs": jobs})
    inventory, _ = done(read_blackbox([write("b.yml", MODULES), main], Options()))
    assert [one["name"] for one in inventory["targets"]] == ["a.example (web)", "a.example (ping)"]
    assert [one["id"] for one in inventory["targets"]] == ["a.example-web", "a.example-ping"]
    assert inventory["targets"][0]["tags"] == ["web", "job:web"]


def test_no_login_of_a_url_is_in_a_name(write: Write) -> None:
    url = "https://me:hunter2@a.example/x?token=hunter3&q=1"
    main = write("p.yml", {"global": {}, "scrape_configs": [job(targets=[url])]})
    inventory, report = done(read_blackbox([write("b.yml", MODULES), main], Options()))
    assert inventory["targets"][0]["name"] == "https://a.example/x?token=***&q=1"
    assert "hunter" not in document(inventory, report)


@pytest.mark.parametrize(
    "text",
    [
        "modules: [1]\n",
        "modules: {a: 1, b: {prober: x}}\n",
        "scrape_configs: 5\n",
        "scrape_configs: [1, 2]\n",
        "scrape_configs: [{job_name: [a]}]\n",
        "scrape_configs: [{job_name: a, relabel_configs: [{action: 5}]}]\n",
        "groups: [{rules: 5}]\n",
        "groups: [{name: a, rules: [{alert: x, expr: [1]}]}]\n",
        "kind: Probe\napiVersion: x\nspec: 5\n",
        "kind: List\napiVersion: x\nitems: [1]\n",
        "data: {activeTargets: [{scrapeUrl: 'http://[x'}]}\n",
        "- 1\n",
        "a: b\n",
        "global: {scrape_interval: x}\n",
        "{{ .Values.x }}\n",
        "\t- a",
        "",
    ],
)
def test_what_can_not_be_read_is_said_and_is_no_crash(write: Write, text: str) -> None:
    for read in (read_prometheus, read_blackbox):
        found = read([write("x.yml", text)], Options())
        assert found.entries == []
        assert found.unreadable or not text


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 70_000),
    st.sampled_from(
        [
            "",
            "a.example",
            "https://x:1",
            "http_2xx",
            "5s",
            "$1",
            "(",
            "probe_success == 0",
            "/probe",
        ]
    ),
)
KEYS = st.sampled_from(
    [
        *("scrape_configs", "job_name", "params", "module", "static_configs", "targets", "labels"),
        *("relabel_configs", "source_labels", "target_label", "replacement", "regex", "action"),
        *("modules", "prober", "http", "tcp", "query_response", "expect", "send", "groups"),
        *("rules", "alert", "expr", "for", "kind", "apiVersion", "spec", "metadata", "global"),
        *("file_sd_configs", "files", "headers", "tls_config", "valid_status_codes", "values"),
    ]
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5)
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(KEYS, ANYTHING, min_size=1, max_size=6))
def test_whatever_a_file_says_there_is_no_crash(tmp_path: Path, value: dict[str, Any]) -> None:
    file = tmp_path / "any.yml"
    file.write_text(yaml.safe_dump(value))
    done(read_prometheus([file], Options()))
