"""Every view and report, against a slow program that computes the same from the same records.

`tests/truth/` has the program and the histories. The long form is tests/soak/test_truth.py.
"""

import pytest

from tests.truth.compare import differences
from tests.truth.played import Played, play

ZONES = {1: "America/St_Johns", 2: "Asia/Kathmandu", 3: "Pacific/Kiritimati"}
"""By seed: the time zone of the sessions. Days and months are UTC in each."""

DAYS = 33
TARGETS = 6


@pytest.fixture(scope="module", params=ZONES)
def played(request: pytest.FixtureRequest, clickhouse: str) -> Played:
    return play(clickhouse, request.param, ZONES[request.param], days=DAYS, targets=TARGETS)


def test_views_say_the_truth(played: Played) -> None:
    wrong = [
        line
        for name, found in played.views.items()
        for line in differences(name, found, played.before.views[name], played.after.views[name])
    ]
    assert not wrong, "\n".join(wrong)


def test_reports_say_the_truth(played: Played) -> None:
    wrong = played.wrong_reports()
    assert not wrong, "\n".join(wrong)


def test_two_views_that_answer_one_question_say_the_same(played: Played) -> None:
    wrong = played.broken_identities()
    assert not wrong, "\n".join(wrong)
