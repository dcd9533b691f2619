"""Paths, queries and durations, whatever bytes they are."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portquorum.receiver.asked import BadUrlError, ending_of, go_duration_ms, path_of, query_of
from portquorum.receiver.jobs import gatus_key, slug_of
from portquorum.receiver.report import MOST_OUTPUT, output_of
from tests.unit.portquorum.receiver.fakes import job


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("10s", 10_000.0),
        ("1h15m30.5s", 4_530_500.0),
        ("300ms", 300.0),
        ("1.5\u00b5s", 0.0015),
        (".5s", 500.0),
        ("+1s", 1_000.0),
        ("-1s", -1_000.0),
        ("0", 0.0),
        ("10", None),
        ("s", None),
        ("1d", None),
        ("1s ", None),
        ("--1s", None),
        ("", None),
        ("1" * 200 + "s", None),
    ],
)
def test_durations_of_go(text: str, ms: float | None) -> None:
    found = go_duration_ms(text)
    assert found == (None if ms is None else pytest.approx(ms))


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Database Backup", "database-backup"),
        ("  Caf\u00e9 -- No. 5! ", "cafe-no-5"),
        ("under_score", "under_score"),
        ("\u65e5\u672c", ""),
    ],
)
def test_slugs_are_those_of_healthchecks(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_keys_are_those_of_gatus() -> None:
    assert gatus_key(job("a", "front/end_v1.2, #1+2&3", team="Core Team")) == (
        "core-team_front-end-v1-2---1-2-3"
    )


@pytest.mark.parametrize(
    "path",
    ["/", "/ping", "/pingx/a", "/api/push", "/api/v1/endpoints/a/b/external",
     "/api/v1/endpoints/external", "/api/v1/endpoints/a/health/badge.svg", "/api/v1/targets"],
)  # fmt: skip
def test_other_paths_are_those_of_the_page(path: str) -> None:
    assert path_of(path) is None


@given(st.text(), st.binary())
def test_nothing_from_outside_is_a_fault(text: str, raw: bytes) -> None:
    path_of(f"/ping/{text}")
    query_of(raw)
    go_duration_ms(text)
    with contextlib.suppress(BadUrlError):
        ending_of(text)
    output = output_of(text, "secret")
    assert output is None or (len(output) <= MOST_OUTPUT and "secret" not in output)
