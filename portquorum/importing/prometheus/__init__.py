"""From the blackbox exporter and Prometheus: modules, jobs, alert rules, Probes of the operator."""

from portquorum.importing.prometheus.wing import read_blackbox, read_prometheus

__all__ = ["read_blackbox", "read_prometheus"]
