"""What waits, counted as it changes."""

from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.notifier_state import AudienceMember, Subject
from sinks.notifier.backlog import Backlog

URLS = ("json://a", "json://b", "mailto://c", "${SECRET}")
SCHEMES = {"json://a": "json", "json://b": "json", "mailto://c": "mailto", "${SECRET}": "secret"}


def subject(key: str, due: dict[str, int]) -> Subject:
    audience = tuple(
        AudienceMember(route="ops", url=url, since=1, due_at=at) for url, at in due.items()
    )
    return Subject(
        term=1,
        key=key,
        event=msgspec.Raw(b"{}"),
        phase="down",
        episode=1,
        began_at=1,
        changed_at=1,
        audience=audience,
    )


CHANGES = st.tuples(
    st.sampled_from("abc"), st.none() | st.dictionaries(st.sampled_from(URLS), st.integers(0, 3))
)


@given(st.lists(CHANGES, max_size=30))
def test_it_always_counts_what_the_newest_states_say(
    changes: list[tuple[str, dict[str, int] | None]],
) -> None:
    backlog, now = Backlog(), {}
    for key, due in changes:
        if due is None:
            backlog.remove(key)
            now.pop(key, None)
        else:
            backlog.put(subject(key, due))
            now[key] = due
        waits = [(url, at) for each in now.values() for url, at in each.items() if at]
        assert +backlog.waiting == Counter(SCHEMES[url] for url, _ in waits)
        assert backlog.oldest_due_at == min((at for _, at in waits), default=None)
