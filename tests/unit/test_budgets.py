"""Every suite has a time budget."""

from pathlib import Path

from tests.budgets import BUDGETS_S, suite_of

TESTS = Path(__file__).parents[1]


def test_every_test_file_is_of_a_suite_with_a_budget() -> None:
    files = [path.relative_to(TESTS.parent).as_posix() for path in TESTS.rglob("test_*.py")]
    without = [file for file in files if suite_of(file) is None and "/soak/" not in file]
    assert files
    assert without == []


def test_a_budget_is_of_a_folder_that_there_is() -> None:
    folders = [TESTS.parent / suite for suite in BUDGETS_S if suite != "tests/wide"]
    assert [folder for folder in folders if not folder.is_dir()] == []


def test_the_narrowest_folder_counts() -> None:
    assert suite_of("tests/integration/kinds/test_mail.py::test_x") == "tests/integration/kinds"
    assert suite_of("tests/integration/test_x.py") is None
