"""Tokens of links: what was signed comes back, and nothing else does."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sinks.notifier.links.token import (
    LONGEST,
    LinkClaim,
    LinkError,
    LinkExpiredError,
    signed,
    verified,
)

KEY = "k" * 32
NOW = 1_780_000_000_000

claims = st.builds(
    LinkClaim,
    action=st.sampled_from(["ack", "silence"]),
    incident_id=st.text(st.characters(exclude_categories=["Cs"]), max_size=36),
    episode=st.integers(0, 2**31 - 1),
    expires_at=st.integers(NOW // 1000 + 1, 2**40),
)
texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(claims, texts)
def test_what_was_signed_comes_back(claim: LinkClaim, key: str) -> None:
    token = signed(claim, key)
    assert verified(token, key, NOW) == claim
    assert len(token) <= LONGEST
    assert token[-1].isalnum()
    assert all(char.isascii() and (char.isalnum() or char in "-_.") for char in token)


@given(claims, texts)
def test_another_key_opens_nothing(claim: LinkClaim, key: str) -> None:
    with pytest.raises(LinkError):
        verified(signed(claim, KEY), KEY + "x" + key, NOW)


@given(claims, st.data())
def test_a_changed_token_opens_nothing(claim: LinkClaim, data: st.DataObject) -> None:
    token = signed(claim, KEY)
    at = data.draw(st.integers(0, len(token) - 1))
    char = data.draw(st.characters(exclude_categories=["Cs"]))
    assume(token[at] != char)
    for changed in (
        token[:at] + char + token[at + 1 :],
        token[:at] + char + token[at:],
        token[:at] + token[at + 1 :],
        token[:at],
        token + char,
    ):
        if changed != token:
            with pytest.raises(LinkError):
                verified(changed, KEY, NOW)


@given(texts)
def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(LinkError):
        verified(text, KEY, NOW)


@given(claims, claims)
def test_the_tag_of_one_token_opens_no_other(one: LinkClaim, other: LinkClaim) -> None:
    assume(one != other)
    payload, tag = signed(one, KEY).split(".")[0], signed(other, KEY).split(".")[1]
    with pytest.raises(LinkError):
        verified(f"{payload}.{tag}", KEY, NOW)


@given(claims, st.integers(0, 10**12))
def test_an_expired_token_says_so(claim: LinkClaim, late: int) -> None:
    token = signed(claim, KEY)
    end = claim.expires_at * 1000
    assert verified(token, KEY, end - 1) == claim
    with pytest.raises(LinkExpiredError, match="has expired"):
        verified(token, KEY, end + late)


def test_a_long_text_is_not_looked_at() -> None:
    token = signed(LinkClaim("ack", "i" * LONGEST, 1, NOW), KEY)
    with pytest.raises(LinkError):
        verified(token, KEY, NOW)
