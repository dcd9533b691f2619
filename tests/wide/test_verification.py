"""The page of what the wide run found is written only when nothing is missing in it."""

from pathlib import Path

import pytest

from tests.wide.verification import PAGE, ClientRow, MatrixRow, Verification, replaced

_ROW = MatrixRow(
    server="redis",
    source="debian redis-server",
    version="7",
    port="port",
    up=("redis", "tcp"),
    down={"no_answer": 2, "protocol_mismatch": 30},
    latest_ms=12.4,
)


def _asked(user: str) -> ClientRow:
    return ClientRow("ibis", "12.0", "embedded 26.9", user, ("types", "cancel"), {"bind": "none"})


@pytest.fixture
def page(tmp_path: Path) -> Path:
    copy = tmp_path / "verification.md"
    copy.write_text(PAGE.read_text())
    return copy


def test_a_server_that_was_not_seen_leaves_the_page_as_it_is(page: Path) -> None:
    found, before = Verification(), page.read_text()
    found.add("redis", [_ROW])
    refused = found.write(["nginx", "redis"], 33, page)
    assert refused is not None
    assert "1 servers not seen (nginx)" in refused
    assert page.read_text() == before


def test_a_whole_run_replaces_its_section_and_nothing_else(page: Path) -> None:
    head = page.read_text().partition("<!-- the matrix")[0]
    found = Verification()
    found.add("redis", [_ROW])
    assert found.write(["redis"], 33, page) is None
    once = page.read_text()
    assert once.startswith(head)
    row = (
        "| redis | debian redis-server 7 | port | redis, tcp | 2 no_answer, 30 protocol_mismatch |"
    )
    assert row in once
    assert "34 judgements" in once
    assert "12 ms of our own" in once
    assert found.write(["redis"], 33, page) is None
    assert page.read_text() == once


def test_a_part_has_a_section_of_its_own_until_a_whole_run(page: Path) -> None:
    found = Verification()
    found.add("redis", [_ROW])
    found.write_part(["nginx", "redis"], 33, page)
    once = page.read_text()
    assert "1 of 2 servers, those that the machine had. Not seen: nginx.\n" in once
    assert "| redis | debian redis-server 7 |" in once.partition("<!-- a part of the matrix")[2]
    assert found.write(["redis"], 33, page) is None
    assert "Not seen: nginx" not in page.read_text()


def test_a_page_without_the_marks_is_said() -> None:
    with pytest.raises(ValueError, match="written by make wide --> and <!-- end of a section"):
        replaced("nothing", "a section", "text")


def test_a_client_that_was_wrong_as_one_user_leaves_the_page_as_it_is(page: Path) -> None:
    found, before = Verification(), page.read_text()
    found.add_client(_asked("owner"))
    refused = found.write_clients(["ibis"], page)
    assert refused is not None
    assert "ibis as reader" in refused
    assert page.read_text() == before


def test_clients_that_all_answered_rightly_are_in_the_page(page: Path) -> None:
    found = Verification()
    for user in ("reader", "owner"):
        found.add_client(_asked(user))
    assert found.write_clients(["ibis"], page) is None
    text = page.read_text()
    assert "1 clients, 4 questions, all answered rightly. Servers: embedded 26.9." in text
    assert "| ibis | 12.0 | embedded 26.9 | owner | 2 | bind: none |" in text
    assert "<!-- the matrix" in text
