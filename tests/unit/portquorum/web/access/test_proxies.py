"""Where a request comes from: proxies that are trusted, headers that are forged, TLS, hosts."""

import ipaddress
from typing import Any

import pytest

from portquorum.access.rules import AccessRules, Grant, Tls
from portquorum.web.access.asker import client_address
from tests.unit.portquorum.web.access.house import House, csrf_of, sign_in

PROXY = "10.0.0.7"
NAME = "monitor.example.com"
RULES = AccessRules(
    proxies=(ipaddress.ip_network(PROXY), ipaddress.ip_network("10.1.0.0/24")),
    user_header="remote-user",
    groups_header="remote-groups",
    grants=(Grant("admins", "admin"), Grant("db", "operator", ("db",)), Grant("*", "viewer")),
)
BEHIND = {
    "Host": NAME,
    "X-Forwarded-For": "192.0.2.9",
    "X-Forwarded-Proto": "https",
}


def behind(**options: Any) -> House:
    return House(rules=RULES, names=(NAME,), listen="0.0.0.0", **options)


def scope_of(house: House, peer: str, scheme: str = "http", **headers: str) -> Any:
    sent = [
        (name.lower().replace("_", "-").encode(), value.encode()) for name, value in headers.items()
    ]
    return house.made.app._door.visit(  # type: ignore[attr-defined]
        {
            "type": "http",
            "method": "GET",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "scheme": scheme,
            "client": (peer, 4711),
            "headers": sent,
        }
    )


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("", PROXY),
        ("192.0.2.9", "192.0.2.9"),
        ("1.1.1.1, 192.0.2.9", "192.0.2.9"),  # what stands left anybody may write
        ("192.0.2.9, 10.1.0.3", "192.0.2.9"),
        ("192.0.2.9, 10.1.0.3, 10.0.0.7", "192.0.2.9"),
        ("127.0.0.1, 192.0.2.9", "192.0.2.9"),
        ("10.1.0.3", "10.1.0.3"),
        ("192.0.2.9:4711", "192.0.2.9"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("192.0.2.9, unknown", PROXY),
        ("192.0.2.9, ", PROXY),
        ("192.0.2.9, _hidden, 10.1.0.3", "10.1.0.3"),
        ("', drop table users", PROXY),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_no_proxy(forwarded: str, address: str) -> None:
    assert client_address(PROXY, forwarded, RULES) == address


def test_a_trusted_proxy_says_who_and_how() -> None:
    found = scope_of(behind(), PROXY, **BEHIND)
    assert (found.asker.address, found.asker.scheme, found.asker.host) == (
        "192.0.2.9",
        "https",
        NAME,
    )
    assert found.principal is None
    assert not found.asker.is_local


@pytest.mark.parametrize(
    ("groups", "scope", "teams"),
    [
        ("admins", "admin", ()),
        ("db, others", "operator", ("db",)),
        ("db,admins", "admin", ()),
        ("others", "viewer", ()),
        ("", "viewer", ()),
        ("Admins", "viewer", ()),
    ],
)
def test_groups_of_a_trusted_proxy_are_scopes(
    groups: str, scope: str, teams: tuple[str, ...]
) -> None:
    found = scope_of(behind(), PROXY, **BEHIND, Remote_User="ann@example.com", Remote_Groups=groups)
    assert found.principal is not None
    assert (found.principal.name, found.principal.via) == ("ann@example.com", "proxy")
    assert (found.principal.scope, found.principal.teams) == (scope, teams)


@pytest.mark.parametrize("peer", ["127.0.0.1", "192.0.2.66", "10.0.0.8", "::1"])
async def test_nobody_else_says_who_one_is(peer: str) -> None:
    house = behind()
    await house.user("root", "admin")
    async with house.program(peer, **{"Remote-User": "root", "Remote-Groups": "admins"}) as client:
        answer = await client.get("/api/v1/targets")
        assert answer.status_code in {401, 403}
        forwarded = await client.get("/api/v1/targets", headers={"X-Forwarded-For": PROXY})
        assert forwarded.status_code == 403


async def test_a_header_that_comes_twice_is_refused() -> None:
    async with behind().made.client(PROXY) as client:
        for name in ("Remote-User", "Remote-Groups"):
            sent = [*BEHIND.items(), ("Remote-User", "ann"), (name, "root"), (name, "ann")]
            answer = await client.get("/api/v1/targets", headers=sent)
            assert answer.status_code == 403
            assert "header of the proxy" in answer.text


async def test_a_proxy_on_this_machine_that_forgets_its_headers_opens_nothing() -> None:
    house = House(rules=AccessRules(proxies=(ipaddress.ip_network("127.0.0.1"),)))
    async with house.program() as client:
        assert (await client.get("/api/v1/targets")).status_code == 401
    async with house.program("::1") as client:  # no proxy of ours
        assert (await client.get("/api/v1/targets")).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:443", ""])
async def test_rebinding_is_held_behind_a_proxy_too(host: str) -> None:
    house = behind()
    async with house.program(PROXY, **BEHIND, **{"Remote-User": "ann"}) as client:
        assert (await client.get("/api/v1/targets")).status_code == 200
        for name in ("Host", "X-Forwarded-Host"):
            if host or name == "Host":
                answer = await client.get("/api/v1/targets", headers={name: host})
                assert answer.status_code == 403, name


async def test_forms_behind_a_proxy_need_their_token_and_origin() -> None:
    house = behind()
    sent = {**BEHIND, "Remote-User": "ann", "Remote-Groups": "admins"}
    async with house.client(PROXY, **sent, Origin=f"https://{NAME}") as client:
        assert (await client.get("/")).status_code == 200
        client.cookies.set(
            "__Host-portquorum_form", client.cookies["__Host-portquorum_form"], domain=NAME
        )
        assert (await client.post("/logout")).status_code == 403
        wrong = {"Origin": f"http://{NAME}"}
        assert (await client.post("/logout", headers=wrong)).status_code == 403


async def test_a_session_behind_tls_is_of_this_host_alone() -> None:
    house = behind()
    await house.user("vera")
    async with house.made.client(PROXY) as client:
        client.base_url = f"https://{NAME}"  # type: ignore[assignment]
        client.headers.update({**BEHIND, "Sec-Fetch-Site": "same-origin"})
        answer = await sign_in(client, "vera")
        assert answer.status_code == 303, answer.text
        written = answer.headers["set-cookie"].lower()
        assert written.startswith("__host-portquorum_session=")
        assert "secure" in written
        assert (await client.get("/targets")).status_code == 200
        plain = {"X-Forwarded-Proto": "http"}
        assert (await client.get("/targets", headers=plain)).status_code == 303
        out = await client.post("/logout", data={"csrf": csrf_of(client)})
        assert out.status_code == 303


def test_without_tls_no_other_machine_is_spoken_to() -> None:
    assert "without TLS" in str(scope_of(behind(), "192.0.2.1", host=NAME))
    assert "use ssh -L" in str(scope_of(House(), "192.0.2.1", host="127.0.0.1"))


async def test_with_tls_other_machines_see_the_sign_in_alone() -> None:
    house = House(rules=AccessRules(tls=Tls("a", "b")), names=(NAME,), listen="0.0.0.0")
    found = scope_of(house, "192.0.2.1", "https", host=NAME)
    assert found.principal is None  # there are no users, and it is not this machine
    assert found.status == 401
    here = scope_of(house, "127.0.0.1", "https", host="localhost")
    assert here.principal.via == "local"
    assert isinstance(scope_of(house, "192.0.2.1", "https", host="evil.example"), str)


@pytest.mark.parametrize("proto", ["ftp", "javascript", "https\u00e9"])
def test_another_scheme_is_refused(proto: str) -> None:
    found = scope_of(behind(), PROXY, **{**BEHIND, "X-Forwarded-Proto": proto})
    assert "X-Forwarded-Proto" in str(found)
