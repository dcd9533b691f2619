"""Removal of secrets from texts: forms, pieces, and no answer to guesses."""

import base64
import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from producers.kinds.scrubbing import MASK, Scrubber

_VALUE = 'Sn0w"/ Whité&ghp_8 dwarfs'


def _scrubber(value: str = _VALUE, *known: str) -> Scrubber:
    scrubber = Scrubber(lambda: known)
    scrubber.add(value)
    return scrubber


@pytest.mark.parametrize(
    "form",
    [
        _VALUE,
        _VALUE.upper(),
        quote(_VALUE),
        quote(_VALUE, safe=""),
        quote(_VALUE, safe="").lower(),
        quote_plus(_VALUE),
        json.dumps(_VALUE)[1:-1],
        repr(_VALUE.encode())[2:-1],
        _VALUE.encode().hex(),
        _VALUE.encode().hex(" "),
        _VALUE.encode().decode("latin-1"),
        html.escape(_VALUE),
        html.escape(_VALUE).replace("&quot;", "&#34;"),
        json.dumps(_VALUE)[1:-1].replace("/", "\\/"),
        json.dumps(_VALUE, ensure_ascii=False)[1:-1].replace("&", "\\u0026"),
    ],
)
def test_all_forms_are_masked(form: str) -> None:
    assert _scrubber().scrub(f"found '{form}', expected 'ok'") == (f"found '{MASK}', expected 'ok'")


@pytest.mark.parametrize("user", ["", "a", "ab", "abc", "somebody"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_of_a_text_with_the_secret_is_masked(
    user: str, encode: Callable[[bytes], bytes]
) -> None:
    echoed = encode(f"{user}:{_VALUE}:more".encode()).decode()
    left = _scrubber().scrub(f"authorization: Basic {echoed}").removeprefix("authorization: Basic ")
    begun, _, ended = left.partition(MASK)
    # Only the characters that also have bits of the neighbours are left.
    assert len(begun) <= -(-8 * (len(user) + 1) // 6)
    assert len(ended) <= -(-8 * len(":more") // 6) + 3


def test_the_halves_of_a_cut_or_split_secret_are_masked() -> None:
    said = _scrubber("abcdefghijklmnop").scrub("begins with 'xyz abcdefgh…', ends with ijklm|nop")
    assert "abcdef" not in said
    assert "ghij" not in said
    assert said == f"begins with 'xyz {MASK}…', ends with ijklm|nop"


def test_a_short_secret_is_masked_as_a_whole() -> None:
    assert _scrubber("abcd").scrub("abc abcd ABCDE") == f"abc {MASK} {MASK}E"


def test_nothing_is_changed_without_a_secret_in_it() -> None:
    text = "expected a status of 200 to 299, found 404: 'not found'"
    assert _scrubber().scrub(text) == text
    assert not Scrubber().used
    assert Scrubber().scrub(_VALUE) == _VALUE


def test_a_guess_of_the_author_s_is_not_told_right_or_wrong() -> None:
    value, right, wrong = "sk_live_abcdefghijkl", "sk_live_abcdefg", "sk_live_abcdefx"
    for guess in (right, wrong):
        said = f"expected '{guess}', found 'nothing'"
        assert _scrubber(value, guess).scrub(said) == said
    echoed = f"expected '{right}', found 'token {value}'"
    assert _scrubber(value, right).scrub(echoed) == f"expected '{right}', found 'token {MASK}'"


def test_words_of_the_armour_of_pem_stay() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----\n"
    said = "the certificate can't be read: MIIBszCCAVmg"
    assert _scrubber(pem).scrub(said) == f"the certificate can't be read: {MASK}"


@pytest.mark.parametrize("left", [3, 4, 5])
def test_the_beginning_of_a_secret_at_a_cut_is_masked(left: int) -> None:
    begun = "hunter2secret"[:left]
    said = _scrubber("hunter2secret").scrub(f"after 1 redirect: 'https://a/{begun}…': found 404")
    assert said == f"after 1 redirect: 'https://a/{MASK}…': found 404"


def test_of_a_long_text_nothing_is_left_where_it_is_cut() -> None:
    for before in range(4_080, 4_100):
        said = _scrubber("hunter2secret").scrub("." * before + "hunter2secret" + "." * 500)
        assert "hu" not in said
        assert len(said) <= 4_096


def test_a_secret_with_more_than_one_blank_is_masked_on_one_line() -> None:
    assert _scrubber("ab  cd\tef").scrub("'ab cd ef'") == f"'{MASK}'"


def test_no_text_of_the_author_s_holds_up_the_loop() -> None:
    known = [f"{'a' * 2_000}{number}" for number in range(1_000)]
    began = time.process_time()
    assert _scrubber("a" * 16, *known).scrub("a" * 1_000_000) == MASK
    assert time.process_time() - began < 1.0  # with the square of it: hours


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://evil.example.net/?k=hunter2+secret", True),
        ("https://HUNTER2%20SECRET.evil.example.net/", True),
        ("https://evil.example.net/?next=%2Fx%3Fk%3Dhunter2%2520secret", True),
        (f"https://a/{base64.b64encode(b'x:hunter2 secret').decode()}", True),
        (f"https://a/{b'hunter2 secret'.hex()}", True),
        ("https://evil.example.net/?k=hunter2+secre", False),
        ("https://secret.example.net/hunter2", False),
        ("", False),
    ],
)
def test_whether_a_url_has_it(url: str, *, found: bool) -> None:
    assert _scrubber("hunter2 secret").finds_in(url) == found


def test_whether_a_url_has_a_long_part_of_it() -> None:
    value = "0123456789abcdefghijklmnopqrstuv"
    assert _scrubber(value).finds_in(f"https://a/{value[5:21]}")
    assert not _scrubber(value).finds_in(f"https://a/{value[5:20]}")
    assert not _scrubber().finds_in("https://a/")
