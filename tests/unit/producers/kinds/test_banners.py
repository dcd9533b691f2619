"""Random and mutated answers end every check in order: the short form of `make soak`'s."""

import random

import pytest

from producers.checks.errors import CheckFailedError
from producers.kinds.http_url import RequestUrl, next_place
from producers.kinds.registry import KINDS
from schemas.probe import HandshakeProbe
from tests.soak.prober_banners import run
from tests.soak.prober_lanes import lanes
from tests.soak.prober_speeches import mutated

# What answers ICMP is the kernel, and a domain is asked of a registry. The answers of the other two
# are made for each question's key and frames; servers that break their rules are in the tests of
# these kinds.
HEARING = KINDS.keys() - {"icmp", "domain", "websocket", "grpc"}


def test_every_kind_hears_them() -> None:
    assert {lane.kind for lane in lanes()} == HEARING
    dialogues = {name for name, kind in KINDS.items() if kind.options is HandshakeProbe}
    assert {lane.kind for lane in lanes() if lane.probe == HandshakeProbe()} == dialogues


# A recorded flight answers another client's first words: no handshake ends well.
NEVER_UP = {lane.name for lane in lanes() if lane.name.endswith("TLS") and not lane.tls} | {"tls"}


async def test_mutated_answers_end_every_check() -> None:
    outcome = await run(17, 5_000, lanes())
    assert outcome.wrong == [], outcome.report
    for name, heard in outcome.lanes.items():
        # Else what is mutated would never be read to its end.
        assert heard.outcomes.get("tls_failed" if name in NEVER_UP else "up"), (name, heard)


@pytest.mark.parametrize(
    "location", ["https://a.example:8443/x?y=z#f", "//[::1]:80/", "../up", "http://user@h:1/é"]
)
def test_a_redirect_to_anything_is_a_place_or_a_failure(location: str) -> None:
    chance = random.Random(19)  # noqa: S311
    place = RequestUrl("http", "h.example", 80, "/a/b")
    kept = 0
    for _ in range(2_000):
        text = mutated(location.encode(), chance).decode("latin-1")
        try:
            found = next_place(place, text)
        except CheckFailedError:
            continue  # whatever else is raised is a crash
        else:
            kept += 1
            assert 0 < found.port < 65_536
            assert found.target.isascii()
    assert kept
