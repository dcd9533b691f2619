"""Jobs of Prometheus, and what each of their targets asks of an exporter after relabelling.

Source: scrape/target.go and config/config.go of prometheus/prometheus, version 3.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from portquorum.importing import durations
from portquorum.importing.model import Ignored, Place
from portquorum.importing.prometheus.relabel import Labels, Rule, relabelled, rule_of
from portquorum.importing.source_yaml import Fields, WrongValueError

INTERVAL_S: Final = 60.0
TIMEOUT_S: Final = 10.0
_PROBE_PATH: Final = "/probe"
_PARAM: Final = "__param_"
_OTHER_EXPORTER: Final = re.compile(r"(?<![a-z])(?!blackbox|black-box|bbe)[a-z]+[-_]exporter")
_MANNERS: Final = "it is how Prometheus asks the exporter, or what it keeps of the answer"
_PARAMETERS: Final = frozenset({"target", "module", "hostname"})
_NO_PARAMETER: Final = "what is checked, and how, is said by target, module and hostname alone"
_MANNER_FIELDS: Final = (
    *("scheme", "honor_labels", "honor_timestamps", "track_timestamps_staleness", "basic_auth"),
    *("authorization", "oauth2", "tls_config", "proxy_url", "no_proxy", "follow_redirects"),
    *("enable_http2", "enable_compression", "scrape_protocols", "fallback_scrape_protocol"),
    *("sample_limit", "label_limit", "label_name_length_limit", "label_value_length_limit"),
    *("target_limit", "body_size_limit", "keep_dropped_targets", "bearer_token"),
    *("bearer_token_file", "proxy_from_environment", "scrape_failure_log_file"),
)


class Timing(Struct, frozen=True):
    """`global:` of Prometheus, in seconds. `assumed`: nobody wrote it; where it is from."""

    interval_s: float = INTERVAL_S
    timeout_s: float = TIMEOUT_S
    assumed: str = ""


class Address(Struct, frozen=True):
    """A target as it is written, with its labels."""

    text: str
    place: Place
    labels: Mapping[str, str] = {}


class Job(Struct, frozen=True, kw_only=True):
    """One of `scrape_configs`. `found_by`: discoveries that only Prometheus can do."""

    name: str
    place: Place
    interval_s: float | None = None
    timeout_s: float | None = None
    path: str = "/metrics"
    params: Mapping[str, str] = {}
    targets: tuple[Address, ...] = ()
    files: tuple[str, ...] = ()
    """Patterns of `file_sd_configs`, as they are written."""

    found_by: tuple[str, ...] = ()
    relabel: tuple[Rule, ...] = ()
    metric_relabel: tuple[Rule, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    defaults: Timing | None = None
    """Those of its own kind of file, in place of `global:`."""


class Scrape(Struct, frozen=True, kw_only=True):
    """What Prometheus asks of an exporter for one target. Labels are those of the series."""

    place: Place
    address: str
    exporter: str
    path: str
    module: str
    target: str
    hostname: str
    interval_s: float
    timeout_s: float
    labels: Mapping[str, str]
    metric_relabel: tuple[Rule, ...] = ()
    assumed: str = ""

    def series(self, metric: str) -> Labels | None:
        """The labels that this metric has in the end; None if it is not kept."""
        try:
            return relabelled({**self.labels, "__name__": metric}, self.metric_relabel)
        except ValueError:  # a label that nobody could read
            return None


class NoProbe(Struct, frozen=True):
    """A target that is none of the blackbox exporter, and why."""

    address: Address
    why: str


def job_of(written: Fields) -> Job:
    """A job as it is written.

    Raises:
        ValueError: it is none.
    """
    name = written.text("job_name")
    params = written.child("params")
    for field in _MANNER_FIELDS:
        written.skip(field, _MANNERS)
    found_by = tuple(
        str(key)
        for key in written.value
        if str(key).endswith("_sd_configs") and key != "file_sd_configs" and written.get(str(key))
    )
    files = [str(one) for sd in written.children("file_sd_configs") for one in sd.listed("files")]
    others = tuple(
        Ignored(params.place(str(name)), f"params.{name}", _NO_PARAMETER)
        for name in params.value
        if str(name) not in _PARAMETERS
    )
    return Job(
        name=name,
        place=written.place("job_name"),
        interval_s=_span(written, "scrape_interval"),
        timeout_s=_span(written, "scrape_timeout"),
        path=written.text("metrics_path") or "/metrics",
        params=params_of(params),
        targets=tuple(addresses(written.children("static_configs"))),
        files=tuple(files),
        found_by=found_by,
        relabel=rules_of(written, "relabel_configs"),
        metric_relabel=rules_of(written, "metric_relabel_configs"),
        ignored=(*written.unused(), *others),
    )


def params_of(params: Fields) -> dict[str, str]:
    """The first value of each parameter, as Prometheus makes labels of them."""
    return {str(key): str(values[0]) for key in params.value if (values := params.listed(key))}


def rules_of(written: Fields, name: str) -> tuple[Rule, ...]:
    """The rules of relabelling under a key.

    Raises:
        ValueError: one of them is none.
    """
    return tuple(rule_of(one) for one in written.children(name))


def addresses(groups: Iterable[Fields]) -> Iterator[Address]:
    """The targets of `static_configs`, or of a file of `file_sd_configs`."""
    for group in groups:
        labels = labels_of(group.child("labels"))
        targets = group.listed("targets")
        lines = getattr(group.value.get("targets"), "lines", None)
        for position, target in enumerate(targets):
            place = group.place("targets")
            if lines and position < len(lines):
                place = Place(group.file, lines[position])
            yield Address(str(target), place, labels)


def labels_of(written: Fields) -> Labels:
    """Labels with their values as texts."""
    return {str(name): written.text(str(name)) for name in written.value}


def _span(written: Fields, name: str) -> float | None:
    return None if written.get(name) is None else durations.seconds(written.text(name))


def timing_of(written: Fields) -> Timing:
    """`global:` as it is written.

    Raises:
        ValueError: one of its durations is none.
    """
    interval = _span(written, "scrape_interval") or INTERVAL_S
    timeout = _span(written, "scrape_timeout") or min(TIMEOUT_S, interval)
    return Timing(interval, timeout)


def scrapes(job: Job, timing: Timing) -> Iterator[Scrape | NoProbe]:
    """What the job asks for each of its targets that are known, in their order."""
    for address in job.targets:
        yield _scrape(job, address, timing)


def asks_an_exporter(job: Job) -> bool:
    """Whether each target that is found is put into a question to one exporter."""
    to = {rule.target_label for rule in job.relabel}
    constant = any(
        rule.target_label == "__address__" and "$" not in rule.replacement for rule in job.relabel
    )
    return f"{_PARAM}target" in to and constant and job.path.endswith(_PROBE_PATH)


def _scrape(job: Job, address: Address, timing: Timing) -> Scrape | NoProbe:
    defaults = job.defaults or timing
    interval_s = job.interval_s or defaults.interval_s
    timeout_s = job.timeout_s or min(defaults.timeout_s, interval_s)
    labels: Labels = {"__address__": address.text, **address.labels}
    own = {
        "job": job.name,
        "__scrape_interval__": f"{interval_s}s",
        "__scrape_timeout__": f"{timeout_s}s",
        "__metrics_path__": job.path,
        "__scheme__": "http",
    } | {f"{_PARAM}{name}": value for name, value in job.params.items()}
    labels |= {name: value for name, value in own.items() if not labels.get(name)}
    try:
        after = relabelled(labels, job.relabel)
    except ValueError as error:
        return NoProbe(address, str(error))
    if after is None:
        return NoProbe(address, "relabelling drops it there, too")
    target, exporter = after.get(f"{_PARAM}target", ""), after.get("__address__", "")
    path = after.get("__metrics_path__", "")
    why = _no_probe(address.text, target, exporter, path)
    if why:
        return NoProbe(address, why)
    public = {name: value for name, value in after.items() if not name.startswith("__")}
    public.setdefault("instance", exporter)
    try:
        interval_s = durations.seconds(after.get("__scrape_interval__", ""))
        timeout_s = durations.seconds(after.get("__scrape_timeout__", ""))
    except ValueError as error:
        return NoProbe(address, f"relabelling sets an interval that is none: {error}")
    return Scrape(
        place=address.place,
        address=address.text,
        exporter=exporter,
        path=path,
        module=after.get(f"{_PARAM}module", ""),
        target=target,
        hostname=after.get(f"{_PARAM}hostname", ""),
        interval_s=interval_s,
        timeout_s=timeout_s,
        labels=public,
        metric_relabel=job.metric_relabel,
        assumed="" if job.interval_s else defaults.assumed,
    )


def _no_probe(address: str, target: str, exporter: str, path: str) -> str:
    """Why a target is none of the blackbox exporter; empty if it may be one."""
    if not target:
        return f"Prometheus reads the metrics of {address} itself, and asks no blackbox exporter"
    if not path.rstrip("/").endswith(_PROBE_PATH):
        return f"it asks the exporter {exporter} for {path}, and the blackbox exporter has /probe"
    if target == address == exporter:
        return (
            f"relabelling does not put the exporter into __address__, so that {address} itself is "
            f"asked for {path}"
        )
    return ""


def is_of_another_exporter(scrape: Scrape) -> bool:
    """Whether the name of the exporter says that it is not the blackbox exporter."""
    return _OTHER_EXPORTER.search(scrape.exporter.lower()) is not None


def wrong_job(written: Fields, error: ValueError) -> Ignored:
    """A job that could not be read, as what is said of it."""
    place = error.place if isinstance(error, WrongValueError) else written.place()
    return Ignored(place, f"job {written.value.get('job_name', '')!s:.60}", str(error))
