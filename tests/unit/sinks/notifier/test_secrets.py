"""Secrets go into the URL and come out nowhere."""

import pytest

from sinks.notifier.secrets import MissingSecretError, fill_in, scrub

ENV = {"A": "AAAAAA", "PASS": "p/w@rd#1", "EMPTY": "", "ALL": "slack://x/y/z"}


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("json://host/path", "json://host/path"),
        ("slack://${A}/${A}", "slack://AAAAAA/AAAAAA"),
        ("mailto://me:${PASS}@example.com", "mailto://me:p%2Fw%40rd%231@example.com"),
        ("json://host/?token=${PASS}", "json://host/?token=p%2Fw%40rd%231"),
        ("${ALL}", "slack://x/y/z"),
        ("tgram://${PASS}/chat", "tgram://p/w@rd#1/chat"),
    ],
)
def test_a_secret_is_filled_in(url: str, full: str) -> None:
    assert fill_in(url, ENV) == full


@pytest.mark.parametrize("name", ["MISSING", "EMPTY"])
def test_a_missing_secret_is_named(name: str) -> None:
    with pytest.raises(MissingSecretError, match=f"variable {name} is not set"):
        fill_in(f"json://x/${{{name}}}", ENV)


def test_no_part_of_the_url_is_left_in_a_text() -> None:
    url = fill_in("json://me:${PASS}@example.com/${A}?k=t0psecret", ENV)
    said = f"failed: {url}; host example.com with p/w@rd#1 and AAAAAA and t0psecret"
    left = scrub(said, url)
    for secret in ("p/w@rd", "AAAAAA", "t0psecret", "example.com", "p%2Fw"):
        assert secret not in left
    assert left.startswith("failed: ")
