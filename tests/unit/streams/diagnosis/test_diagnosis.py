"""Rule 10: which facts give which sentence, held to docs/diagnosis.md."""

import re
import shutil
import subprocess
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.incident import IncidentType
from schemas.result import REASON_TEXT, Reason
from streams.diagnosis import Facts, Likely, diagnose
from streams.diagnosis.facts import FAMILY, Host, Latency
from streams.diagnosis.units import milliseconds
from streams.diagnosis.words import names
from tests.unit.streams.diagnosis.situations import (
    ALL,
    AP,
    EU,
    SITUATIONS,
    US,
    facts,
    fail,
    parts,
    rendered,
    target,
    times,
)

HOSTS = st.builds(
    Host,
    up=st.integers(0, 2),
    slow=st.integers(0, 2),
    down=st.integers(0, 2),
    unknown=st.integers(0, 1),
    plain=st.sampled_from([None, "up", "down"]),
    hit=st.sampled_from([None, 0, 2]),
)
REASONS = st.sampled_from(get_args(Reason))


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    """At least one region fails, and is slow for what is asked about slowness."""
    regions = draw(st.permutations(ALL))
    count = draw(st.integers(1, 3))
    failing = tuple((region, draw(REASONS)) for region in sorted(regions[:count]))
    return Facts(
        target=target(
            draw(st.sampled_from(["tcp", "tls", "http", "redis", "smtp"])),
            host=draw(st.sampled_from(["db1.example.com", "10.0.0.7", "2001:db8::7"])),
        ),
        failing=failing,
        slow=tuple(region for region, _ in failing),
        working=tuple(sorted(regions[count:])) if draw(st.booleans()) else (),
        troubled=draw(st.sampled_from([(), ((failing[0][0], 62),)])),
        latency=draw(st.sampled_from([(), times(2, 340), times(20, 21)])),
        host=draw(HOSTS),
    )


def test_the_page_says_what_the_rules_say() -> None:
    """`python -m tests.unit.streams.diagnosis.situations` writes it."""
    assert parts()[1] == rendered()


def test_every_cause_has_a_row() -> None:
    assert {one.found.likely for one in SITUATIONS} == set(get_args(Likely))


def test_every_row_says_something_of_its_own() -> None:
    sentences = [one.found.sentence for one in SITUATIONS]
    assert len(set(sentences)) == len(sentences)
    words = [(one.words, one.about) for one in SITUATIONS]
    assert len(set(words)) == len(words)


def test_every_reason_has_a_family() -> None:
    assert set(FAMILY) == set(get_args(Reason)) == set(REASON_TEXT)


@given(any_facts(), st.sampled_from(get_args(IncidentType)))
def test_any_facts_give_a_sentence_and_steps(known: Facts, about: IncidentType) -> None:
    found = diagnose(known, about)
    assert found.likely in get_args(Likely)
    assert found.sentence.endswith(".")
    assert found.first_steps
    for text in (found.sentence, *found.first_steps):
        assert not re.search(r"\bNone\b(?! of the host)", text)
        assert "  " not in text


@given(any_facts(), st.sampled_from(get_args(IncidentType)))
def test_the_same_facts_give_the_same_diagnosis(known: Facts, about: IncidentType) -> None:
    assert diagnose(known, about) == diagnose(known, about)


COMMANDS = re.compile(
    r"^(?:(?:On|From) [^:]+: |Where it runs: |Each address in place of the name: )?"
    r"(?P<command>(?:ss|ps|nft|systemctl|journalctl|uptime|mtr|ping|ip|dig|getent|curl|nc|openssl|psql|"
    r"redis-cli|mysql|whois)\b.*)$"
)


def commands(steps: tuple[str, ...]) -> list[str]:
    """The commands of steps without the remarks behind them."""
    found = (COMMANDS.match(step) for step in steps)
    return [
        re.sub(r" \([^()]*\)|; (?:then|the same) .*", "", match["command"])
        for match in found
        if match
    ]


@given(any_facts(), st.sampled_from(get_args(IncidentType)))
def test_steps_that_are_commands_can_be_typed(known: Facts, about: IncidentType) -> None:
    for command in commands(diagnose(known, about).first_steps):
        shell = subprocess.run(
            [shutil.which("bash") or "bash", "-n", "-c", command], capture_output=True, check=False
        )
        assert shell.returncode == 0, (command, shell.stderr)


def test_every_diagnosis_has_a_command_to_begin_with() -> None:
    assert [one.words for one in SITUATIONS if not commands(one.found.first_steps)] == []


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (1, "0.1 ms"),
        (340, "0.3 ms"),
        (950, "1 ms"),
        (2_000, "2 ms"),
        (2_340, "2.3 ms"),
        (9_949, "9.9 ms"),
        (9_950, "10 ms"),
        (340_400, "340 ms"),
        (999_499, "999 ms"),
        (999_500, "1 s"),
        (1_234_000, "1.2 s"),
    ],
)
def test_spans_are_said_in_the_unit_that_suits_them(us: int, text: str) -> None:
    assert milliseconds(us) == text


def test_names_are_listed_as_people_do() -> None:
    assert names([EU]) == "eu-west"
    assert names([AP, EU, US]) == "ap-south, eu-west and us-east"


def test_a_few_milliseconds_more_are_no_slowness() -> None:
    assert not Latency(EU, 200, 9_000).slowed  # 45 times as long, on a local network
    assert not Latency(EU, 100_000, 390_000).slowed
    assert Latency(EU, 100_000, 400_000).slowed


def test_half_of_the_failing_regions_must_have_seen_it_slow() -> None:
    one_of_three = (*times(2, 340, EU), *times(2, 2, US, AP))
    assert facts("timed_out", latency=one_of_three).slowed is None
    two_of_three = (*times(2, 340, EU), *times(2, 500, US), *times(2, 2, AP))
    slowed = facts("timed_out", latency=two_of_three).slowed
    assert slowed is not None
    assert slowed.region == US


def test_what_more_than_half_agree_on_is_diagnosed() -> None:
    known = Facts(
        target=target(), failing=(*fail("timed_out", AP, EU), *fail("connection_refused", US))
    )
    assert diagnose(known).likely == "no_answer"


def test_routers_and_timeouts_agree() -> None:
    known = Facts(
        target=target(),
        failing=(("ap-south", "timed_out"), ("eu-west", "host_unreachable")),
        host=Host(down=2),
    )
    assert diagnose(known).likely == "host_down"


def test_a_region_that_fails_for_all_is_not_blamed_for_another() -> None:
    known = facts("timed_out", EU, US, troubled=((EU, 62),), host=Host(up=2, hit=0))
    assert diagnose(known).likely == "filtered_from_some"


@pytest.mark.parametrize(
    ("kind", "port", "flag"),
    [("smtp", 25, "-starttls smtp"), ("smtp", 465, ""), ("tls", 25, ""), ("http", 443, "")],
)
def test_tls_begins_as_the_service_does(kind: str, port: int, flag: str) -> None:
    known = facts("certificate_expired", target=target(kind, port))
    command = diagnose(known).first_steps[0]
    assert ("-starttls" in command) == bool(flag)
    assert flag in command


def test_an_address_is_no_server_name() -> None:
    for host in ("10.0.0.7", "2001:db8::7"):
        known = facts("certificate_invalid", target=target("tls", 443, host))
        assert "-servername" not in diagnose(known).first_steps[0]
        assert f"-verify_ip {host}" in diagnose(known).first_steps[0]
