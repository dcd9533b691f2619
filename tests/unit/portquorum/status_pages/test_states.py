from typing import Any

import pytest

from portquorum.status_pages.states import component_state, page_state


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["up", "up"], "operational"),
        (["down"], "major_outage"),
        (["down", "down"], "major_outage"),
        (["down", "up"], "partial_outage"),
        (["down", "maintenance"], "partial_outage"),
        (["down", None], "major_outage"),
        (["degraded", "unknown"], "degraded"),
        (["unknown", "up"], "unknown"),
        (["maintenance", "up"], "maintenance"),
        (["up", None], "operational"),
        ([None], "unknown"),
        ([], "unknown"),
    ],
)
def test_a_component_is_as_the_worst_of_its_targets(targets: Any, expected: str) -> None:
    assert component_state(targets) == expected


@pytest.mark.parametrize(
    ("components", "posts", "expected"),
    [
        (["operational"], [], "operational"),
        ([], [], "operational"),
        (["major_outage", "operational"], [], "partial_outage"),
        (["major_outage", "maintenance"], [], "major_outage"),
        (["major_outage"], [], "major_outage"),
        (["operational"], ["major_outage"], "major_outage"),
        (["degraded", "maintenance"], [], "degraded"),
        (["operational"], ["maintenance"], "maintenance"),
    ],
)
def test_a_page_is_as_its_components_and_posts(components: Any, posts: Any, expected: str) -> None:
    assert page_state(components, posts) == expected
