"""The book is the same whoever reads what: the whole log, a compacted one, or as it grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from portquorum.journal.book import PageBook
from portquorum.journal.overdue import (
    AUDIT_ENTRIES,
    AUDIT_MS,
    REMOVED_MS,
    REQUEST_MS,
    overdue,
)
from portquorum.journal.protocol import Place
from schemas import web
from schemas.web import (
    Audit,
    Claim,
    Invitation,
    Lockout,
    Request,
    Session,
    SessionUse,
    Token,
    TokenSeen,
    User,
    Web,
    WrittenTarget,
)

CHANGE: Final = "0" * 16
DIGEST: Final = "a" * 64


@dataclass(frozen=True)
class Logged:
    offset: int
    key: bytes
    value: bytes | None
    at: int = 0


def target(version: int, text: str = "", *, name: str = "db", removed: bool = False) -> Web:
    return WrittenTarget(
        version=version, change=CHANGE, at=0, by="ann", id=name, entry=text, removed=removed
    )


class Log:
    """A topic with one partition; records as they were written, for ever."""

    def __init__(self) -> None:
        self.records: list[Logged] = []

    def write(self, record: Web, nonce: int = 0, at: int = 0) -> bytes:
        key = web.key(record, f"{nonce:016x}")
        self.records.append(Logged(len(self.records), key, web.encode(record), at))
        return key

    def remove(self, key: bytes) -> None:
        self.records.append(Logged(len(self.records), key, None))


def compacted(records: Sequence[Logged], up_to: int) -> list[Logged]:
    """What compaction leaves of the records before `up_to`; the rest stays as it is.

    Tombstones stay for a while, or not: readers must not need them.
    """
    newest = {one.key: one.offset for one in records[:up_to]}
    return [
        one
        for one in records
        if one.offset >= up_to or (newest[one.key] == one.offset and one.value is not None)
    ]


def read(records: Sequence[Logged]) -> PageBook:
    book = PageBook()
    for one in records:
        book.apply(one.key, one.value, one.offset, one.at)
    return book


def counting(book: PageBook) -> dict[bytes, tuple[Web, Place]]:
    return {key: (record, place) for key, record, place in book.counting()}


def same(one: PageBook, other: PageBook) -> bool:
    return one.contents() == other.contents() and counting(one) == counting(other)


def test_the_first_of_a_version_counts() -> None:
    log = Log()
    first, second = log.write(target(1, "a"), 1), log.write(target(1, "b"), 2)
    book = read(log.records)
    assert book.counts(first)
    assert not book.counts(second)
    assert book.get(WrittenTarget, "db") == target(1, "a")
    assert list(book.stale()) == [second]


def test_a_removed_object_is_gone_and_its_versions_count_on() -> None:
    log = Log()
    log.write(target(1, "a"), 1)
    log.write(target(2, "a", removed=True), 2)
    book = read(log.records)
    assert book.get(WrittenTarget, "db") is None
    assert book.version(WrittenTarget, "db") == 2
    assert book.place(WrittenTarget, "db") == Place(offset=1, at=0)
    assert not book.all(WrittenTarget)
    log.write(target(3, "b"), 3)
    assert read(log.records).get(WrittenTarget, "db") == target(3, "b")


def test_a_late_edit_of_an_old_version_never_counts() -> None:
    log = Log()
    for version in (1, 2, 3):
        log.write(target(version), version)
    late = log.write(target(2, "late"), 9)
    assert not read(log.records).counts(late)


def test_single_records_come_in_the_order_of_their_newest_record() -> None:
    log = Log()
    for ident in ("a", "b", "a"):
        log.write(TokenSeen(id=ident * 8, at=len(log.records)))
    assert list(read(log.records).every(TokenSeen)) == ["b" * 8, "a" * 8]


def test_what_is_no_record_is_counted_and_skipped() -> None:
    good = target(1, "a")
    book = PageBook()
    key = web.key(good, "1" * 16)
    assert book.apply(key, b"{", 0, 5) is None
    assert book.apply(b"written_target/other/1/" + b"1" * 16, web.encode(good), 1, 5) is None
    assert book.apply(b"\xff\xfe", b"{}", 2, 5) is None
    assert book.apply(b"news/of/a/later/version", web.encode(good), 3, 5) is None
    assert (book.bad, book.contents(), book.clock) == (4, {}, 5)
    assert book.apply(key, web.encode(good), 4, 6) is not None
    assert book.get(WrittenTarget, "db") == good
    # As after compaction, which keeps of a key the newest record, whatever it is.
    assert book.apply(key, b"{", 5, 6) is not None
    assert book.get(WrittenTarget, "db") is None


def test_a_change_is_told_once() -> None:
    log = Log()
    key = log.write(target(1, "a"), 1)
    log.write(target(1, "b"), 2)
    log.remove(b"written_target/db/1/" + b"0" * 15 + b"2")
    log.remove(key)
    book = PageBook()
    changes = [book.apply(one.key, one.value, one.offset, 0) for one in log.records]
    told = [(one.identity, one.record) for one in changes if one is not None]
    assert told == [("written_target/db", target(1, "a")), ("written_target/db", None)]


def test_a_name_may_have_slashes() -> None:
    record = web.WrittenMaintenance(
        version=1, change=CHANGE, at=0, by="ann", name="rack/7/2", entry=""
    )
    log = Log()
    log.write(record, 1)
    assert read(log.records).get(web.WrittenMaintenance, "rack/7/2") == record


# --- any log, any prefix, any compaction

NAMES = ("db", "web")


@st.composite
def logs(draw: st.DrawFn) -> list[Logged]:
    """Writers that know what they know, cleaners that remove what does not count."""
    log = Log()
    for _ in range(draw(st.integers(0, 30))):
        behind = draw(st.integers(0, 4))
        known = read(log.records[: max(len(log.records) - behind, 0)])
        what = draw(st.sampled_from(["edit", "edit", "edit", "remove", "single", "clean"]))
        name = draw(st.sampled_from(NAMES))
        if what == "clean":
            keys = list(known.stale())
            for key in keys[: draw(st.integers(0, len(keys)))]:
                log.remove(key)
        elif what == "single":
            log.write(TokenSeen(id="12345678", at=len(log.records)))
        else:
            version = known.version(WrittenTarget, name) + 1
            record = target(version, str(len(log.records)), name=name, removed=what == "remove")
            log.write(record, len(log.records))
    return log.records


@given(logs(), st.data())
def test_any_compaction_gives_the_same_book(records: list[Logged], data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(records)))
    up_to = data.draw(st.integers(0, end))
    assert same(read(compacted(records[:end], up_to)), read(records[:end]))


@given(logs(), st.data())
def test_a_reader_that_compaction_overtakes_is_right_at_the_end(
    records: list[Logged], data: st.DataObject
) -> None:
    """It has read the beginning before, and the rest after a compaction by later records."""
    place = data.draw(st.integers(0, len(records)))
    left = compacted(records, data.draw(st.integers(0, len(records))))
    seen = [*records[:place], *(one for one in left if one.offset >= place)]
    assert same(read(seen), read(records))


@given(logs())
def test_each_version_is_accepted_once_and_for_ever(records: list[Logged]) -> None:
    book = PageBook()
    accepted: dict[tuple[str, int], bytes] = {}
    newest: dict[str, int] = {}
    for one in records:
        book.apply(one.key, one.value, one.offset, one.at)
        if one.value is None:
            continue
        record = web.decode(one.value)
        if isinstance(record, WrittenTarget) and book.counts(one.key):
            assert (record.id, record.version) not in accepted
            accepted[record.id, record.version] = one.key
            newest[record.id] = max(record.version, newest.get(record.id, 0))
    for name, version in newest.items():
        assert book.version(WrittenTarget, name) == version
        assert book.counts(accepted[name, version])


@given(logs())
def test_differences_lead_from_one_book_to_the_other(records: list[Logged]) -> None:
    half = read(records[: len(records) // 2])
    whole = read(records)
    contents: dict[str, Web | None] = dict(half.contents())
    contents |= {change.identity: change.record for change in whole.changes_since(half)}
    assert {name: one for name, one in contents.items() if one is not None} == whole.contents()


class Topic(RuleBasedStateMachine):
    """Processes that are behind one another edit and clean; the topic is compacted at any time."""

    processes = Bundle("processes")

    def __init__(self) -> None:
        super().__init__()
        self.log = Log()
        self.left: list[Logged] = []
        self.places: dict[int, int] = {}
        self.books: dict[int, PageBook] = {}
        self.answered: dict[int, str] = {}

    def follow(self, process: int, up_to: int | None = None) -> None:
        for one in self.left:
            if one.offset >= self.places[process] and (up_to is None or one.offset <= up_to):
                self.books[process].apply(one.key, one.value, one.offset, one.at)
        self.places[process] = len(self.log.records) if up_to is None else up_to + 1

    def append(self, record: Web | None, key: bytes = b"") -> bytes:
        if record is None:
            self.log.remove(key)
        else:
            key = self.log.write(record, len(self.log.records))
        self.left.append(self.log.records[-1])
        return key

    @rule(target=processes)
    def start(self) -> int:
        """A new process, or one that was killed: it reads what is left."""
        process = len(self.books)
        self.books[process], self.places[process] = PageBook(), 0
        self.follow(process)
        return process

    @rule(process=processes)
    def catch_up(self, process: int) -> None:
        self.follow(process)

    @rule(process=processes)
    def edit(self, process: int) -> None:
        version = self.books[process].version(WrittenTarget, "db") + 1
        text = str(len(self.log.records))
        key = self.append(target(version, text))
        self.follow(process, up_to=len(self.log.records) - 1)
        if self.books[process].counts(key):
            assert version not in self.answered
            self.answered[version] = text

    @rule(process=processes, how_many=st.integers(1, 5))
    def clean(self, process: int, how_many: int) -> None:
        """As far as a killed cleaner comes."""
        for key in list(self.books[process].stale())[:how_many]:
            self.append(None, key)

    @rule()
    def compact(self) -> None:
        """Nothing that a process has not read yet: it is younger than compaction may touch."""
        self.left = compacted(self.left, len(self.left))
        for process in self.places:
            self.follow(process)

    @invariant()
    def what_was_answered_is_there(self) -> None:
        fresh = read(self.left)
        if self.answered:
            newest = max(self.answered)
            assert fresh.get(WrittenTarget, "db") == target(newest, self.answered[newest])
            assert sorted(self.answered) == list(range(1, newest + 1))


TestTopic = Topic.TestCase
TestTopic.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)


# --- what is over

DAY: Final = 86_400_000


def swept(log: Log, now: int) -> set[bytes]:
    log.write(TokenSeen(id="f" * 8, at=0), at=now)
    return {*overdue(read(log.records))} - {b"token_seen/" + b"f" * 8}


def test_nothing_is_over_by_a_machines_clock() -> None:
    log = Log()
    log.write(Audit(id=CHANGE, at=0, by="ann", action="x", about="y"), at=1_000)
    assert swept(log, AUDIT_MS + 1_000) == set()
    assert swept(log, AUDIT_MS + 1_001) == {b"audit/" + CHANGE.encode()}


def test_the_audit_log_keeps_its_newest_entries() -> None:
    log = Log()
    for number in range(AUDIT_ENTRIES + 2):
        log.write(Audit(id=f"{number:016x}", at=0, by="ann", action="x", about="y"), at=1)
    assert swept(log, 2) == {b"audit/" + f"{number:016x}".encode() for number in (0, 1)}


def test_objects_go_a_while_after_they_were_removed() -> None:
    log = Log()
    log.write(target(1), 1, at=0)
    last = log.write(target(2, removed=True), 2, at=0)
    log.write(target(1, name="kept"), 3, at=0)
    assert swept(log, REMOVED_MS) == set()
    assert swept(log, REMOVED_MS + 1) == {last}
    log.write(target(3, "again"), 4, at=REMOVED_MS)
    assert swept(log, REMOVED_MS * 3) == set()


def test_requests_sessions_and_the_like_end() -> None:
    log = Log()
    request = log.write(
        Request(version=1, change=CHANGE, at=0, by="ann", key=DIGEST, asked=DIGEST), 1
    )
    session = Session(
        id=DIGEST, user="ann", via="password", created_at=0, seen_at=0, expires_at=7 * DAY
    )
    log.write(session)
    log.write(SessionUse(id=DIGEST, at=0))
    log.write(SessionUse(id="b" * 64, at=0))
    log.write(Lockout(id=DIGEST, failures=1, last_at=0, until=0))
    log.write(Invitation(id=DIGEST, scope="admin", by="up", expires_at=DAY))
    log.write(Claim(id=CHANGE, source="main", targets=("a",), part=3))
    of_none = b"session_use/" + b"b" * 64
    assert swept(log, REQUEST_MS) == {of_none}
    assert swept(log, REQUEST_MS + 1) == {
        of_none,
        request,
        b"lockout/" + DIGEST.encode(),
        b"invitation/" + DIGEST.encode(),
        b"claim/" + CHANGE.encode() + b".3",
    }
    assert b"session/" + DIGEST.encode() in swept(log, 7 * DAY + 1)


def test_the_last_use_goes_with_its_token() -> None:
    log = Log()
    token = Token(
        version=1,
        change=CHANGE,
        at=0,
        by="ann",
        id="1" * 8,
        name="ci",
        secret=DIGEST,
        scope="viewer",
        owner="ann",
        created_at=0,
    )
    log.write(token, 1)
    log.write(TokenSeen(id="1" * 8, at=0))
    assert swept(log, 1) == set()
    log.write(msgspec.structs.replace(token, version=2, removed=True), 2)
    assert swept(log, 1) == {b"token_seen/" + b"1" * 8}


def test_users_are_found_by_name() -> None:
    log = Log()
    user = User(version=1, change=CHANGE, at=0, by="up", name="ann", scope="admin", created_at=0)
    log.write(user, 1)
    assert dict(read(log.records).all(User)) == {"ann": user}
