from portquorum.web.public import kept_answers
from portquorum.web.public.kept_answers import KeptAnswers

BODY = b"x" * 10_000


def test_an_answer_is_made_once_for_a_state() -> None:
    kept, made = KeptAnswers(), []

    for token in (1, 1, 2):
        answer = kept.get("a", token, lambda: made.append(1) or ("text/plain", BODY))  # type: ignore[func-returns-value]
        assert answer is not None
        assert answer.coded("br")[0] == "br"
    assert len(made) == 2
    assert kept.get("b", 1, lambda: None) is None
    assert len(BODY) < kept.kept_bytes < len(BODY) + 200


def test_the_oldest_go_when_they_are_many_bytes_or_many() -> None:
    kept = KeptAnswers(25_000)
    for number in range(5):
        kept.get(number, 1, lambda: ("text/plain", BODY))
    assert kept.kept_bytes == 20_000

    many = KeptAnswers()
    for number in range(kept_answers.MOST + 5):
        many.get(number, 1, lambda: ("text/plain", b"x"))
    assert many.kept_bytes == kept_answers.MOST
