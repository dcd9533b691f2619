"""What Grafana's and karma's servers send on, as docs/prometheus.md has them set up."""

import ipaddress

import pytest

from portquorum.access.rules import AccessRules
from tests.unit.portquorum.web.access.house import House

PEER = "10.0.0.7"
PLACE = "http://127.0.0.1:9480"
NAMED = AccessRules(proxies=(ipaddress.ip_network(PEER),))
GRAFANA = {"X-Forwarded-For": "192.0.2.9", "User-Agent": "Grafana/11.0.0"}
"""Grafana's proxy of data sources takes Origin, Referer and cookies away."""
KARMA = {
    "X-Forwarded-For": "192.0.2.9",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "cors",
    "Cookie": "theme=dark",
    "Origin": PLACE,
    "Referer": f"{PLACE}/",
}
"""karma's passes on what its page sent; `headers` of its configuration set the last two."""
SILENCE = {
    "matchers": [{"name": "team", "value": "db", "isRegex": False}],
    "startsAt": "2026-11-30T20:00:00Z",
    "endsAt": "2026-11-30T21:00:00Z",
    "createdBy": "ann",
    "comment": "disk",
}


@pytest.mark.parametrize("sent", [GRAFANA, KARMA], ids=["grafana", "karma"])
async def test_they_are_let_in_with_a_token_if_they_are_named(sent: dict[str, str]) -> None:
    house = House(rules=NAMED, listen="0.0.0.0")
    await house.user("root", "admin")
    token = await house.token("operator")
    headers = {**sent, "Authorization": f"Bearer {token.whole}"}
    async with house.program(PEER, **headers) as client:
        assert (await client.get("/api/v2/alerts")).status_code == 200
        # No acts are behind this app: it was let through to them.
        made = await client.post("/api/v2/silences", json=SILENCE)
        assert made.status_code == 503, made.text
        assert isinstance(made.json(), str)


@pytest.mark.parametrize(
    ("rules", "changed"),
    [(AccessRules(), {}), (NAMED, {"Origin": "http://karma.example.com"})],
    ids=["not named", "another origin"],
)
async def test_others_hear_why_not(rules: AccessRules, changed: dict[str, str]) -> None:
    house = House(rules=rules, listen="0.0.0.0")
    await house.user("root", "admin")
    token = await house.token("operator")
    headers = {**KARMA, **changed, "Authorization": f"Bearer {token.whole}"}
    async with house.program(PEER, **headers) as client:
        answer = await client.get("/api/v2/alerts")
    assert answer.status_code == 403
    assert isinstance(answer.json(), str)
