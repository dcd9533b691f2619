from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from portquorum.status_pages.uptime import DAY_MS, DAY_S, Outage, TargetDay, day_of
from portquorum.web.history.public_queries import Responses
from portquorum.web.public.past import RECENT_DAYS, WHOLE_MS, history_of
from tests.unit.portquorum.status_pages.pages import MINUTE, NOW, component, page

TODAY = day_of(NOW)


class Stored:
    """Days of targets by how many days ago they were; `asked` are the numbers of days."""

    def __init__(self, days: dict[str, dict[int, tuple[int, int]]]) -> None:
        self.days = days
        self.asked: list[int] = []

    async def public_days(self, targets: Sequence[str], count: int) -> dict[str, list[TargetDay]]:
        self.asked.append(count)
        return {
            one: [
                TargetDay(TODAY - timedelta(days=ago), measured, down, 0)
                for ago, (measured, down) in self.days.get(one, {}).items()
                if ago < count
            ]
            for one in targets
        }

    async def public_outages(self, targets: Sequence[str], _since: int) -> Sequence[Outage]:
        """Each outage is at noon."""
        return [
            Outage(one, noon - 1000 * down, noon)
            for one in targets
            for ago, (_, down) in self.days.get(one, {}).items()
            if down
            for noon in (NOW - NOW % DAY_MS - ago * DAY_MS + DAY_MS // 2,)
        ]

    async def public_responses(self, targets: Sequence[str]) -> dict[str, Responses]:
        return dict.fromkeys(targets, Responses((None,) * 4, (None,) * 24))


days_of_a_target = st.dictionaries(
    st.integers(0, 12), st.tuples(st.integers(1, DAY_S), st.integers(0, 3600)), max_size=8
)


@given(before=days_of_a_target, news=days_of_a_target, other=days_of_a_target)
async def test_what_is_asked_in_parts_is_what_is_asked_whole(
    before: dict[int, tuple[int, int]],
    news: dict[int, tuple[int, int]],
    other: dict[int, tuple[int, int]],
) -> None:
    one = page(component("web", "a", "b"), component("mail", "a"))
    after = {ago: day for ago, day in before.items() if ago >= RECENT_DAYS}
    after |= {ago: day for ago, day in news.items() if ago < RECENT_DAYS}
    stored = Stored({"a": before, "b": other})
    first = await history_of(one, stored, NOW)
    stored.days["a"] = after

    parts = await history_of(one, stored, NOW + MINUTE, first)
    whole = await history_of(one, stored, NOW + MINUTE)

    assert stored.asked == [90, RECENT_DAYS, 90]
    for name, past in parts.past.items():
        told = past.days
        while told and not told[0].measured_s:
            told = told[1:]
        assert told == whole.past[name].days
        assert past.down_24h_s == whole.past[name].down_24h_s


async def test_all_days_are_asked_again_after_a_while_a_day_and_an_edit() -> None:
    one = page(component("web", "a"))
    stored = Stored({"a": {0: (100, 0)}})
    first = await history_of(one, stored, NOW)

    await history_of(one, stored, NOW + WHOLE_MS, first)
    await history_of(one, stored, NOW + DAY_MS, first)
    await history_of(page(component("web", "a"), version=2), stored, NOW + 1, first)

    assert stored.asked == [90, 90, 90, 90]
