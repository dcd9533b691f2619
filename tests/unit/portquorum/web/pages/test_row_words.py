"""What rows say: places, causes, regions, strips."""

import shlex

import pytest
from msgspec.structs import replace

from portquorum.web.answers import Counts, Mark, RegionMark
from portquorum.web.pages import commands, row_words
from portquorum.web.pages.viewer import Viewer
from schemas.policy import Match
from tests.browser.web.fakes import target_row
from tests.browser.web.nights import NOW, cause, causes, incident, marks


def test_the_usual_states_are_always_there_and_rare_ones_if_any() -> None:
    assert row_words.head_counts(Counts(up=3, total=3)) == [
        ("down", 0),
        ("slow", 0),
        ("unknown", 0),
        ("maintenance", 0),
        ("up", 3),
    ]
    assert ("flapping", 1) in row_words.head_counts(Counts(flapping=1, total=1))


def test_a_place_does_not_say_the_name_again() -> None:
    row = incident("mail.example.org")
    assert row_words.place_words(row) == "smtp 25"
    assert row_words.place_words(replace(row, name="mail")) == "smtp mail.example.org:25"
    assert row_words.place_words(replace(row, name=row.place)) == "smtp"
    assert row_words.place_words(replace(row, name="mail.example.org smtp 25")) == ""
    assert row_words.place_words(replace(row, name="mail.example.org 25")) == "smtp"
    assert row_words.place_words(replace(row, host=None, port=None, place="x")) == "smtp"


def test_each_kind_of_cause_says_what_it_is() -> None:
    host, gateway, target, _ = causes()
    assert row_words.cause_words(host) == "postgres 5432 and 6 more ports of this host"
    assert row_words.cause_words(gateway) == "41 targets behind it"
    assert row_words.cause_words(target) == "smtp 25"
    region = cause("syd", cause="region", incident=None, targets=212)
    assert row_words.cause_words(region) == "region"
    assert row_words.cause_url(region) == "/regions"
    unwatched = cause("nobody", cause="unwatched", incident=None, targets=1, key="a&b")
    assert row_words.cause_words(unwatched) == "nobody watches 1 target"
    assert row_words.cause_url(unwatched) == "/targets?state=unknown&cause=a%26b"


def test_regions_that_fail_come_first_if_not_all_fit() -> None:
    many = tuple(RegionMark(region=f"r{one}", verdict="up") for one in range(9))
    told = row_words.region_words((*many, RegionMark(region="bad", verdict="down")), 6)
    assert [one.fails for one in told.shown] == [True, False]
    assert told.shown[0].text == "bad\N{NO-BREAK SPACE}✕"
    assert told.more == "+4"
    assert told.words.startswith("fails from bad; answers from r0, r1")


def test_regions_stand_in_their_order_if_all_fit() -> None:
    told = row_words.region_words(marks(("ams", "sin")), 6)
    assert [(one.text.replace("\N{NO-BREAK SPACE}", " "), one.fails) for one in told.shown] == [
        ("fra ✓", False),
        ("ams ✕", True),
        ("nyc ✓", False),
        ("sin ✕", True),
        ("syd ✓", False),
    ]
    (run,) = row_words.region_words(marks(), 6).shown
    assert run.text.count("✕") == 5


def test_a_region_that_does_not_count_is_neither() -> None:
    told = row_words.region_words((RegionMark(region="a", verdict="down", set_aside=True),), 6)
    assert (told.shown[0].text, told.shown[0].fails) == ("a\N{NO-BREAK SPACE}○", False)
    stale = row_words.region_words((RegionMark(region="a", verdict="stale"),), 6)
    assert stale.words == "not known from a"
    assert row_words.region_words(marks(), 6).words == "fails from fra, ams, nyc, sin, syd"


def test_a_strip_has_a_path_a_state_with_its_height() -> None:
    found = row_words.strip(
        (
            Mark(begin=0, end=4, state="down", targets=1),
            Mark(begin=10, end=110, state="flapping", targets=25),
            Mark(begin=500, end=504, state="slow", targets=1),
            Mark(begin=700, end=702, state="maintenance", targets=1),
        )
    )
    assert dict(found) == {
        "maintenance": "M701 6.5V9.5",
        "slow": "M502 4V12",
        "down": "M2 1V15M10 1H110V15H10Z",
    }
    assert [name for name, _ in found][-1] == "down"


def test_what_a_silence_matches() -> None:
    assert row_words.match_words(Match()) == "everything"
    assert row_words.match_words(Match(tags=("a", "b"), incident_types=("slow",))) == (
        "tags: a, b; incident types: slow"
    )


@pytest.mark.parametrize("place", ["db;reboot:5432", "$(reboot):1", "a'b:2"])
def test_commands_are_quoted_for_a_shell(place: str) -> None:
    row = target_row(0, place=place)
    found = commands.of_target(row, "$(reboot)", "http://127.0.0.1:1")
    assert [one.name for one in found] == [
        *("acknowledge", "silence", "silence-4h", "check", "explain", "curl"),
    ]
    assert shlex.split(found[0].line) == ["portquorum", "ack", "$(reboot)"]
    assert shlex.split(found[3].line)[:3] == ["portquorum", "check", place]
    closed = replace(incident(), closed_at=1)
    assert [one.name for one in commands.of_incident(closed, (), "")] == ["explain", "curl"]


def test_incidents_of_one_cause_are_acknowledged_at_once_by_short_ids() -> None:
    ids = ("0b51c0de-0000-5000-8000-000000000001", "1b51c0de-0000-5000-8000-000000000001", "$x")
    found = {one.name: one.line for one in commands.of_incident(incident(), ids, "")}
    assert found["acknowledge-all"] == "portquorum ack 0b51c0de 1b51c0de '$x'"
    assert "acknowledge-all" not in [one.name for one in commands.of_incident(incident(), "a", "")]


def test_what_is_not_told_says_by_whom_and_until_when() -> None:
    viewer = Viewer(now=NOW)
    row = replace(incident(), maintenance="patch night")
    assert row_words.spared_words(incident(), viewer) == ""
    assert row_words.spared_words(row, viewer) == "in maintenance: patch night"
    silenced = replace(row, silence="7f3a", silence_until=NOW, silence_by="Aino")
    assert row_words.spared_words(silenced, viewer) == "silenced until 02:03 UTC by Aino"
    reasoned = replace(silenced, silence_reason="new disk")
    assert row_words.spared_words(reasoned, viewer).endswith("by Aino: new disk")


def test_the_reason_of_a_silence_must_be_written() -> None:
    """The command refuses an empty one."""
    found = {one.name: one.line for one in commands.of_target(target_row(0), None, "")}
    assert shlex.split(found["silence"])[-2:] == ["--reason", ""]
    assert commands.end_silence("a b") == "portquorum silence end 'a b'"
