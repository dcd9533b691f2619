"""Domains of status pages, as the setting says them."""

import pytest

from foundation.settings import Settings, SettingsError
from portquorum.web.public.domains import page_domains


def test_domains_are_read() -> None:
    found = page_domains(Settings(status_domains=" Status.Example.org = shop, s.example.com=b2b ,"))
    assert found == {"status.example.org": "shop", "s.example.com": "b2b"}
    assert page_domains(Settings()) == {}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("status.example.org", "expected DOMAIN=SLUG"),
        ("https://status.example.org=shop", "expected DOMAIN=SLUG"),
        ("status.example.org:443=shop", "expected DOMAIN=SLUG"),
        ("192.0.2.1=shop", "expected DOMAIN=SLUG"),
        ("localhost=shop", "expected DOMAIN=SLUG"),
        ("status.example.org=The Shop", "expected DOMAIN=SLUG"),
        ("a.example.org=x,A.example.org=y", "a.example.org twice"),
        ("monitor.example.org=shop", "expected a name of its own"),
    ],
)
def test_what_is_no_domain_is_said(written: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        page_domains(Settings(status_domains=written, http_hosts="monitor.example.org"))
