"""The texts of keys."""

import re
import uuid

import pytest

from portquorum.sharing.key_text import digest_of, new_text, problem_of


def test_a_new_text_is_one_that_can_be_taken_over() -> None:
    of_one = new_text("ping", "backup")
    assert uuid.UUID(of_one).version == 4
    of_all = new_text("ping", None)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,}", of_all)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,}", new_text("badge", "db"))
    assert len({new_text("page", "shop") for _ in range(100)}) == 100
    assert problem_of(of_one) is problem_of(of_all) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected 16 to 200 characters, found 0"),
        ("abcdefgh1234567", "expected 16 to 200 characters, found 15"),
        ("abcde" * 41, "expected 16 to 200 characters, found 205"),
        ("abcdefgh/1234567", "letters, digits"),
        ("abcdefgh 1234567", "letters, digits"),
        ("abcdefgh1234567\n", "letters, digits"),
        ("äbcdefgh12345678", "letters, digits"),
        ("aaaabbbbccccdddd", "at least 5 different characters"),
    ],
)
def test_texts_that_cannot_be_taken_over(text: str, words: str) -> None:
    found = problem_of(text)
    assert found is not None
    assert words in found
    assert not text or text not in found


@pytest.mark.parametrize(
    "text", ["abcdefgh12345678", "A.b_c~d-e1234567", "kBCbq0hz1LxWZQ2T8dUnIhKPRpcEcVsj"]
)
def test_texts_that_others_have_can_be_taken_over(text: str) -> None:
    assert problem_of(text) is None


def test_a_uuid_is_one_however_it_is_written() -> None:
    one = "5f1c2b1e-8a3d-4a5e-9c59-0d1bfa0c2c11"
    assert digest_of(one) == digest_of(one.upper())
    assert digest_of("abcdefgh12345678") != digest_of("ABCDEFGH12345678")
    assert re.fullmatch("[0-9a-f]{64}", digest_of("\ud800"))
