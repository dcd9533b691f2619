"""The rights of each role, and what of them a broker's answer lacks."""

import itertools
from typing import Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.kafka.authorized import CODES, UNKNOWN, Allowed, principal, sentence
from foundation.kafka.rights import (
    ROLES,
    Operation,
    Right,
    Role,
    grant_line,
    grant_lines,
    rights_of,
    rights_of_command,
)
from foundation.settings import Settings
from schemas import topics

SETTINGS: Final = Settings(kafka="k1:9093,k2:9093", topic_prefix="pq")
OURS: Final = {topic.full_name("pq") for topic in topics.ALL}
IMPLIED: Final = {
    "DESCRIBE": {"READ", "WRITE", "DELETE", "ALTER"},
    "DESCRIBE_CONFIGS": {"ALTER_CONFIGS"},
}
"""Kafka's own: who may read may also describe."""


def answer(rights: tuple[Right, ...]) -> Allowed:
    """What a broker with exactly these rights answers, as its authorizer does."""
    groups = {"pq-stream", "pq-sink", "pq-notify", "pq-probe-eu", "subscriber-1"}
    return Allowed(
        {name: bits(rights, "topic", name) for name in OURS},
        {name: bits(rights, "group", name) for name in groups},
    )


def bits(rights: tuple[Right, ...], resource: str, name: str) -> int:
    has = {
        right.operation
        for right in rights
        if right.resource == resource
        and (name.startswith(right.name) if right.prefixed else name == right.name)
    }
    implied = {one for one, by in IMPLIED.items() if by & has}
    may = has | implied
    return sum(1 << CODES[one] for one in may) if "DESCRIBE" in may else 0


def test_every_role_of_the_type_is_listed() -> None:
    assert set(ROLES) == set(get_args(Role))


@pytest.mark.parametrize("role", ROLES)
def test_with_exactly_its_rights_a_role_lacks_nothing(role: Role) -> None:
    rights = rights_of(role, SETTINGS)
    assert len({(one.resource, one.name, one.prefixed, one.operation) for one in rights}) == len(
        rights
    )
    assert answer(rights).missing(rights) == ()


@pytest.mark.parametrize("role", ROLES)
def test_each_right_that_is_taken_away_is_found(role: Role) -> None:
    rights = rights_of(role, SETTINGS)
    for gone in rights:
        left = tuple(one for one in rights if one != gone)
        missing = answer(left).missing(rights)
        if gone.operation == "DESCRIBE_CONFIGS" and role == "admin":
            assert gone not in missing  # its ALTER_CONFIGS implies it; people may leave that out
            continue
        assert gone in missing, gone
        # Nothing else is, but what can't be used without being seen.
        assert set(missing) - {gone} <= {one for one in rights if one.resource == gone.resource}


def test_a_broker_without_an_authorizer_is_asked_once() -> None:
    everything = sum(1 << bit for bit in (3, 4, 5, 6, 7, 8, 10, 11))
    found = Allowed(dict.fromkeys(OURS, everything), {"pq-sink": 1 << 3 | 1 << 6 | 1 << 8})
    assert found.everything
    assert found.missing(rights_of("sink", SETTINGS)) == ()
    assert not answer(rights_of("sink", SETTINGS)).everything


@given(st.sampled_from(list(ROLES)))
def test_what_is_not_known_is_not_missing(role: Role) -> None:
    rights = rights_of(role, SETTINGS)
    unknown = Allowed(dict.fromkeys(OURS, UNKNOWN), {one.name: UNKNOWN for one in rights})
    assert unknown.missing(rights) == ()
    assert Allowed().missing(rights) == ()


def test_the_least_of_each_role() -> None:
    found = {role: {str(one) for one in rights_of(role, SETTINGS)} for role in ROLES}
    writes = {
        role: {one.name for one in rights_of(role, SETTINGS) if one.operation == "WRITE"}
        for role in ROLES
    }
    assert writes["prober"] == writes["receiver"] == {"pq.results"}
    assert writes["sink"] == {"pq.deadletter"}
    assert writes["subscriber"] == writes["reader"] == writes["admin"] == set()
    # Whoever can write [web] can do everything, and whoever reads it has the hashes of passwords.
    knows_web = {role for role in ROLES if any(one.endswith("topic pq.web") for one in found[role])}
    assert knows_web == {"apply", "receiver", "web", "operator"}
    assert writes["notifier"] == {
        *("pq.notifications", "pq.notifier-state", "pq.policy", "pq.results"),
    }
    creators = {role for role in ROLES if any(one.startswith("CREATE") for one in found[role])}
    assert creators == {"admin"}


def test_the_group_of_probers() -> None:
    of_all = [one for one in rights_of("prober", SETTINGS) if one.name.startswith("pq-probe")]
    assert of_all == [Right("group", "pq-probe-", "READ", prefixed=True)]
    of_eu = rights_of("prober", SETTINGS, region="eu")
    of_one = [one for one in of_eu if one.name.startswith("pq-probe")]
    assert of_one == [Right("group", "pq-probe-eu", "READ")]


def test_a_command_lacks_what_it_writes_itself() -> None:
    def written(command: str, role: Role) -> set[str]:
        found = rights_of_command(command, role, SETTINGS)
        return {one.name for one in found if one.operation == "WRITE"}

    assert written("silence", "operator") == {"pq.policy"}
    assert written("resolve", "operator") == {"pq.results"}
    assert written("token", "operator") == {"pq.web"}
    assert written("stream", "stream") >= {"pq.state", "pq.incidents"}
    assert written("checkpoint", "operator") >= {"pq.checkpoints"}


def test_a_line_of_kafkas_tool() -> None:
    right = Right("topic", "pq.results", "DESCRIBE_CONFIGS")
    assert grant_line(right, "User:CN=a b", "k:1") == (
        "kafka-acls.sh --bootstrap-server k:1 --command-config admin.properties --add "
        "--allow-principal 'User:CN=a b' --operation DescribeConfigs --topic pq.results"
    )
    both = [Right("group", "pq-", one, prefixed=True) for one in ("READ", "DELETE")]
    (line,) = grant_lines(both, "User:x", "k:1")
    assert line.endswith(
        "--operation Read --operation Delete --group pq- --resource-pattern-type prefixed"
    )


@given(st.data())
def test_the_lines_grant_what_was_asked_and_no_more(data: st.DataObject) -> None:
    role = data.draw(st.sampled_from(list(ROLES)))
    some = data.draw(st.lists(st.sampled_from(rights_of(role, SETTINGS)), unique=True))
    granted = set(itertools.chain(*(read(line) for line in grant_lines(some, "User:x", "k:1"))))
    assert granted == {(one.resource, one.name, one.pattern, one.operation) for one in some}


def read(line: str) -> set[tuple[str, str, str, str]]:
    """What a line grants, as `kafka-acls.sh` understands it: each operation on each resource."""
    words = line.split()
    pairs = list(itertools.pairwise(words))
    pattern = "prefixed" if ("--resource-pattern-type", "prefixed") in pairs else "literal"
    operations = {tool(word) for option, word in pairs if option == "--operation"}
    resources = {(kind[2:], name) for kind, name in pairs if kind in {"--topic", "--group"}}
    return {(kind, name, pattern, one) for kind, name in resources for one in operations}


def tool(word: str) -> str:
    names = {one.replace("_", "").lower(): one for one in get_args(Operation)}
    return names[word.lower()]


def test_a_sentence_says_who_what_and_the_line() -> None:
    mine = Settings(
        kafka="k:1",
        kafka_security_protocol="SASL_SSL",
        kafka_username="eu-prober",
        kafka_password="hush hush",  # noqa: S106 - of this test alone
    )
    said = sentence(mine, [Right("topic", "pq.results", "WRITE")])
    assert said == (
        "User:eu-prober lacks the right WRITE on topic pq.results. Who runs Kafka grants it: "
        "kafka-acls.sh --bootstrap-server k:1 --command-config admin.properties --add "
        "--allow-principal User:eu-prober --operation Write --topic pq.results"
    )
    many = sentence(mine, rights_of("web", SETTINGS))
    assert "`portquorum acl` prints all" in many
    assert "hush" not in said + many


def test_the_principal_without_a_user() -> None:
    assert principal(Settings()) == "User:ANONYMOUS"
    missing = Settings(kafka_security_protocol="SSL", kafka_cert_file="/nowhere.pem")
    assert principal(missing) == "User:CN=… (the subject of PORTQUORUM_KAFKA_CERT_FILE)"
