"""The committed JSON Schemas and the topics page are what would be generated now."""

from schemas.generate import differences


def test_generated_files_are_up_to_date() -> None:
    differing = [path.name for path in differences()]
    assert differing == [], "run `python -m schemas.generate` and commit what it writes"
