"""The inventory of the demo: its targets and regions."""

from typing import Final

from portquorum.embedded.service.addresses import ListenAddress

SERVICE_ID: Final = "demo-service"
SOURCES: Final = {
    "amsterdam": "127.0.0.11",
    "new-york": "127.0.0.12",
    "singapore": "127.0.0.13",
}
"""Three regions on one machine: each checks from its own source address."""

_TEXT: Final = """\
regions:
{regions}
routes:
  receiver: {{urls: ["{channel}"]}}
teams:
  shop: {{routes: [receiver]}}

defaults: {{timeout: 1s, retries: 1, retry_delay: 1s, team: shop}}

targets:
  - name: Demo service
    id: {service_id}
    host: 127.0.0.1
    port: {service_port}
    interval: 5s
    criticality: critical
    purpose: the small TCP service of this demo
  - {{name: Kafka, host: "{kafka.host}", port: {kafka.port}, interval: 10s}}
  - {{name: ClickHouse, host: "{clickhouse.host}", port: {clickhouse.port}, interval: 10s}}
"""


def demo_inventory(
    *, service_port: int, kafka: ListenAddress, clickhouse: ListenAddress, channel: str
) -> str:
    """The inventory as YAML; `channel` is an Apprise URL."""
    regions = "".join(
        f"  {name}: {{internal: true, source: {source}}}\n" for name, source in SOURCES.items()
    )
    return _TEXT.format(
        regions=regions,
        channel=channel,
        service_id=SERVICE_ID,
        service_port=service_port,
        kafka=kafka,
        clickhouse=clickhouse,
    )
