"""Hypothesis strategies for messages."""

from hypothesis import strategies as st

from schemas.control import (
    Acknowledged,
    Beat,
    Control,
    Resolved,
    TargetRemoved,
    TargetSet,
    Tick,
)
from schemas.probe import HandshakeProbe, Step, TcpProbe
from schemas.result import CheckResult
from schemas.target import LatencyLimit, Target

target_ids = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,127}", fullmatch=True)
region_names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True)
kinds = st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True)
millis = st.integers(0, 9_999_999_999_999)
ports = st.integers(1, 65535)
# Lone surrogates are no UTF-8; a prober cleans its texts before they get here.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
hosts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
latencies = st.floats(0, 86_400_000, allow_nan=False)

results = st.builds(
    CheckResult,
    target=target_ids,
    kind=kinds,
    host=st.none() | hosts,
    port=st.none() | ports,
    region=region_names,
    prober=hosts,
    scheduled_at=millis,
    started_at=millis,
    attempt=st.integers(0, 255),
    target_version=millis,
    detail=st.none() | texts,
    address=st.none() | texts,
    dns_ms=st.none() | latencies,
    connect_ms=st.none() | latencies,
    tls_ms=st.none() | latencies,
    total_ms=st.none() | latencies,
    cert_expires_at=st.none() | millis,
    http_status=st.none() | st.integers(100, 999),
    banner=st.none() | texts,
)

steps = st.builds(Step, send=st.none() | hosts, expect_regex=st.none() | hosts)
probes = st.builds(
    HandshakeProbe, tls=st.sampled_from(["none", "starttls", "implicit"]), verify=st.booleans()
) | st.builds(TcpProbe, steps=st.lists(steps, min_size=1, max_size=3).map(tuple))

targets = st.builds(
    Target,
    id=target_ids,
    name=hosts,
    kind=kinds,
    host=st.none() | hosts,
    port=st.none() | ports,
    regions=st.lists(region_names, min_size=1, max_size=4).map(tuple),
    interval_ms=st.integers(1000, 86_400_000),
    timeout_ms=st.integers(50, 3_600_000),
    version=millis,
    source=hosts,
    retries=st.integers(0, 10),
    retry_delay_ms=st.integers(0, 86_400_000),
    consensus=st.sampled_from(["quorum", "unanimous"])
    | st.floats(0, 1, exclude_min=True, allow_nan=False, allow_subnormal=False),
    open_after_ms=st.integers(0, 86_400_000),
    recover_after=st.integers(1, 100),
    abandon_after_ms=st.integers(0, 86_400_000),
    latency=st.none()
    | st.builds(
        LatencyLimit,
        max_ms=st.none() | st.floats(0.001, 86_400_000, allow_nan=False),
        for_results=st.integers(1, 1000),
        times_usual=st.none() | st.floats(1.5, 1000, allow_nan=False),
        warn_ahead_ms=st.none() | st.integers(1, 2_592_000_000),
    ),
    team=st.none() | texts,
    purpose=st.none() | texts,
    runbook=st.none() | texts,
    probe=st.none() | probes,
)

_notes = st.none() | texts
controls: st.SearchStrategy[Control] = st.one_of(
    st.builds(TargetSet, target=targets),
    st.builds(TargetRemoved, target=target_ids, version=millis),
    st.builds(Acknowledged, target=target_ids, incident_id=texts, by=texts, note=_notes),
    st.builds(Resolved, target=target_ids, incident_id=texts, by=texts, note=_notes),
    st.builds(
        Beat,
        region=region_names,
        prober=hosts,
        sequence=st.integers(0, 2**53),
        started_at=millis,
        targets=st.integers(0, 2**31 - 1),
        failing=st.integers(0, 2**31 - 1),
        newly_failing=st.integers(0, 2**31 - 1),
        lag_ms=st.floats(0, 1e12, allow_nan=False),
        spool=st.integers(0, 2**31 - 1),
        clock_offset_ms=st.none() | st.integers(-(10**13), 10**13),
    ),
    st.builds(Tick, worker=texts),
)
