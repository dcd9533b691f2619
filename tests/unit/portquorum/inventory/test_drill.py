"""`drill:` of an inventory."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portquorum.inventory import InventoryError, check
from schemas.policy import DrillPlan

Write = Callable[..., Path]

HEAD = "regions: {a: {}}\n"


def test_how_often_there_shall_be_one(file: Write) -> None:
    found = check([file(HEAD + "drill: {every: 7d}\n")]).policy
    plans = [one for one in found if isinstance(one, DrillPlan)]
    assert plans == [DrillPlan(name="drill", every_ms=7 * 86_400_000)]
    assert not [one for one in check([file(HEAD)]).policy if isinstance(one, DrillPlan)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("drill: {every: 30m}", "expected 1h to 366d, found '30m'"),
        ("drill: {every: 400d}", "expected 1h to 366d, found '400d'"),
        ("drill: {every: weekly}", "expected a duration such as"),
        ("drill: {}", "expected `every`, such as 7d"),
        ("drill: {often: 7d}", "no such field"),
        ("drill: 7d", "expected a mapping"),
        ("drill: {every: 7d}\n---\ndrill: {every: 8d}", "`drill` stands at"),
    ],
)
def test_what_is_refused(file: Write, text: str, why: str) -> None:
    with pytest.raises(InventoryError) as caught:
        check([file(HEAD + text + "\n")])
    assert why in str(caught.value)
    assert str(caught.value).count("expected") <= 1, "one problem is said once"
