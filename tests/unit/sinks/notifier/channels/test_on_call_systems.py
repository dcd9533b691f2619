from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.notifier.channels.on_call_systems import (
    SYSTEMS,
    OnCallSystem,
    addressed,
    on_call_system,
)


def system_of(scheme: str) -> OnCallSystem:
    found = on_call_system(scheme)
    assert found is not None
    return found


def test_a_url_is_given_the_key_and_the_action() -> None:
    url = addressed(system_of("ilert"), "ilert://key", "acknowledge", "i-1/2")

    assert url == "ilert://key?action=acknowledge&dedup=i-1%2F2"


def test_other_parameters_stay_and_those_of_the_same_name_are_replaced() -> None:
    written = "pagertree://int_0123456?urgency=high&TID=fixed&action=resolve&:team=ops"

    url = addressed(system_of("pagertree"), written, "trigger", "k")

    assert url == "pagertree://int_0123456?urgency=high&:team=ops&action=create&thirdparty=k"


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
@pytest.mark.parametrize("scheme", ["betterstack", "spike", "xmatters"])
def test_a_system_without_keys_is_given_openings_alone(scheme: str, action: str) -> None:
    assert addressed(system_of(scheme), f"{scheme}://x", action, "k") is None  # type: ignore[arg-type]
    assert addressed(system_of(scheme), f"{scheme}://x?a=b", "trigger", "k") == f"{scheme}://x?a=b"


def test_a_repetition_of_what_is_open_triggers() -> None:
    system = system_of("squadcast")
    again = addressed(system, "squadcast://k", "refresh", "i/1")
    assert again == addressed(system, "squadcast://k", "trigger", "i/1")


def test_text_for_people_has_no_system() -> None:
    assert on_call_system("slack") is None


@given(
    system=st.sampled_from([one for one in SYSTEMS if one.key]),
    key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    query=st.text("ab=&?%+:", max_size=12),
)
def test_any_key_arrives_as_it_is(system: OnCallSystem, key: str, query: str) -> None:
    url = addressed(system, f"{system.schemes[0]}://host/path?{query}", "trigger", key)

    assert url is not None
    last = url.rpartition("&")[2]
    name, _, value = last.partition("=")
    assert (name, unquote(value)) == (system.key, key)
