"""docs/api-reference.md is that of the code."""

import pytest

from portquorum.web.api_reference import PAGE, main, page


def test_the_page_is_up_to_date_and_has_every_operation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, f"make generate: {capsys.readouterr().out}"
    text = PAGE.read_text(encoding="utf-8")
    assert text == page()
    assert text.count("\n### GET `/api/v1/") > 20
    assert "\n### POST `/api/v1/" in text
    assert "1.0 to" not in text
