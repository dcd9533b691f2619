"""Every feature of the survey is said by a target that `inventory check` takes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from portquorum.inventory import check
from producers.kinds.registry import KINDS
from tests.wide.survey.__main__ import FORMATS, judge
from tests.wide.survey.entry import Entry
from tests.wide.survey.features import FEATURES

PAGE = (Path(__file__).parents[3] / "docs" / "verification.md").read_text()


# A kind that this version does not have yet is no fault of the table.
SAID = [
    name
    for name, said in FEATURES.items()
    if said.target is not None and said.target.get("kind", "tcp") in KINDS
]


@pytest.mark.parametrize("feature", SAID)
def test_the_feature_is_said(feature: str, tmp_path: Path) -> None:
    target = {"name": feature, "host": "www.example.com", **(FEATURES[feature].target or {})}
    file = tmp_path / "inventory.yaml"
    file.write_text(json.dumps({"regions": {"here": {}}, "targets": [target]}))
    assert len(check([file]).targets) == 1


def _rows() -> Iterator[tuple[str, int]]:
    section = PAGE.partition("<!-- the survey: ")[2].partition("<!-- end of")[0]
    for line in section.splitlines():
        if line.startswith("| ") and not line.startswith("| asks for"):
            feature, count, *_ = (cell.strip() for cell in line.strip("|").split(" | "))
            yield feature, int(count.replace(",", ""))


def test_the_page_tells_features_that_are_said_and_nothing_else() -> None:
    told = dict(_rows())
    assert set(told) <= set(FEATURES)
    assert len(told) > 30


_GATUS = """
endpoints:
  - name: app
    url: "https://${DOMAIN}/health?full=1"
    headers: {Authorization: "Bearer ${TOKEN}"}
    client: {insecure: true, proxy-url: "http://proxy:8888"}
    conditions: ["[STATUS] < 300", "[BODY].items[0].size >= 3", "len([BODY].items) == 2",
      "[BODY].state != down", "[RESPONSE_TIME] < 500", "[CERTIFICATE_EXPIRATION] > 240h"]
  - {name: name, url: 192.0.2.53, dns: {query-name: www.example.com, query-type: A},
     conditions: ["[BODY] == 192.0.2.7", "[DNS_RCODE] == NOERROR"]}
"""


def test_an_endpoint_of_gatus_is_a_target(tmp_path: Path) -> None:
    app, name = FORMATS["gatus"](_GATUS, "a")
    entries: list[Entry] = [app, name]
    judge(entries, tmp_path)
    assert [entry.missing for entry in entries] == [None, None]
    (target,) = app.targets
    assert (target["host"], target["max_ms"]) == ("domain", 500)
    probe = target["probe"]
    assert probe["status"] == ["100-299"]
    assert probe["headers"] == {"Authorization": "Bearer ${PORTQUORUM_SECRET_TOKEN}"}
    assert probe["conditions"] == [
        {"json": "$.items[0].size", "at_least": 3.0},
        {"json": "$.items", "length": True, "equals": 2},
        {"json": "$.state", "equals": "down", "not": True},
    ]
    assert name.targets[0]["probe"]["expect"] == ["192.0.2.7"]


def test_what_no_network_check_can_be_is_counted_apart() -> None:
    text = "define service {\n  host_name a\n  check_command check_nrpe!check_disk!\n}\n"
    (entry,) = FORMATS["nagios"](text, "a")
    assert (entry.networked, entry.targets) == (False, [])
