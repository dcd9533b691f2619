"""What each role and command may do in Kafka: the least that is enough, as rights of an authorizer.

Found by trial: the authorizer's log of a broker says what each role asked for, and a test takes the
table as it is printed (docs/kafka.md). An operation implies others: READ, WRITE, DELETE and ALTER
imply DESCRIBE, ALTER_CONFIGS implies DESCRIBE_CONFIGS (Kafka's documentation, "Authorization and
ACLs").
"""

import shlex
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from msgspec import Struct

from foundation.settings import Settings
from schemas import topics

Resource = Literal["topic", "group"]
Operation = Literal[
    "READ", "WRITE", "CREATE", "DELETE", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS"
]
Role = Literal[
    "admin",
    "apply",
    "prober",
    "receiver",
    "stream",
    "sink",
    "notifier",
    "web",
    "operator",
    "reader",
    "subscriber",
]

ROLES: Final[dict[Role, str]] = {
    "admin": "whoever makes the topics (the first command that needs them), and looks after them",
    "apply": "portquorum inventory apply, export",
    "prober": "portquorum probe",
    "receiver": "portquorum receiver",
    "stream": "portquorum stream",
    "sink": "portquorum sink",
    "notifier": "portquorum notify",
    "web": "portquorum web",
    "operator": "people's commands that change something: silence, ack, resolve, target, user, "
    "token, heartbeat, status-page, drill, checkpoint",
    "reader": "people's commands that only look: status, events, incidents, explain, health, "
    "notify why, replay",
    "subscriber": "another service that reads incidents; its groups begin with its name",
}
"""The roles, each with what has it."""


class Right(Struct, frozen=True):
    """One operation on a resource, or on all whose names begin with `name` (`prefixed`).

    `without` is None if nothing works without it, else what then does not work.
    """

    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False
    without: str | None = None

    @property
    def pattern(self) -> str:
        """The pattern type as Kafka's tools have it: `literal` or `prefixed`."""
        return "prefixed" if self.prefixed else "literal"

    def __str__(self) -> str:
        """For people: `READ on topic portquorum.results`, `DESCRIBE on topics portquorum.*`."""
        if self.prefixed:
            return f"{self.operation} on {self.resource}s {self.name}*"
        return f"{self.operation} on {self.resource} {self.name}"


_CLOCK: Final = "the check that [results] has the broker's time"
_LINKS: Final = "acknowledgements by links and of on-call systems"
WATCHDOG: Final = "the watchdog (PORTQUORUM_WATCHDOG)"
_PRUNE: Final = "removing silences and pauses a day after their end"
_CHANGES: Final = "what people change on the page"
_SESSIONS: Final = "signing in, and what people change on the page"
_JOBS: Final = "reports of jobs, and what people say of incidents on the page"
_HEEDED: Final = "whether the notifier heeds a silence"
_EXPLAIN: Final = "why a target is up or down"
_ORDER: Final = "the order of upgrades: it would not see roles of other versions"
_ORDERED: Final = ("prober", "stream", "sink", "notifier")
"""The roles that begin in an order after an upgrade (foundation/upgrade_order.py)."""

_REREAD: Final = "storing rows again in a new or restored ClickHouse"
_DEADLETTER: Final = "going on behind what can't be read: it holds up its partition"
_AGE: Final = "the age of what waits for the sink (`health`)"

_COMMANDS: Final[dict[Role, tuple[str, ...]]] = {
    "operator": ("silence", "ack", "target", "user", "token", "heartbeat", "drill"),
}
"""The names in schemas/topics.py that a role stands for, besides its own."""


_WRITTEN_AS: Final = {"resolve": "ack", "status-page": "user", "inventory": "apply"}
"""Commands whose writing has another's name in schemas/topics.py."""

_READ_WRITE: Final[tuple[Operation, ...]] = ("READ", "WRITE")

_BESIDES: Final[dict[Role, tuple[tuple[str, Operation, str | None], ...]]] = {
    "sink": (
        *((topic.name, "READ", f"rows of [{topic.name}]") for topic in topics.read_by("sink")),
        ("deadletter", "WRITE", _DEADLETTER),
    ),
    "notifier": (
        ("results", "READ", WATCHDOG),
        ("results", "WRITE", _LINKS),
        ("policy", "WRITE", _PRUNE),
    ),
    "web": (
        ("notifier-state", "READ", _HEEDED),
        ("state", "READ", _EXPLAIN),
        ("checkpoints", "READ", _EXPLAIN),
        ("web", "WRITE", _SESSIONS),
        ("results", "WRITE", _JOBS),
        ("targets", "WRITE", _CHANGES),
        ("policy", "WRITE", _CHANGES),
    ),
    "operator": (
        ("incidents", "READ", None),
        ("notifier-state", "READ", None),
        ("results", "READ", "`drill`, `checkpoint`"),
        ("state", "READ", "`checkpoint`"),
        ("checkpoints", "WRITE", "`checkpoint`"),
    ),
    "reader": (
        ("targets", "READ", None),
        ("policy", "READ", None),
        ("results", "READ", None),
        ("state", "READ", None),
        ("checkpoints", "READ", None),
        ("incidents", "READ", None),
        ("incidents.open", "READ", None),
        ("notifications", "READ", None),
        ("notifier-state", "READ", None),
        ("rechecks", "READ", _AGE),
        ("deadletter", "READ", _AGE),
    ),
}
"""What schemas/topics.py does not say: topic, operation, and what does not work without it."""


def rights_of(
    role: Role, settings: Settings, *, region: str | None = None, user: str | None = None
) -> tuple[Right, ...]:
    """The rights of a role, in the order in which people read them, none twice.

    Args:
        role: whose.
        settings: for the prefix of topics and groups.
        region: of a prober; None: of probers of all regions.
        user: the beginning of a subscriber's groups; None: its role's name.
    """
    found: dict[tuple[str, str, bool, str], Right] = {}
    for right in _all_of(role, settings, region, user):
        key = (right.resource, right.name, right.prefixed, right.operation)
        if key not in found or found[key].without is not None:
            found[key] = right
    return tuple(found.values())


def rights_of_command(command: str, role: Role, settings: Settings) -> tuple[Right, ...]:
    """The rights of a command's role without those to write what only others of it write."""
    name = _WRITTEN_AS.get(command, command)
    writes = {settings.topic(topic.name) for topic in topics.ALL if name in topic.writers}
    return tuple(
        right
        for right in rights_of(role, settings)
        if not writes or right.operation != "WRITE" or right.name in writes
    )


def creating(settings: Settings) -> Right:
    """The right to make the topics."""
    return Right("topic", f"{settings.topic_prefix}.", "CREATE", prefixed=True)


def seeing(settings: Settings) -> Right:
    """The right to see that the topics are there, and their partitions."""
    return Right("topic", f"{settings.topic_prefix}.", "DESCRIBE", prefixed=True)


def _all_of(
    role: Role, settings: Settings, region: str | None, user: str | None
) -> Iterator[Right]:
    if role == "subscriber":
        for one in (topics.INCIDENTS, topics.INCIDENTS_OPEN):
            yield Right("topic", settings.topic(one.name), "READ")
        yield Right("group", user or role, "READ", prefixed=True)
        return
    yield seeing(settings)
    if role == "admin":
        prefix = f"{settings.topic_prefix}."
        yield creating(settings)
        yield Right("topic", prefix, "DESCRIBE_CONFIGS", prefixed=True)
        yield Right("topic", prefix, "ALTER_CONFIGS", prefixed=True, without="`topics repair`")
        return
    yield Right("topic", settings.topic(topics.RESULTS.name), "DESCRIBE_CONFIGS", without=_CLOCK)
    yield from _topics_of(role, settings)
    yield from _groups_of(role, settings, region)


def _topics_of(role: Role, settings: Settings) -> Iterator[Right]:
    names = {role, *_COMMANDS.get(role, ())}
    besides = {(topic, operation): without for topic, operation, without in _BESIDES.get(role, ())}
    for operation in _READ_WRITE:
        for topic in topics.ALL:
            listed = topic.readers if operation == "READ" else topic.writers
            key = (topic.name, operation)
            if key in besides or names & set(listed):
                without = besides.get(key)
                yield Right("topic", settings.topic(topic.name), operation, without=without)


def _groups_of(role: Role, settings: Settings, region: str | None) -> Iterator[Right]:
    if role == "prober":
        name = settings.group(f"probe-{region or ''}")
        yield Right("group", name, "READ", prefixed=region is None)
    elif role == "stream":
        yield Right("group", settings.group("stream"), "READ")
    elif role == "sink":
        yield Right("group", settings.group("sink"), "READ")
        yield Right("group", settings.group("sink"), "DELETE", without=_REREAD)
    elif role == "notifier":
        yield Right("group", settings.group("notify"), "READ")
    elif role == "web":
        yield Right("group", settings.group("stream"), "DESCRIBE")
    if role in {"reader", *_ORDERED}:
        without = {"reader": None, "notifier": f"{WATCHDOG}, and {_ORDER}"}.get(role, _ORDER)
        yield Right("group", settings.group(""), "DESCRIBE", prefixed=True, without=without)


def grant_lines(rights: Iterable[Right], principal: str, servers: str) -> list[str]:
    """The lines of `kafka-acls.sh` that grant these rights; those of one pattern are one line."""
    together: dict[tuple[Resource, str], dict[str, list[Operation]]] = {}
    for right in rights:
        names = together.setdefault((right.resource, right.pattern), {})
        names.setdefault(right.name, []).append(right.operation)
    lines = []
    for (resource, pattern), names in together.items():
        alike: dict[tuple[Operation, ...], list[str]] = {}
        for name, operations in names.items():
            alike.setdefault(tuple(operations), []).append(name)
        for together_with, found in alike.items():
            words = ["kafka-acls.sh", "--bootstrap-server", servers]
            words += ["--command-config", "admin.properties", "--add"]
            words += ["--allow-principal", principal]
            for operation in together_with:
                words += ["--operation", tool_name(operation)]
            for name in found:
                words += [f"--{resource}", name]
            if pattern == "prefixed":
                words += ["--resource-pattern-type", pattern]
            lines.append(shlex.join(words))
    return lines


def grant_line(right: Right, principal: str, servers: str) -> str:
    """The line of `kafka-acls.sh` that grants a right."""
    (line,) = grant_lines([right], principal, servers)
    return line


def tool_name(operation: Operation) -> str:
    """An operation as tools write it: `Read`, `DescribeConfigs`."""
    return "".join(word.capitalize() for word in operation.split("_"))
