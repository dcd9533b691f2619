"""Each role with exactly the rights that `portquorum acl` prints, under a name of its own.

First one right of each is missing: it says which, and who grants it by which line; others go on.
Then all are there, and the authorizer's own log says that no right lies idle.
"""

import asyncio
import json
import re
import socket
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest
from msgspec import Struct
from msgspec.structs import replace

from foundation.clickhouse import connect
from foundation.kafka import RightsError, admin, create_topics, topics_ready
from foundation.kafka.authorized import allowed, principal
from foundation.kafka.rights import ROLES, Right, Role, rights_of
from foundation.settings import Settings
from tests.commands import Said, called
from tests.integration.portquorum.cli.authorized_kafka import (
    AUDIT,
    OWNER,
    PASSWORD,
    answers,
    authorized_kafka,
)
from tests.kafka_cluster import requests
from tests.kafka_cluster.cluster import _entry
from tests.system.stack import Stack, eventually

pytestmark = pytest.mark.timeout(600)

NOBODY: Final = "nobody"
PREFIX: Final = "portquorum"

RARE: Final = {
    ("stream", "READ", "checkpoints"),  # a partition without a checkpoint in [state]
    ("stream", "READ", "incidents"),  # [incidents.open] lacks what is open
    ("stream", "WRITE", "results"),  # a tick, while nobody else writes
    ("stream", "WRITE", "checkpoints"),  # once a day
    ("stream", "WRITE", "deadletter"),  # what can be read and not applied
    ("sink", "WRITE", "deadletter"),  # what can't be read
    ("notifier", "WRITE", "policy"),  # a day after the end of a silence
    ("notifier", "WRITE", "results"),  # an acknowledgement by a link
    ("notifier", "READ", "results"),  # with a watchdog
    ("receiver", "WRITE", "results"),  # a job reports, or is expected to
    *(("web", "WRITE", name) for name in ("web", "targets", "policy", "results")),  # acts there
    *(("web", "READ", name) for name in ("state", "checkpoints", "notifier-state")),
    *(("operator", "WRITE", name) for name in ("targets", "checkpoints")),  # drill, checkpoint
    *(("operator", "READ", name) for name in ("results", "state")),
    *(("reader", "READ", name) for name in ("checkpoints", "rechecks", "deadletter")),
}
"""What this test does not come by. It was used in a trial by hand, or the code says where it is."""

_ANSWER: Final = re.compile(
    r"Principal = User:(\S+) is (Allowed|Denied) operation = (\w+) from host = \S+ on resource = "
    r"(\w+):(?:LITERAL|PREFIXED):(\S+) for request = (\w+)"
)


class Ground(Struct):
    """The broker, and what is known of it."""

    owner: Settings
    folder: Path

    def of(self, user: str) -> Settings:
        return replace(self.owner, kafka_username=user)

    async def change(
        self, ask: type[requests.CreateAcls | requests.DeleteAcls], user: str, some: Iterable[Right]
    ) -> None:
        entries = [_entry(user, right) for right in some]
        client = admin(self.owner)
        await client.start()
        try:
            answer = await client._send_to_controller(ask(entries))
        finally:
            await client.close()
        assert [one[0] for one in answer.results] == [0] * len(entries), answer

    async def grant(self, user: str, some: Sequence[Right]) -> None:
        """Returns when the broker goes by it."""
        await self.change(requests.CreateAcls, user, some)
        await eventually(f"rights of {user}", lambda: self._lacks(user, some, ()))

    async def revoke(self, user: str, some: Sequence[Right]) -> None:
        """Returns when the broker goes by it."""
        await self.change(requests.DeleteAcls, user, some)
        await eventually(f"no rights of {user}", lambda: self._lacks(user, some, tuple(some)))

    async def _lacks(self, user: str, some: Sequence[Right], these: tuple[Right, ...]) -> bool:
        return (await allowed(self.of(user), some)).missing(some) == these

    def audit(self) -> Iterator[tuple[str, str, str, str, str]]:
        """User, answer, operation, resource (its first letter) and name, request: as they came."""
        for line in (self.folder / AUDIT).read_text().splitlines():
            found = _ANSWER.search(line)
            if found:
                user, answer, operation, kind, name, request = found.groups()
                yield user, answer, operation, f"{kind} {name}", request


@pytest.fixture(scope="module")
async def ground(
    tmp_path_factory: pytest.TempPathFactory, clickhouse: str
) -> AsyncIterator[Ground]:
    folder = tmp_path_factory.mktemp("authorized")
    with authorized_kafka(folder, (NOBODY, *ROLES), audit=True) as address:
        owner = Settings(
            kafka=address,
            kafka_security_protocol="SASL_PLAINTEXT",
            kafka_username=OWNER,
            kafka_password=PASSWORD,
            clickhouse=f"{clickhouse.rsplit('/', 1)[0]}/rights",
            topic_prefix=PREFIX,
            partitions=1,
        )
        await answers(owner)
        yield Ground(owner, folder)


async def command(ground: Ground, user: str, *arguments: str | Path) -> Said:
    settings = ground.of(user)
    env = {
        "PORTQUORUM_KAFKA": settings.kafka,
        "PORTQUORUM_KAFKA_SECURITY_PROTOCOL": settings.kafka_security_protocol,
        "PORTQUORUM_KAFKA_USERNAME": user,
        "PORTQUORUM_KAFKA_PASSWORD": PASSWORD,
        "PORTQUORUM_CLICKHOUSE": settings.clickhouse,
        "PORTQUORUM_PARTITIONS": str(settings.partitions),
        "PORTQUORUM_DATA_DIR": str(ground.folder),
    }
    done = await asyncio.to_thread(called, ground.folder, env, *map(str, arguments))
    assert "Traceback" not in done.stderr, done.stderr
    return done


async def test_topics_are_made_by_the_admin_alone(ground: Ground) -> None:
    # Who may see nothing knows nothing; who may see and not make says what is missing.
    prober = rights_of("prober", ground.owner)
    with pytest.raises(RightsError, match=r"DESCRIBE on topics portquorum\.\*"):
        await create_topics(ground.of(NOBODY))
    await ground.grant("prober", prober)
    with pytest.raises(RightsError, match=r"CREATE on topics portquorum\.\*, and topics are miss"):
        await create_topics(ground.of("prober"))
    await ground.grant("admin", rights_of("admin", ground.owner))
    done = await command(ground, "admin", "topics", "repair", "--yes")
    assert done.returncode == 0, done.stderr
    assert (await command(ground, "admin", "topics", "check")).returncode == 0
    assert await create_topics(ground.of("prober")) == []


@pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
async def test_a_role_with_its_rights_lacks_nothing_and_nobody_else_has_any(
    ground: Ground, role: Role
) -> None:
    rights = rights_of(role, ground.owner, region="eu", user="status-page")
    await ground.grant(role, rights)
    found = await allowed(ground.of(role), rights)
    assert found.missing(rights) == ()
    assert not found.everything
    seen = await allowed(ground.of(NOBODY), rights)
    # Of groups that begin with a subscriber's name nobody knows one.
    assert set(seen.missing(rights)) >= {one for one in rights if one.name != "status-page"}


async def test_a_right_is_missed_and_waited_for(ground: Ground) -> None:
    needed = [one for one in rights_of("notifier", ground.owner) if one.without is None]
    gone = Right("group", f"{PREFIX}-notify", "READ")
    await ground.revoke("notifier", [gone])
    mine = ground.of("notifier")
    found = await allowed(mine, needed)
    assert found.missing(needed) == (gone,)
    waiting = asyncio.create_task(topics_ready(mine, needed))
    done, _ = await asyncio.wait({waiting}, timeout=1)
    assert not done
    await ground.grant("notifier", [gone])
    assert (await asyncio.wait_for(waiting, 60)).missing(needed) == ()


@contextmanager
def receiver_of_messages() -> Iterator[tuple[str, list[str]]]:
    """A `json://` channel, and what it got."""
    got: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"json://127.0.0.1:{server.server_port}/", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


FIRST_WITHOUT: Final[dict[Role, Right]] = {
    "prober": Right("topic", f"{PREFIX}.results", "WRITE"),
    "stream": Right("group", f"{PREFIX}-stream", "READ"),
    "sink": Right("topic", f"{PREFIX}.policy", "READ", without="rows of [policy]"),
    "notifier": Right("topic", f"{PREFIX}.notifications", "WRITE"),
}
"""The right that each role lacks at first."""


async def test_roles_say_what_they_lack_and_work_with_what_is_printed(
    ground: Ground, tmp_path: Path
) -> None:
    stack = Stack(ground.owner, tmp_path, {"PORTQUORUM_KAFKA_PASSWORD": PASSWORD})
    stack.env |= {
        "PORTQUORUM_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "PORTQUORUM_CHECKPOINT_INTERVAL_S": "1",
        "PORTQUORUM_WEB_LISTEN": "127.0.0.1:0",
        "PORTQUORUM_RECEIVER_LISTEN": "127.0.0.1:0",
    }
    for user, gone in FIRST_WITHOUT.items():
        await ground.revoke(user, [gone])
    try:
        with receiver_of_messages() as (channel, got), closing(socket.socket()) as port:
            port.bind(("127.0.0.1", 0))
            port.listen()
            await begin(ground, stack, channel, port.getsockname()[1])
            await all_say_what_they_lack(ground, stack)
            # The sink goes on with the others: targets are stored.
            await eventually("targets", lambda: count(ground, "targets") > 0)
            assert not got
            for user, gone in FIRST_WITHOUT.items():
                await ground.grant(user, [gone])
            await eventually("results", lambda: count(ground, "results") > 1)
            port.close()
            await eventually("a message", lambda: any("Unreachable" in one for one in got))
            await eventually("a row", lambda: count(ground, "incidents") > 0)
            await people_work(ground)
        await each_right_was_used(ground)
    finally:
        await stack.close()


async def begin(ground: Ground, stack: Stack, channel: str, port: int) -> None:
    inventory = {
        "defaults": {"interval": "3s", "timeout": "1s"},
        "regions": {"eu": {"internal": True}},
        "routes": {"hook": {"urls": [channel], "default": True}},
        "targets": [{"name": "db", "host": "127.0.0.1", "port": port}],
    }
    path = ground.folder / "inventory.json"
    path.write_text(json.dumps(inventory))
    done = await command(ground, "apply", "inventory", "apply", path, "--yes")
    assert done.returncode == 0, done.stderr
    for user, arguments in {
        "sink": ["sink"],
        "stream": ["stream"],
        "notifier": ["notify"],
        "prober": ["probe", "--region", "eu"],
        "receiver": ["receiver"],
        "web": ["web"],
    }.items():
        stack.role(user, *arguments, PORTQUORUM_KAFKA_USERNAME=user)


async def all_say_what_they_lack(ground: Ground, stack: Stack) -> None:
    for user, gone in FIRST_WITHOUT.items():
        role = stack.roles[user]
        words = f"User:{user} lacks the right {gone}."
        await eventually(f"{user}: {words}", lambda one=role, said=words: said in one.tail(200))
        line = f"--allow-principal User:{user} --operation {gone.operation.capitalize()} "
        line += f"--{gone.resource} {gone.name}"
        assert line in role.tail(200)
        assert role.alive
        assert principal(ground.of(user)) == f"User:{user}"


def count(ground: Ground, table: str) -> int:
    with closing(connect(ground.owner, database="default")) as client:
        if not client.query(f"EXISTS TABLE rights.{table}").result_rows[0][0]:
            return 0
        rows = client.query(f"SELECT count() FROM rights.{table}").result_rows  # noqa: S608
        return int(rows[0][0])


async def people_work(ground: Ground) -> None:
    """Each command that people have changes or shows something."""
    for user, words, code in (
        ("operator", "ack --target db --note mine", 0),
        ("operator", "silence add --target db --for 1h --reason x --yes --no-wait", 0),
        ("operator", "silence list", 0),
        ("operator", "target pause db --for 1h --reason x", 0),
        ("operator", "user add ann --scope admin --no-password", 0),
        ("reader", "events", 0),
        ("reader", "events --open", None),
        ("reader", "explain db", 0),
        ("reader", "health --json", None),
        ("reader", "replay --from 1h", 0),
        ("reader", "notify why db", 0),
        ("subscriber", "events", 0),
        ("subscriber", "events --open", None),
    ):
        done = await command(ground, user, *words.split())
        assert code in {None, done.returncode}, (words, done)
        assert "lacks the right" not in done.stderr
        assert "not visible" not in done.stdout, done.stdout
    # Who only reads changes nothing, and is told why.
    words = "silence add --target db --for 1h --reason x --yes --no-wait"
    done = await command(ground, "reader", *words.split())
    assert done.returncode == 1
    assert f"User:reader lacks the right WRITE on topic {PREFIX}.policy" in done.stderr
    assert f"--allow-principal User:reader --operation Write --topic {PREFIX}.policy" in done.stderr


async def each_right_was_used(ground: Ground) -> None:
    used: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for user, answer, operation, resource, _request in ground.audit():
        if answer == "Allowed":
            used[user].add((operation, resource))
    idle = {
        (role, right.operation, right.name.removeprefix(f"{PREFIX}."))
        for role in ROLES
        for right in rights_of(role, ground.owner)
        if right.resource == "topic"
        and right.operation in {"READ", "WRITE"}
        and (right.operation, f"Topic {right.name}") not in used[role]
    }
    assert idle <= RARE
