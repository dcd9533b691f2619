"""The settings of access: what they mean, and one sentence for each that is wrong."""

from typing import Any

import pytest

from foundation.settings import Settings, SettingsError
from portquorum.access.rules import AccessRules, Grant, Tls, access_rules

OIDC = {"web_oidc_issuer": "https://sso.example.com/realms/main", "web_oidc_client_id": "pq"}


def rules(**values: Any) -> AccessRules:
    return access_rules(Settings(**values))


def test_without_settings_nobody_else_is_let_in() -> None:
    assert rules() == AccessRules()
    assert not rules().may_be_elsewhere


def test_settings_are_read() -> None:
    found = rules(
        web_proxies=" 10.0.0.7, 10.1.0.0/24,fd00::/64 ",
        web_user_header="Remote-User",
        web_groups_header="Remote-Groups",
        web_groups="admins=admin, db-oncall=operator:db+sql ,*=viewer,cn=a%2Cou=b=admin:x%2By",
        web_tls_certificate="c.pem",
        web_tls_key="k.pem",
        **OIDC,
        web_oidc_client_secret="s",  # noqa: S106
    )
    assert found.trusts("10.1.0.9")
    assert found.trusts("::ffff:10.0.0.7")
    assert not found.trusts("10.0.0.8")
    assert not found.trusts("proxy")
    assert found.grants == (
        Grant("admins", "admin"),
        Grant("db-oncall", "operator", ("db", "sql")),
        Grant("*", "viewer"),
        Grant("cn=a,ou=b", "admin", ("x+y",)),
    )
    assert found.tls == Tls("c.pem", "k.pem")
    assert found.provider is not None
    assert found.provider.scopes == "openid profile email"
    assert "'s'" not in repr(found)


@pytest.mark.parametrize(
    ("groups", "scope", "teams"),
    [
        (["db"], "operator", ("db",)),
        (["db", "sql"], "operator", ("db", "sql")),
        (["db", "all"], "operator", ()),
        (["db", "root"], "admin", ("x",)),
        (["none"], None, ()),
        ([], None, ()),
    ],
)
def test_the_widest_scope_of_the_groups_counts(
    groups: list[str], scope: str | None, teams: tuple[str, ...]
) -> None:
    found = rules(web_groups="db=operator:db,sql=operator:sql,all=operator,root=admin:x").granted(
        groups
    )
    assert (None if found is None else found.scope) == scope
    assert (() if found is None else found.teams) == teams


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"web_proxies": "proxy.example.com"}, "WEB_PROXIES: expected address"),
        ({"web_proxies": "10.0.0.1/8"}, "WEB_PROXIES: expected address"),
        ({"web_proxies": "0.0.0.0/0"}, "from which anybody may come"),
        ({"web_proxies": "::/0"}, "from which anybody may come"),
        ({"web_user_header": "Remote-User"}, "WEB_USER_HEADER: expected PORTQUORUM_WEB_PROXIES"),
        ({"web_proxies": "10.0.0.7", "web_user_header": "Cookie"}, "the name of a header"),
        ({"web_proxies": "10.0.0.7", "web_user_header": "a b"}, "the name of a header"),
        (
            {"web_proxies": "10.0.0.7", "web_groups_header": "G"},
            "WEB_GROUPS_HEADER: expected PORTQUORUM_WEB_USER_HEADER",
        ),
        ({"web_groups": "admins"}, "WEB_GROUPS: expected GROUP=SCOPE"),
        ({"web_groups": "admins=root"}, "WEB_GROUPS: expected GROUP=SCOPE"),
        ({"web_groups": "=admin"}, "WEB_GROUPS: expected GROUP=SCOPE"),
        ({"web_groups": "admins=operator:"}, "WEB_GROUPS: expected GROUP=SCOPE"),
        ({"web_groups": "admins=operator:+"}, "WEB_GROUPS: expected GROUP=SCOPE"),
        ({"web_tls_certificate": "c.pem"}, "expected PORTQUORUM_WEB_TLS_KEY"),
        ({"web_tls_key": "k.pem"}, "expected PORTQUORUM_WEB_TLS_CERTIFICATE"),
        ({"web_oidc_client_id": "pq"}, "expected PORTQUORUM_WEB_OIDC_ISSUER"),
        ({"web_oidc_client_secret": "geheim"}, "expected PORTQUORUM_WEB_OIDC_ISSUER"),
        ({"web_oidc_issuer": "https://a.example"}, "expected PORTQUORUM_WEB_OIDC_CLIENT_ID"),
        ({**OIDC, "web_oidc_issuer": "http://a.example"}, "expected https://HOST"),
        ({**OIDC, "web_oidc_issuer": "https://u:p@a.example"}, "expected https://HOST"),
        ({**OIDC, "web_oidc_issuer": "https://a.example?x"}, "expected https://HOST"),
        ({**OIDC, "web_oidc_scopes": "profile"}, "expected openid"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(values: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        rules(**values)
    text = str(wrong.value)
    assert text.startswith("PORTQUORUM_WEB_")
    assert said in text
    assert "\n" not in text
    assert "geheim" not in text


def test_a_provider_on_this_machine_may_speak_plainly() -> None:
    found = rules(web_oidc_issuer="http://127.0.0.1:3000", web_oidc_client_id="pq").provider
    assert found is not None
    assert found.client_secret is None
