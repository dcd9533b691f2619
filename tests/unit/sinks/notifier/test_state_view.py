"""What the log of the state says, record by record."""

from collections.abc import Iterable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas import notifier_state
from schemas.notifier_state import OFFSETS_KEY, TERM_KEY, HandledOffsets, Subject, Term, subject_key
from sinks.notifier.state_log import put, removal
from sinks.notifier.state_view import StateView

Record = tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]


def term(number: int, owner: str) -> Record:
    return TERM_KEY, notifier_state.encode(Term(term=number, owner=owner, at=1)), ()


def offsets(number: int, offset: int) -> Record:
    value = HandledOffsets(term=number, offsets={"0": offset}, at=1)
    return OFFSETS_KEY, notifier_state.encode(value), ()


def subject(number: int, name: str = "a", revision: int = 0) -> Record:
    message = put(
        Subject(
            term=number,
            key=name,
            event=msgspec.Raw(b"{}"),
            phase="down",
            episode=1,
            began_at=1,
            changed_at=1,
            revision=revision,
        )
    )
    return message.key, message.value, message.headers


def removed(number: int, name: str = "a") -> Record:
    message = removal(subject_key(name), number)
    return message.key, message.value, message.headers


def view_of(records: Iterable[Record]) -> StateView:
    view = StateView()
    for record in records:
        view.take(*record)
    return view


A = subject_key("a")


def test_the_newest_value_of_each_key_counts() -> None:
    log = [term(1, "x"), subject(1), subject(1, revision=2), subject(1, "b"), removed(1, "b")]
    view = view_of([*log, offsets(1, 7)])
    assert view.values == {A: subject(1, revision=2)[1], OFFSETS_KEY: offsets(1, 7)[1]}
    assert (view.term, view.owner, view.overwritten) == (1, "x", set())


def test_of_two_that_begin_the_same_term_the_first_has_it() -> None:
    view = view_of([term(1, "x"), term(1, "y")])
    assert (view.term, view.owner) == (1, "x")
    assert view.overwritten == {TERM_KEY}
    view.take(*term(1, "x"))
    assert view.overwritten == set()


def test_what_an_ended_notifier_writes_late_changes_nothing_and_is_to_be_written_over() -> None:
    log = [term(1, "x"), subject(1), term(2, "y"), subject(2, revision=5)]
    late = [subject(1, revision=9), removed(1), subject(1, "ghost"), offsets(1, 3), term(1, "x")]
    view = view_of([*log, *late])
    assert (view.term, view.owner) == (2, "y")
    assert view.values == {A: subject(2, revision=5)[1]}
    assert view.overwritten == {A, subject_key("ghost"), OFFSETS_KEY, TERM_KEY}
    for record in (subject(2, revision=5), removed(2, "ghost"), offsets(2, 8), term(2, "y")):
        view.take(*record)
    assert view.overwritten == set()
    assert view.values == {A: subject(2, revision=5)[1], OFFSETS_KEY: offsets(2, 8)[1]}


def test_what_an_earlier_notifier_wrote_in_its_time_stays() -> None:
    view = view_of([term(1, "x"), subject(1), term(2, "y")])
    assert view.values == {A: subject(1)[1]}


def test_a_term_that_compaction_has_moved_behind_its_records_still_ends_the_one_before() -> None:
    view = view_of([subject(2), subject(1, "ghost"), term(2, "y")])
    assert view.values == {A: subject(2)[1]}
    assert (view.term, view.owner) == (2, "y")


def test_what_nobody_of_ours_wrote_changes_nothing() -> None:
    view = view_of([term(1, "x"), subject(1)])
    garbage: list[Record] = [
        (None, b"{}", ()),
        (b"other", subject(1)[1], ()),
        (A, b"\xff", ()),
        (A, b"[" * 100_000, ()),
        (A, b'{"term":-1}', ()),
        (A, b'{"term":99999999999}', ()),
        (A, None, ()),
        (A, None, (("term", b"x"),)),
        (A, None, (("term", b"9" * 5000),)),
        (TERM_KEY, None, (("term", b"9"),)),
    ]
    for record in garbage:
        view.take(*record)
    assert view.values == {A: subject(1)[1]}
    assert (view.term, view.owner) == (1, "x")
    assert view.overwritten == {A, TERM_KEY}
    assert view.ignored == len(garbage)


def compacted(log: list[Record], keep_from: int) -> list[Record]:
    """The log after a compaction of everything before `keep_from`."""
    newest = {record[0]: at for at, record in enumerate(log)}
    return [record for at, record in enumerate(log) if at >= keep_from or newest[record[0]] == at]


def revisions(view: StateView) -> dict[bytes, int]:
    found = {}
    for key, value in view.values.items():
        one = notifier_state.decode(value)
        assert isinstance(one, Subject)
        found[key] = one.revision
    return found


STEPS = st.sampled_from(["put", "remove", "late put", "late removal", "late term", "take over"])


@given(st.lists(st.tuples(STEPS, st.sampled_from("abc"), st.integers(0, 99)), max_size=40))
def test_after_the_active_one_has_written_over_it_any_compaction_leaves_the_same_state(
    steps: list[tuple[str, str, int]],
) -> None:
    number, mine, log = 1, {}, [term(1, "1")]
    for at, (step, name, chosen) in enumerate(steps):
        late = chosen % number or number
        if step == "put":
            log.append(subject(number, name, at))
            mine[subject_key(name)] = at
        elif step == "remove":
            log.append(removed(number, name))
            mine.pop(subject_key(name), None)
        elif step == "take over":
            number += 1
            log.append(term(number, str(number)))
        elif late < number:
            forms = {"late put": subject(late, name, at), "late removal": removed(late, name)}
            log.append(forms.get(step, term(late, str(late))))
    view = view_of(log)
    assert revisions(view) == mine
    for key in sorted(view.overwritten):
        name = key.decode().partition("/")[2]
        if key == TERM_KEY:
            log.append(term(number, view.owner))
        elif key in mine:
            log.append(subject(number, name, mine[key]))
        else:
            log.append(removed(number, name))
    for keep_from in (0, len(log) // 2, len(log)):
        again = view_of(compacted(log, keep_from))
        assert revisions(again) == mine
        assert again.term == number
