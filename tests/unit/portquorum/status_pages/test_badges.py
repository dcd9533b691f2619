import json
from typing import Any, Final
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from portquorum.status_pages import badges
from portquorum.status_pages.badges import Badge, of_component, of_page, shields, svg
from portquorum.status_pages.build import History
from portquorum.status_pages.model import Day, Past
from tests.unit.portquorum.status_pages.pages import MINUTE, NOW, page
from tests.unit.portquorum.web.public.public_pages import built

# https://shields.io/badges/endpoint-badge
SHIELDS: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["schemaVersion", "label", "message"],
    "additionalProperties": False,
    "properties": {
        "schemaVersion": {"const": 1},
        "label": {"type": "string"},
        "message": {"type": "string", "minLength": 1},
        "color": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
        "cacheSeconds": {"type": "integer", "minimum": 300},
    },
}
PAST: Final = Past(
    days=(Day(86_400, 0), Day(86_400, 864)),
    measured_24h_s=86_400,
    down_24h_s=864,
    response_ms=(1.0, 20.4, None, 1500.0),
)


@given(label=st.text(max_size=80), value=st.text(max_size=80))
def test_any_text_makes_a_picture_that_holds_it(label: str, value: str) -> None:
    badge = Badge(label, value, "#1f6b52")

    drawn = ET.fromstring(svg(badge).decode())  # noqa: S314 - our own
    jsonschema.validate(json.loads(shields(badge)), SHIELDS)

    texts = drawn.findall(".//{*}text")
    assert len(texts) == 2
    assert sum(int(one.attrib["textLength"]) + 12 for one in texts) == int(drawn.attrib["width"])
    assert drawn.attrib["role"] == "img"
    assert drawn.attrib["aria-label"] == f"{texts[0].text}: {texts[1].text}"


def test_wide_letters_have_more_room() -> None:
    assert badges.width_of("iii") < badges.width_of("nnn") < badges.width_of("WWW")


def test_a_component_has_the_badges_that_its_page_shows() -> None:
    shown = page(show_response_times=True)
    one = built(shown, history=History(NOW, {"web": PAST}))
    part = one.component("web")
    assert part is not None

    said = {
        (what, span): badge.value
        for what in ("status", "uptime", "response")
        for span in badges.SPAN_NAMES
        if (badge := of_component(one, part, what, span, NOW)) is not None  # type: ignore[arg-type]
    }

    assert said["status", "7d"] == "operational"
    assert said["uptime", "24h"] == "99%"
    assert said["uptime", "90d"] == "99.5%"
    assert said["response", "7d"] == "20\u00a0ms"
    assert said["response", "30d"] == "no data"
    hidden = replace(one, show_uptime=False, show_response_times=False)
    assert of_component(hidden, part, "uptime", "7d", NOW) is None
    assert of_component(hidden, part, "response", "7d", NOW) is None


@pytest.mark.parametrize(("age", "value"), [(MINUTE, "operational"), (6 * MINUTE, "no data")])
def test_an_old_page_has_no_badge_that_says_it_is_fine(age: int, value: str) -> None:
    one = built()

    assert of_page(one, NOW + age).value == value
    assert of_component(one, one.components()[0], "status", "7d", NOW + age).value == value  # type: ignore[union-attr]
