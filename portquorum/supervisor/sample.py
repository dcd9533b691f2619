"""The inventory with which `up` starts if there is none."""

from typing import Final

from portquorum.embedded.service.addresses import parse

_TEXT: Final = """\
# What portquorum watches on this machine. `portquorum up` follows this file: save it, and the
# change is applied. Quick way: portquorum target add HOST:PORT
regions:
  local: {{internal: true}} # this machine; internal: it may reach private addresses

# Who is told. console:// is the log of the notifier, which `portquorum up` shows; replace it by
# a channel of yours (https://appriseit.com/services/), secrets as ${{NAME_OF_A_VARIABLE}}.
routes:
  here: {{urls: ["console://"]}}
teams:
  us: {{routes: [here]}}

defaults: {{interval: 10s, timeout: 3s, team: us}}

targets:
  - name: Kafka of portquorum
    host: "{kafka.host}"
    port: {kafka.port}
  - name: ClickHouse of portquorum
    host: "{clickhouse.host}"
    port: {clickhouse.port}
"""


def sample_inventory(kafka: str, clickhouse: str) -> str:
    """The sample as YAML: it watches the two services (`HOST:PORT` each) from region `local`."""
    return _TEXT.format(kafka=parse(kafka), clickhouse=parse(clickhouse))
