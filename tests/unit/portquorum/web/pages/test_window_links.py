import pytest

from portquorum.web.history.windows import HOUR_MS, between, named
from portquorum.web.pages.address import Address
from portquorum.web.pages.window_links import window_links, window_of

NOW = 1_792_289_021_000


def test_by_name_or_by_its_ends() -> None:
    assert window_of(Address("/", (("window", "7d"),)), NOW) == named("7d", NOW)
    since, until = NOW - 3 * HOUR_MS, NOW - HOUR_MS
    asked = Address("/", (("since", f"{since}"), ("until", f"{until}")))
    assert window_of(asked, NOW) == between(since, until)


@pytest.mark.parametrize(
    "pairs",
    [
        (("window", "../x"),),
        (("since", "1"), ("until", "2")),
        (("since", f"{NOW}"), ("until", f"{NOW - 1}")),
        (("since", "9" * 40), ("until", "-1")),
        (("since", "0"), ("until", f"{NOW}")),
        (("since", "²"), ("until", f"{NOW}")),
    ],
)
def test_what_makes_no_sense_is_the_usual_one(pairs: tuple[tuple[str, str], ...]) -> None:
    found = window_of(Address("/", pairs), NOW)
    assert found.until - found.since <= 24 * HOUR_MS


def test_one_can_go_wherever_there_is_something() -> None:
    words = [one for one, _, _ in window_links(named("24h", NOW), Address("/targets/a"), NOW)]
    assert words == ["1h", "6h", "24h", "7d", "30d", "90d", "earlier", "wider", "closer"]
    past = between(NOW - 30 * HOUR_MS, NOW - 20 * HOUR_MS)
    found = {
        one: there
        for one, there, _ in window_links(past, Address("/targets/a", (("table", "days"),)), NOW)
    }
    assert "later" in found
    assert [is_here for _, _, is_here in window_links(past, Address("/a"), NOW)].count(True) == 0
    closer = dict(pair.split("=") for pair in found["closer"].partition("?")[2].split("&"))
    assert past.until <= int(closer["until"]) <= past.until + past.step_ms
    assert int(closer["since"]) > past.since
    assert closer["table"] == "days"
