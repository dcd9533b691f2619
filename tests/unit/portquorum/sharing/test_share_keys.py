"""Keys in addresses: found, made, revoked, by whom."""

import hashlib
from collections.abc import Sequence
from http import HTTPStatus

import pytest

from portquorum.access.principal import Principal
from portquorum.changing.errors import ChangeError
from portquorum.changing.keys import WantedKey
from portquorum.journal.book import PageBook
from portquorum.journal.overdue import REMOVED_MS, overdue
from portquorum.sharing import share_keys
from portquorum.sharing.key_text import digest_of
from portquorum.sharing.share_keys import ShareKeys
from schemas import web
from schemas.duration import DAY_MS
from schemas.probe import HeartbeatProbe
from schemas.target import Target
from schemas.web import Audit, ShareKey
from tests.memory_journal import MemoryJournal, MemoryLog

AT = 1_796_000_000_000
OF_OTHERS = "abcdefgh12345678"
SHORT = "abc"

ADMIN = Principal(name="root", scope="admin", via="password")
OPERATOR = Principal(name="ann", scope="operator", via="password", teams=("db",))
VIEWER = Principal(name="eve", scope="viewer", via="password")
LIMITED = Principal(name="bob", scope="admin", via="password", teams=("db",))


def job(name: str = "backup", team: str = "db", kind: str = "heartbeat") -> Target:
    return Target(
        id=name,
        name=name,
        kind=kind,
        host=None,
        port=None,
        regions=("receiver",),
        interval_ms=60_000,
        timeout_ms=1_000,
        version=1,
        source="a",
        team=team,
        probe=HeartbeatProbe(interval_ms=60_000) if kind == "heartbeat" else None,
    )


class Clock:
    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> int:
        return self.at


def keys_over(journal: MemoryJournal) -> ShareKeys:
    return ShareKeys(journal, Clock())


def entries(journal: MemoryJournal) -> list[Audit]:
    return list(journal.book.every(Audit).values())


async def text_of(keys: ShareKeys, wanted: WantedKey, target: Target | None = None) -> str:
    made = await keys.add(ADMIN, wanted, target)
    assert made.secret
    return made.secret


async def refused(keys: ShareKeys, who: Principal, wanted: WantedKey, *of: Target) -> ChangeError:
    with pytest.raises(ChangeError) as error:
        await keys.add(who, wanted, *of)
    return error.value


async def test_a_key_is_found_by_its_text_until_it_is_revoked() -> None:
    log = MemoryLog()
    here, there = MemoryJournal(log), MemoryJournal(log)
    keys, others = keys_over(here), keys_over(there)
    made = await keys.add(OPERATOR, WantedKey(use="ping", about="backup"), job())
    assert made.secret
    for one in (keys, others):
        found = one.find(made.secret, "ping")
        assert found is not None
        assert (found.id, found.about, found.owner) == (made.id, "backup", "ann")
        assert one.find(made.secret, "badge") is None
        assert one.find(made.secret[:-1], "ping") is None
    assert made.secret not in log.texts()
    assert hashlib.sha256(made.secret.encode()).hexdigest() in log.texts()

    await others.revoke(OPERATOR, made.id, job())
    assert keys.find(made.secret, "ping") is others.find(made.secret, "ping") is None
    assert keys.get(made.id) is None
    assert [(one.action, one.about, one.by) for one in entries(here)] == [
        ("add key", "backup", "ann"),
        ("revoke key", "backup", "ann"),
    ]
    assert "made the key reports for reports of backup" in entries(here)[0].detail


async def test_the_text_is_shown_once() -> None:
    keys = keys_over(MemoryJournal())
    made = await keys.add(ADMIN, WantedKey(use="badge", name="README"))
    assert made.secret
    (listed,) = keys.listed()
    assert listed.secret is None
    assert listed.name == "README"
    assert keys.get(made.id) == listed


async def test_a_key_is_over_at_its_end() -> None:
    clock = Clock()
    keys = ShareKeys(MemoryJournal(), clock)
    text = await text_of(keys, WantedKey(use="page", about="shop", expires_in_days=1))
    clock.at += DAY_MS - 1
    assert keys.find(text, "page")
    clock.at += 1
    assert keys.find(text, "page") is None
    assert keys.listed("page", "shop")[0].expires_at == AT + DAY_MS


async def test_keys_that_were_there_before_are_found() -> None:
    log = MemoryLog()
    text = await text_of(keys_over(MemoryJournal(log)), WantedKey(use="ping"))
    late = MemoryJournal(log)
    late.is_present.clear()
    keys = keys_over(late)
    assert keys.find(text, "ping") is None
    late.is_present.set()
    assert keys.find(text, "ping") is not None


async def test_a_text_of_others_is_taken_over_once() -> None:
    keys = keys_over(MemoryJournal())
    wanted = WantedKey(use="ping", about="backup", secret=OF_OTHERS)
    first = await keys.add(ADMIN, wanted, job())
    assert first.secret == OF_OTHERS
    error = await refused(keys, ADMIN, WantedKey(use="badge", secret=OF_OTHERS))
    assert error.status == HTTPStatus.CONFLICT
    assert [one.field for one in error.errors] == ["secret"]
    assert OF_OTHERS not in error.detail
    await keys.revoke(ADMIN, first.id)
    again = await keys.add(ADMIN, wanted, job())
    found = keys.find(OF_OTHERS, "ping")
    assert found is not None
    assert found.id == again.id != first.id


async def test_of_two_who_take_over_a_text_at_the_same_time_one_has_it() -> None:
    log = MemoryLog()
    here = MemoryJournal(log)
    keys, others = keys_over(here), keys_over(MemoryJournal(log))
    wanted = WantedKey(use="ping", about="backup", secret=OF_OTHERS)

    def before() -> None:
        key = ShareKey(
            version=1,
            change="0" * 16,
            at=AT,
            by="ann",
            id="00000001",
            name="theirs",
            use="ping",
            secret=digest_of(OF_OTHERS),
            owner="ann",
            created_at=AT,
        )
        log.append(web.key(key, "0" * 16), web.encode(key))

    here.before_write = before
    error = await refused(keys, ADMIN, wanted, job())
    assert error.status == HTTPStatus.CONFLICT
    for one in (keys, others):
        found = one.find(OF_OTHERS, "ping")
        assert found is not None
        assert found.id == "00000001"
        assert [key.id for key in one.listed()] == ["00000001"]


PING, ALL = WantedKey(use="ping", about="backup"), WantedKey(use="ping")
BADGE, PAGE = WantedKey(use="badge", about="db"), WantedKey(use="page", about="shop")


@pytest.mark.parametrize(
    ("who", "wanted", "target", "status", "words"),
    [
        (VIEWER, PING, job(), 403, "keys of a target need the right operator"),
        (OPERATOR, PING, job(team="web"), 403, "beyond your limits"),
        (OPERATOR, ALL, None, 403, "keys of all targets need the right admin"),
        (OPERATOR, PAGE, None, 403, "keys of locked status pages need the right admin"),
        (LIMITED, WantedKey(use="ping", teams=("web",)), None, 403, "no more than who makes it"),
        (ADMIN, PING, None, 404, "there is no target 'backup'"),
        (ADMIN, PING, job("other"), 404, "there is no target 'backup'"),
        (ADMIN, BADGE, None, 404, "there is no target 'db'"),
        (ADMIN, PING, job(kind="tcp"), 400, "about: expected a heartbeat"),
        (ADMIN, WantedKey(use="page"), None, 400, "about: expected the name of a status page"),
        (ADMIN, WantedKey(use="page", about="A b"), None, 400, "about: expected the name"),
        (ADMIN, WantedKey(use="ping", expires_in_days=-1), None, 400, "expires_in_days: expected"),
        (ADMIN, WantedKey(use="ping", name="x" * 101), None, 400, "name: expected 1 to 100"),
        (ADMIN, WantedKey(use="ping", secret=SHORT), None, 400, "secret: expected 16 to 200"),
        (ADMIN, WantedKey(use="ping", teams=("",)), None, 400, "teams: expected names"),
        (
            ADMIN,
            WantedKey(use="ping", about="backup", tags=("a",)),
            job(),
            400,
            "tags: expected none for a key of one thing",
        ),
    ],
)
async def test_what_is_refused(
    who: Principal, wanted: WantedKey, target: Target | None, status: int, words: str
) -> None:
    journal = MemoryJournal()
    keys = keys_over(journal)
    error = await refused(keys, who, wanted, *([target] if target else []))
    assert error.status == status
    assert words in error.detail
    assert not journal.log.records


async def test_a_key_of_all_has_the_limits_of_who_makes_it() -> None:
    keys = keys_over(MemoryJournal())
    made = await keys.add(LIMITED, ALL)
    assert (made.teams, made.tags) == (("db",), ())
    assert (await keys.add(ADMIN, ALL)).teams == ()


@pytest.mark.parametrize(
    ("who", "by", "wanted", "target"),
    [
        (VIEWER, ADMIN, PING, job()),
        (OPERATOR, ADMIN, PING, job(team="web")),
        (OPERATOR, ADMIN, ALL, None),
        (OPERATOR, ADMIN, PAGE, None),
        (LIMITED, ADMIN, ALL, None),
    ],
)
async def test_who_may_not_revoke(
    who: Principal, by: Principal, wanted: WantedKey, target: Target | None
) -> None:
    keys = keys_over(MemoryJournal())
    made = await keys.add(by, wanted, target)
    with pytest.raises(ChangeError) as error:
        await keys.revoke(who, made.id, target)
    assert error.value.status == HTTPStatus.FORBIDDEN
    assert keys.get(made.id)


async def test_who_may_revoke() -> None:
    keys = keys_over(MemoryJournal())
    for who, by, wanted, target in (
        (OPERATOR, ADMIN, PING, job()),
        (LIMITED, LIMITED, ALL, None),
        (ADMIN, LIMITED, ALL, None),
        (LIMITED, ADMIN, PAGE, None),
    ):
        made = await keys.add(by, wanted, target)
        await keys.revoke(who, made.id, target)
    # The target went to another team: who made the key may still end it.
    made = await keys.add(OPERATOR, PING, job())
    await keys.revoke(OPERATOR, made.id, job(team="web"))
    assert not keys.listed()
    with pytest.raises(ChangeError) as error:
        await keys.revoke(ADMIN, made.id)
    assert error.value.status == HTTPStatus.NOT_FOUND


async def test_there_are_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share_keys, "MOST_OF_ONE", 2)
    keys = keys_over(MemoryJournal())
    for _ in range(2):
        await keys.add(ADMIN, PING, job())
    error = await refused(keys, ADMIN, PING, job())
    assert error.status == HTTPStatus.CONFLICT
    await keys.add(ADMIN, WantedKey(use="ping", about="other"), job("other"))


async def test_nobody_knows_while_the_broker_is_away() -> None:
    journal = MemoryJournal()
    keys = keys_over(journal)
    journal.is_away = True
    error = await refused(keys, ADMIN, PING, job())
    assert error.status == HTTPStatus.SERVICE_UNAVAILABLE


def applied(log: Sequence[tuple[bytes, bytes | None, int]]) -> PageBook:
    book = PageBook()
    for offset, (key, value, at) in enumerate(log):
        book.apply(key, value, offset, at)
    return book


async def test_a_revoked_key_stays_revoked_in_a_compacted_log() -> None:
    log = MemoryLog()
    log.at = AT
    keys = keys_over(MemoryJournal(log))
    made = await keys.add(ADMIN, PING, job())
    await keys.revoke(ADMIN, made.id)
    book = applied(log.records)
    replaced = list(book.stale())
    assert len(replaced) == 1
    # Its tombstone, and then compaction.
    newest = {key: (key, value, at) for key, value, at in log.records if key not in replaced}
    compacted = applied(list(newest.values()))
    assert compacted.get(ShareKey, made.id) is None
    assert compacted.version(ShareKey, made.id) == 2
    compacted.apply(b"note/x", None, 99, AT + REMOVED_MS + 1)
    assert [key for key in overdue(compacted) if key.startswith(b"share_key/")]
