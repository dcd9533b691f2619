"""Jobs and rules in objects of Kubernetes: those of the Prometheus operator, and values of Helm.

Sources: pkg/prometheus/promcfg.go (generateProbeConfig) and pkg/apis/monitoring of
prometheus-operator/prometheus-operator; the chart prometheus-blackbox-exporter.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from portquorum.importing import durations
from portquorum.importing.model import Ignored, Place
from portquorum.importing.prometheus import jobs
from portquorum.importing.prometheus.jobs import Address, Job, Timing
from portquorum.importing.prometheus.modules import is_modules
from portquorum.importing.prometheus.relabel import Rule, rule_of
from portquorum.importing.source_yaml import Fields
from portquorum.inventory import tree

_OPERATOR: Final = Timing(
    30.0,
    10.0,
    assumed="no interval was among the files (`kind: Prometheus`): it is the operator's default",
)
_CHART_INTERVAL_S: Final = 30.0
_MANNERS: Final = "it is how Prometheus asks the exporter, or what it keeps of the answer"
_MOST_DEPTH: Final = 12
_SCRAPE_LISTS: Final = frozenset({"additionalScrapeConfigs", "extraScrapeConfigs"})
_SETS_TARGET: Final = Rule(source_labels=("__address__",), target_label="__param_target")
_SETS_INSTANCE: Final = Rule(source_labels=("__param_target",), target_label="instance")
_FILE_ENDS: Final = (".yml", ".yaml", ".rules", ".json")


class Found(Struct, kw_only=True):
    """What an object holds. `groups` are those of rules."""

    jobs: list[Job] = []
    groups: list[Fields] = []
    ignored: list[Ignored] = []
    timing: Timing | None = None


class Embedded(Struct, kw_only=True):
    """A configuration within another document: one of the fields is set."""

    text: str | None = None
    line: int = 0
    document: Any = None
    groups: list[Fields] = []
    scrape_configs: list[Fields] = []
    jobs: list[Job] = []
    ignored: Ignored | None = None


def read(written: Fields) -> Found | None:
    """What an object of the operator holds; None for another kind.

    Raises:
        ValueError: it is none.
    """
    meta = written.child("metadata")
    name, namespace = meta.text("name"), meta.text("namespace")
    kind = written.text("kind")
    written.get("apiVersion")
    spec = written.child("spec")
    match kind:
        case "Probe":
            return Found(jobs=[_probe(spec, name, namespace)])
        case "ScrapeConfig":
            return Found(jobs=[_scrape_config(spec, name, namespace)])
        case "ServiceMonitor":
            made = [_endpoint(one, name, namespace) for one in spec.children("endpoints")]
            return Found(jobs=made)
        case "PrometheusRule":
            return Found(groups=spec.children("groups"))
        case "Prometheus" | "PrometheusAgent":
            return _of_prometheus(spec)
    return None


def _of_prometheus(spec: Fields) -> Found:
    interval = spec.text("scrapeInterval") or "30s"
    interval_s = durations.seconds(interval)
    timeout = spec.text("scrapeTimeout")
    timeout_s = durations.seconds(timeout) if timeout else min(jobs.TIMEOUT_S, interval_s)
    return Found(timing=Timing(interval_s, timeout_s))


def _probe(spec: Fields, name: str, namespace: str) -> Job:
    """As the operator writes it for Prometheus."""
    prober = spec.child("prober")
    targets = spec.child("targets")
    static = targets.child("staticConfig")
    job_name = spec.text("jobName")
    params = {one.text("name"): str(value) for one, value in _params(spec)}
    module = spec.text("module")
    if module:
        params["module"] = module
    labels = jobs.labels_of(static.child("labels"))
    if namespace:
        labels.setdefault("namespace", namespace)
    lines = getattr(static.value.get("static"), "lines", [])
    addresses = [
        Address(
            str(one), Place(static.file, lines[at]) if at < len(lines) else spec.place(), labels
        )
        for at, one in enumerate(static.listed("static"))
    ]
    found_by: tuple[str, ...] = ()
    if not static.value and "ingress" in targets:
        found_by = ("targets.ingress",)
        targets.get("ingress")
    first = [_job_label(job_name)] if job_name else []
    url = prober.text("url").replace("$", "$$")
    exporter = Rule(target_label="__address__", replacement=url)
    own = jobs.rules_of(static, "relabelingConfigs")
    path = prober.text("path") or "/probe"
    for field in ("scheme", "proxyUrl"):
        prober.skip(field, _MANNERS)
    for field in [*spec.value]:
        if field not in {"metricRelabelings", "interval", "scrapeTimeout"}:
            spec.skip(str(field), _MANNERS)
    return Job(
        name="/".join(filter(None, ("probe", namespace, name))),
        place=spec.place("targets"),
        interval_s=_span(spec, "interval"),
        timeout_s=_span(spec, "scrapeTimeout"),
        path=path,
        params=params,
        targets=tuple(addresses),
        found_by=found_by,
        relabel=(*first, _SETS_TARGET, _SETS_INSTANCE, exporter, *own),
        metric_relabel=jobs.rules_of(spec, "metricRelabelings"),
        ignored=tuple(spec.unused(_MANNERS)),
        defaults=_OPERATOR,
    )


def _job_label(name: str) -> Rule:
    return Rule(target_label="job", replacement=name.replace("$", "$$"))


def _params(spec: Fields) -> Iterator[tuple[Fields, object]]:
    for one in spec.children("params"):
        values = one.listed("values")
        if values:
            yield one, values[0]


def _scrape_config(spec: Fields, name: str, namespace: str) -> Job:
    found_by = tuple(
        str(key)
        for key in spec.value
        if str(key).endswith("SDConfigs") and key != "fileSDConfigs" and spec.get(str(key))
    )
    files = [str(one) for sd in spec.children("fileSDConfigs") for one in sd.listed("files")]
    params = jobs.params_of(spec.child("params"))
    job_name = spec.text("jobName")
    own = jobs.rules_of(spec, "relabelings")
    first = [_job_label(job_name)] if job_name else []
    return Job(
        name="/".join(filter(None, ("scrapeConfig", namespace, name))),
        place=spec.place(),
        interval_s=_span(spec, "scrapeInterval"),
        timeout_s=_span(spec, "scrapeTimeout"),
        path=spec.text("metricsPath") or "/metrics",
        params=params,
        targets=tuple(jobs.addresses(spec.children("staticConfigs"))),
        files=tuple(files),
        found_by=found_by,
        relabel=(*first, *own),
        metric_relabel=jobs.rules_of(spec, "metricRelabelings"),
        ignored=tuple(spec.unused(_MANNERS)),
        defaults=_OPERATOR,
    )


def _endpoint(endpoint: Fields, name: str, namespace: str) -> Job:
    """An endpoint of a ServiceMonitor: the exporter's service with a target in its parameters."""
    params = jobs.params_of(endpoint.child("params"))
    target = params.get("target", "")
    path = endpoint.text("path") or "/metrics"
    interval, timeout = _span(endpoint, "interval"), _span(endpoint, "scrapeTimeout")
    labels = {"namespace": namespace} if namespace else {}
    place = endpoint.place("params")
    return Job(
        name=name,
        place=place,
        interval_s=interval,
        timeout_s=timeout,
        path=path,
        params=params,
        targets=(Address(f"the service of {name}", place, labels | {"instance": target}),),
        relabel=jobs.rules_of(endpoint, "relabelings"),
        metric_relabel=jobs.rules_of(endpoint, "metricRelabelings"),
        ignored=tuple(endpoint.unused(_MANNERS)),
        defaults=_OPERATOR,
    )


def _span(written: Fields, name: str) -> float | None:
    return durations.seconds(written.text(name)) if written.get(name) is not None else None


def job_of_active(written: Fields) -> Job:
    """One of `activeTargets` of Prometheus' API, after its relabelling.

    Raises:
        ValueError: it is none.
    """
    url = urlsplit(written.text("scrapeUrl"))
    params = {name: values[0] for name, values in parse_qs(url.query).items()}
    labels = jobs.labels_of(written.child("labels"))
    target = params.get("target", "")
    return Job(
        name=labels.get("job", "") or written.text("scrapePool"),
        place=written.place("scrapeUrl"),
        interval_s=_span(written, "scrapeInterval"),
        timeout_s=_span(written, "scrapeTimeout"),
        path=url.path,
        params=params,
        targets=(Address(url.netloc, written.place("scrapeUrl"), labels | {"instance": target}),)
        if "instance" not in labels
        else (Address(url.netloc, written.place("scrapeUrl"), labels),),
    )


def embedded(written: Fields, depth: int = 0) -> Iterator[Embedded]:
    """Configurations within values of Helm and ConfigMaps, each as it stands there."""
    if depth > _MOST_DEPTH:
        return
    for name, value in written.value.items():
        line = written.place(str(name)).line
        if isinstance(value, str):
            yield from _text(str(name), value, line)
        elif name in _SCRAPE_LISTS and isinstance(value, tree.Sequence):
            yield Embedded(scrape_configs=written.children(str(name)))
        elif isinstance(value, tree.Mapping):
            yield from _mapping(written, str(name), value, depth)


def _text(name: str, value: str, line: int) -> Iterator[Embedded]:
    is_file = name.endswith(_FILE_ENDS) or name in _SCRAPE_LISTS
    if is_file and "\n" in value:
        yield Embedded(text=value, line=line)


def _mapping(written: Fields, name: str, value: tree.Mapping, depth: int) -> Iterator[Embedded]:
    inner = written.child(name)
    known = is_modules(value.get("modules")) or _are_groups(value.get("groups"))
    if known or "scrape_configs" in value:
        yield Embedded(document=value)
    elif name in {"prometheusRule", "serviceMonitor"} and value.get("enabled") is False:
        why = "it is switched off there (enabled: false)"
        yield Embedded(ignored=Ignored(written.place(name), name, why))
    elif name == "prometheusRule" and isinstance(value.get("rules"), tree.Sequence):
        yield Embedded(groups=[Fields({"rules": value["rules"]}, written.file, name)])
    elif name == "serviceMonitor" and isinstance(value.get("targets"), tree.Sequence):
        yield Embedded(jobs=list(_chart_targets(inner)))
    else:
        yield from embedded(inner, depth + 1)


def _are_groups(value: object) -> bool:
    return (
        isinstance(value, tree.Sequence)
        and bool(value)
        and all(isinstance(one, Mapping) and "rules" in one for one in value)
    )


def _chart_targets(monitor: Fields) -> Iterator[Job]:
    """`serviceMonitor.targets` of the chart prometheus-blackbox-exporter."""
    defaults = monitor.child("defaults")
    of_all = jobs.labels_of(defaults.child("labels"))
    for one in monitor.children("targets"):
        name, url = one.text("name"), one.text("url")
        module = one.text("module") or defaults.text("module") or "http_2xx"
        labels = {**of_all, **jobs.labels_of(one.child("labels")), "target": name}
        place = one.place("url")
        hostname = {"hostname": one.text("hostname")} if one.get("hostname") else {}
        yield Job(
            name=name,
            place=place,
            interval_s=_span(one, "interval") or _span(defaults, "interval") or _CHART_INTERVAL_S,
            timeout_s=_span(one, "scrapeTimeout")
            or _span(defaults, "scrapeTimeout")
            or _CHART_INTERVAL_S,
            path="/probe",
            params={"module": module, "target": url} | hostname,
            targets=(Address("the exporter of the chart", place, labels | {"instance": url}),),
            metric_relabel=tuple(
                rule_of(rule) for rule in one.children("additionalMetricsRelabels")
            )
            if isinstance(one.value.get("additionalMetricsRelabels"), tree.Sequence)
            else (),
        )
