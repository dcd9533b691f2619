"""The pages: what they say, and that nothing from outside is taken for markup."""

import re
from html.parser import HTMLParser

from msgspec.structs import replace
from rich.console import Console

from portquorum.backtest.expectation import expect
from portquorum.backtest.figures import verdict
from portquorum.backtest.html import document
from portquorum.backtest.page import page
from portquorum.backtest.result import BacktestResult, Scope
from schemas.target import Target
from streams.backtest.compare import PolicyComparison, compare
from streams.backtest.loss import LossCount
from streams.backtest.outcome import PastIncident
from streams.backtest.plan import Policies

START = 1_800_000_000_000
MINUTE = 60_000
NASTY = "<script>alert(1)</script> [red]db[/red]"


def incident(minute: int) -> PastIncident:
    at = START + minute * MINUTE
    return PastIncident(
        target="db",
        incident_type="unreachable",
        first_failed_at=at - 1_000,
        opened_at=at,
        closed_at=at + MINUTE,
        closed_because="recovered",
        down=2,
        fresh=3,
        configured=3,
        reasons=("timed_out",),
    )


def policies() -> Policies:
    one = Target(
        id="db",
        name=NASTY,
        kind="tcp",
        host="db.example.com",
        port=5432,
        regions=("a", "b", "c"),
        interval_ms=MINUTE,
        timeout_ms=3_000,
        version=1,
        source="test",
        team=NASTY,
    )
    return Policies({"db": one}, {"db": replace(one, consensus="unanimous")})


def comparison(present: list[PastIncident], proposed: list[PastIncident]) -> PolicyComparison:
    until = START + 3 * 24 * 60 * MINUTE
    return compare(policies(), present, proposed, since=START, until=until, group_wait_ms=2_000)


def result(found: PolicyComparison) -> BacktestResult:
    scope = Scope(
        policy=f"{NASTY}.yaml",
        targets=1,
        hosts=1,
        rows=1_000,
        calm_hosts=0,
        calm_rows=0,
        unwatched=0,
        unwatched_rows=0,
        seconds=1.0,
    )
    changes = ["consensus quorum → unanimous (1 target)"]
    return BacktestResult(
        scope=scope,
        changes=changes,
        comparison=found,
        expected=expect(policies(), LossCount(passed=800, lost=80)),
        notes=[NASTY],
    )


def shown(found: PolicyComparison) -> str:
    console = Console(width=300, force_terminal=False)
    with console.capture() as captured:
        console.print(page(result(found)))
    return captured.get()


def test_the_page_tells_the_difference_and_the_reason() -> None:
    text = shown(comparison([incident(5), incident(60)], [incident(5)]))
    assert "2 alerts would have been 1 alert in 3 days; 1 incident would not have opened." in text
    assert re.search(r"incidents +2 +1 +-1 \(-50%\)", text)
    assert "3 of 3 would be needed" in text
    assert "Would not have opened (1)" in text
    assert "Would be new" not in text
    assert NASTY in text


SENTENCE = (
    "At the loss of these 3 days (10 % of 880 checks) this policy would give about 0.0043 false "
    "alarms a day and tell an outage within 42 s; the present one about 0.86, within 42 s."
)


def test_both_pages_tell_what_to_expect_at_the_measured_loss() -> None:
    found = comparison([incident(5)], [])
    assert SENTENCE in " ".join(re.sub("[│╭╮╰╯─]", " ", shown(found)).split())
    assert SENTENCE in document(result(found))


def test_a_policy_that_changes_nothing_says_so() -> None:
    assert "would have changed nothing" in shown(comparison([incident(5)], [incident(5)]))
    assert "would have changed nothing" in verdict(comparison([], []))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_the_html_needs_nothing_else_and_escapes_what_came_from_outside() -> None:
    text = document(result(comparison([incident(5)], [incident(5), incident(60)])))
    parser = Tags()
    parser.feed(text)
    tags = {tag for tag, _ in parser.seen}
    assert not tags & {"script", "link", "img", "iframe"}
    assert not any(set(found) & {"src", "href"} for _, found in parser.seen)
    assert "&lt;script&gt;alert(1)" in text
    assert "1 incident would be new" in text
    assert text.count("<rect") == 6
