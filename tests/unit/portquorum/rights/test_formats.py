"""`portquorum acl`: the same rights for each tool."""

import json
import re
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from foundation.kafka.rights import ROLES, Right, tool_name
from foundation.settings import Settings
from portquorum.cli import acl as acl_command
from portquorum.rights import kafka_acls, strimzi, terraform
from portquorum.rights.grants import DEFAULT, Grant, grants
from tests.commands import Said, called

SETTINGS: Final = Settings(kafka="k:1")
ALL: Final = grants(list(ROLES), SETTINGS, prefix="pq-", named={})


def rights(found: list[Grant]) -> list[tuple[str, Right]]:
    return [(one.principal, right) for one in found for right in one.rights]


def test_the_help_names_the_roles() -> None:
    assert ", ".join(ROLES) == acl_command._NAMES


def test_each_role_has_a_principal_of_its_own() -> None:
    assert [one.principal for one in ALL] == [f"User:pq-{role}" for role in ROLES]
    assert "subscriber" not in DEFAULT


def test_roles_with_one_principal_have_each_right_once() -> None:
    named = {"operator": "User:ann", "reader": "User:ann"}
    (ann,) = grants(["operator", "reader"], SETTINGS, prefix="", named=named)  # type: ignore[arg-type]
    keys = [(one.resource, one.name, one.operation) for one in ann.rights]
    assert len(set(keys)) == len(keys)
    # What one of both can't do without is needed.
    assert Right("topic", "portquorum.results", "READ") in ann.needed
    assert {*ann.needed, *(one for some in ann.further.values() for one in some)} == set(ann.rights)


def test_the_groups_of_a_subscriber_begin_with_its_name() -> None:
    named = {"subscriber": "User:status-page"}
    (one,) = grants(["subscriber"], SETTINGS, prefix="", named=named)  # type: ignore[arg-type]
    assert Right("group", "status-page", "READ", prefixed=True) in one.rights


def test_the_script_has_each_right() -> None:
    lines = list(kafka_acls.lines(ALL, "k:1"))
    assert lines[0] == "#!/bin/sh -eu"
    for line in lines[1:]:
        assert line == "" or line.startswith(("# ", "kafka-acls.sh --bootstrap-server k:1 "))
    for principal, right in rights(ALL):
        assert any(
            f"--allow-principal {principal} " in line
            and f"--operation {tool_name(right.operation)}" in line
            and f"--{right.resource} {right.name}" in line
            for line in lines
        ), right


def test_strimzi_has_one_user_a_principal() -> None:
    written = strimzi.documents(ALL, "main")
    found: list[dict[str, Any]] = [
        msgspec.yaml.decode(text) for text in written.split("---\n") if text
    ]
    assert [one["metadata"]["name"] for one in found] == [f"pq-{role}" for role in ROLES]
    for one, grant in zip(found, ALL, strict=True):
        assert one["kind"] == "KafkaUser"
        assert one["metadata"]["labels"] == {"strimzi.io/cluster": "main"}
        assert one["spec"]["authentication"] == {"type": "scram-sha-512"}
        rules = one["spec"]["authorization"]["acls"]
        listed = {
            (rule["resource"]["type"], rule["resource"]["name"], pattern, operation)
            for rule in rules
            for pattern in [rule["resource"]["patternType"]]
            for operation in rule["operations"]
        }
        assert listed == {
            (
                right.resource,
                right.name,
                "prefix" if right.prefixed else "literal",
                tool_name(right.operation),
            )
            for right in grant.rights
        }


def test_strimzi_knows_users_of_certificates_and_no_others() -> None:
    named = {"prober": "User:CN=eu.prober"}
    found = grants(["prober"], SETTINGS, prefix="", named=named)  # type: ignore[arg-type]
    one = msgspec.yaml.decode(strimzi.documents(found, "c").removeprefix("---\n"))
    assert one["metadata"]["name"] == "eu.prober"
    assert one["spec"]["authentication"] == {"type": "tls"}
    for wrong in ("User:CN=a,O=b", "User:Ann", "Group:x", "User:"):
        found = grants(["prober"], SETTINGS, prefix="", named={"prober": wrong})
        with pytest.raises(ValueError, match="Kubernetes"):
            strimzi.documents(found, "c")


def test_terraform_has_one_resource_a_right() -> None:
    text = terraform.text(ALL)
    labels = re.findall(r'^resource "kafka_acl" "(\w+)" {$', text, re.MULTILINE)
    assert len(set(labels)) == len(labels) == len(rights(ALL))
    values = re.findall(r"^  (\w+) += \"(.*)\"$", text, re.MULTILINE)
    blocks = [dict(values[at : at + 7]) for at in range(0, len(values), 7)]
    assert [
        (
            one["acl_principal"],
            one["resource_type"],
            one["resource_name"],
            one["resource_pattern_type_filter"],
            one["acl_operation"],
        )
        for one in blocks
    ] == [
        (
            principal,
            right.resource.capitalize(),
            right.name,
            right.pattern.capitalize(),
            tool_name(right.operation),
        )
        for principal, right in rights(ALL)
    ]


def test_names_begin_no_template_of_terraform() -> None:
    found = grants(["subscriber"], SETTINGS, prefix="${x}%{y}", named={})
    assert '"User:$${x}%%{y}subscriber"' in terraform.text(found)


@pytest.fixture
def acl(tmp_path: Path) -> Any:
    def run(*arguments: str) -> Said:
        return called(tmp_path, {"PORTQUORUM_TOPIC_PREFIX": "other"}, "acl", *arguments)

    return run


def test_the_command_asks_nobody(acl: Any) -> None:
    done = acl("--role", "prober", "--region", "eu", "--json")
    assert done.returncode == 0, done.stderr
    (grant,) = json.loads(done.stdout)["grants"]
    assert (grant["principal"], grant["roles"]) == ("User:portquorum-prober", ["prober"])
    names = {(one["resource"], one["name"], one["operation"]) for one in grant["rights"]}
    assert ("group", "other-probe-eu", "READ") in names
    assert ("topic", "other.results", "WRITE") in names


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--role", "probe"], "expected a role (admin, apply, prober,"),
        (["--principal", "prober=bob"], "expected ROLE=TYPE:NAME such as prober=User:prober"),
        (["--principal", "x=User:bob"], "found 'x'"),
        (["--format", "strimzi", "--principal-prefix", "PQ_"], "found 'User:PQ_admin'"),
    ],
)
def test_wrong_use_is_one_sentence(acl: Any, arguments: list[str], says: str) -> None:
    done = acl(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
