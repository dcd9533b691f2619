"""`portquorum status-page` beside a real broker."""

from pathlib import Path

import msgspec
import pytest
from click.testing import Result
from typer.testing import CliRunner

from foundation.settings import Settings
from portquorum.cli.app import app
from portquorum.cli.errors import WrongUseError

INVENTORY = """\
regions:
  eu: {}
targets:
  - {id: web-1, host: 192.0.2.1, port: 443}
"""
FILE = """\
status_pages:
  shop:
    title: The shop
    groups:
      - name: Buying
        components:
          - {name: Checkout, id: checkout, targets: [web-1]}
"""


def test_pages_are_applied_from_a_file_and_exported_as_they_were(
    kafka: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    settings = Settings(kafka=kafka, topic_prefix=request.node.name[:80], partitions=1)
    env = {
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_TOPIC_PREFIX": settings.topic_prefix,
        "PORTQUORUM_PARTITIONS": "1",
        "PORTQUORUM_DATA_DIR": str(tmp_path),
    }

    def said(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(app, arguments, env=env, input=given)

    inventory, pages = tmp_path / "inventory.yaml", str(tmp_path / "pages.yaml")
    inventory.write_text(INVENTORY)
    Path(pages).write_text(FILE)
    wrong = said("status-page", "apply", pages)
    assert isinstance(wrong.exception, WrongUseError)
    assert "shop: groups[0].components[0].targets: there is no target 'web-1'" in str(
        wrong.exception
    )
    assert said("inventory", "apply", str(inventory)).exit_code == 0
    assert said("status-page", "apply", pages).stdout == "added shop\n"
    listed = said("status-page", "list", "--json")
    [page] = msgspec.json.decode(listed.stdout)["pages"]
    assert (page["slug"], page["version"]) == ("shop", 1)
    exported = said("status-page", "export").stdout
    assert exported == FILE
    again = said("status-page", "apply", "-", "--dry-run", given=exported)
    assert again.stdout == "same shop\n"
