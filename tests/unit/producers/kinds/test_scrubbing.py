"""Removal of secrets from texts: forms, pieces, and no answer to guesses."""

import base64
import json
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
