"""False alarms by formula, held to chance, to the page, and to what `lint` says of them."""

import itertools
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from portquorum.inventory.false_alarms import (
    AlarmPolicy,
    amount,
    longest_delay_ms,
    of_fleet,
    per_day,
    policy_of,
    table,
)
from portquorum.inventory.lint import advice
from schemas.target import Consensus
from streams.backtest.policy_run import PolicyRun
from tests.unit.streams.backtest import past
from tests.unit.streams.rules.fleet import target

MINUTE_MS = 60_000
PAGE = Path(__file__).parents[4] / "docs" / "rules.md"


def policy(regions: int, retries: int = 1, consensus: Consensus = "quorum") -> AlarmPolicy:
    return AlarmPolicy(regions, retries, consensus, MINUTE_MS)


def test_the_page_has_the_table() -> None:
    assert f"\n{table()}\n" in PAGE.read_text(encoding="utf-8")


def test_a_single_region_is_down_when_all_its_attempts_fail() -> None:
    assert per_day(policy(1, 1), 0.05) == pytest.approx(1440 * 0.05**2)
    assert per_day(policy(1, 2), 0.05) == pytest.approx(1440 * 0.05**3)


@pytest.mark.parametrize(
    ("regions", "needed", "consensus"), [(2, 2, "quorum"), (3, 2, "quorum"), (3, 3, "unanimous")]
)
def test_by_chance_it_is_as_often(regions: int, needed: int, consensus: Consensus) -> None:
    """Rounds in which a region fails and has the others asked, drawn one by one."""
    loss, rounds = 0.6, 200_000
    random = Random(1)  # noqa: S311 - no secret

    def says_down() -> bool:
        return random.random() < loss and random.random() < loss

    alarms = sum(
        says_down() and 1 + sum(says_down() for _ in range(regions - 1)) >= needed
        for _ in range(rounds)
    )
    expected = per_day(policy(regions, 1, consensus), loss) / (1440 * regions)
    assert alarms / rounds == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(("loss", "open_after_ms"), [(0.07, 0), (0.2, 72_000)])
def test_the_rules_themselves_open_as_many(loss: float, open_after_ms: int) -> None:
    """A month of a single region, so calm that nothing is flapping; its losses are drawn."""
    one = past.target(regions=("a",), open_after_ms=open_after_ms)
    random, days = Random(2), 30  # noqa: S311 - no secret
    run = PolicyRun([one], past.START - 1)
    for minute in range(days * 1440):
        at = past.START + minute * MINUTE_MS + random.randrange(MINUTE_MS // 5)
        for attempt in range(2):
            up = random.random() >= loss
            run.feed(at + 10, [past.result(at, "a", up=up, of=one, attempt=attempt)])
            if up:
                break
            at += 1_100
    found = run.incidents()
    assert {incident.incident_type for incident in found} == {"unreachable"}
    assert len(found) / days == pytest.approx(per_day(policy_of(one), loss), rel=0.2)


def test_more_loss_gives_more_and_more_retries_give_fewer() -> None:
    for regions, retries in itertools.product((1, 2, 3, 5), (0, 1)):
        one = policy(regions, retries)
        assert per_day(one, 0.02) > per_day(one, 0.01) > per_day(policy(regions, retries + 1), 0.01)


def test_the_delay_has_the_wait_for_a_round_and_the_series() -> None:
    assert longest_delay_ms(policy(1, 1)) == 72_000 + 2 * 3_000 + 1_000
    assert longest_delay_ms(policy(3, 0)) == pytest.approx(32_000 + 3_000 + 3_000)


def test_until_an_incident_may_open_its_regions_must_fail_in_each_round() -> None:
    at_once = policy(3, 1)
    # A shift may bring the second round after 1.2 intervals.
    soon, later = (replace(at_once, open_after_ms=after) for after in (71_000, 72_000))
    assert per_day(soon, 0.1) == per_day(at_once, 0.1)
    assert per_day(later, 0.1) == pytest.approx(per_day(at_once, 0.1) * 0.01**2)
    assert later.in_words == "3 regions, quorum, retries 1, every 60 s, open_after 72 s"
    assert longest_delay_ms(later) == pytest.approx(32_000 + 72_000 + 5_000)
    # Shorter than the attempts themselves, it delays nothing.
    assert longest_delay_ms(replace(at_once, open_after_ms=1_000)) == longest_delay_ms(at_once)


@pytest.mark.parametrize(
    ("number", "text"),
    [(3_600.4, "3,600"), (1.44, "1.4"), (0.0288, "0.029"), (0.0009, "< 0.001"), (0.0, "< 0.001")],
)
def test_amounts_have_two_digits(number: float, text: str) -> None:
    assert amount(number) == text


def test_lint_names_the_policies_with_more_than_one_a_day() -> None:
    many = [target(f"t{n}", regions="a", retries=1) for n in range(20)]
    few = [target(f"u{n}", regions="a b c", retries=1) for n in range(20)]
    assert of_fleet(many, 0.01)[policy(1)][0] == 20
    (found,) = [one for one in advice([*few, *many]) if one.rule == "false_alarms"]
    assert found.about == "t0"
    assert found.text.startswith(
        "where 1% of checks are lost, this target and 19 like it (1 region, retries 1, every 60 s) "
        "would give about 2.9 false alarms a day"
    )
    assert not [one for one in advice(many[:6]) if one.rule == "false_alarms"]
