"""Alertmanager's API v2 over what is open here, for amtool, Grafana and karma (docs/prometheus.md).

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""
