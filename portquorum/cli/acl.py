"""`portquorum acl`: the rights of each role in Kafka, for the tools of those who run it."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from portquorum.cli.errors import WrongUseError
from portquorum.cli.options import Json, examples
from portquorum.presentation.output import print_json

if TYPE_CHECKING:
    from foundation.kafka.rights import Role
    from portquorum.rights.grants import Grant


_NAMES = "admin, apply, prober, receiver, stream, sink, notifier, web, operator, reader, subscriber"


class Format(StrEnum):
    """Whose files these are."""

    KAFKA_ACLS = "kafka-acls"
    STRIMZI = "strimzi"
    TERRAFORM = "terraform"


HELP = examples(
    "portquorum acl > grant.sh",
    "portquorum acl --role prober --principal prober=User:CN=prober",
    "portquorum acl --format strimzi --cluster my-cluster",
    "portquorum acl --role subscriber --principal subscriber=User:status-page",
)


def acl(
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role",
            metavar="ROLE",
            help=f"May be repeated; default: all but subscriber. {_NAMES}.",
        ),
    ] = None,
    prefix: Annotated[
        str,
        typer.Option(
            "--principal-prefix", metavar="TEXT", help="Principals are User:, this, and the role."
        ),
    ] = "portquorum-",
    principal: Annotated[
        list[str] | None,
        typer.Option(
            "--principal",
            metavar="ROLE=PRINCIPAL",
            help="The principal of one role; may be repeated. Roles may share one.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option("--region", metavar="R", help="Of probers of this region alone."),
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="Lines or files of which tool.")] = (
        Format.KAFKA_ACLS
    ),
    cluster: Annotated[
        str, typer.Option("--cluster", metavar="NAME", help="Strimzi's name of the cluster.")
    ] = "my-cluster",
    json: Json = False,
) -> None:
    """Print the rights that each role needs in Kafka, and no more.

    Asks nobody: topics and groups are named by the settings alone (PORTQUORUM_TOPIC_PREFIX).
    Whoever runs Kafka reads it and grants it. What a role lacks it says by itself when it starts.
    """
    from foundation.settings import load
    from portquorum.rights import kafka_acls, strimzi, terraform
    from portquorum.rights.grants import DEFAULT, grants

    settings = load()
    roles = [_role(name) for name in role or ()] or list(DEFAULT)
    found = grants(roles, settings, prefix=prefix, named=_named(principal or []), region=region)
    if json:
        print_json({"grants": [_shown(one) for one in found]})
    elif format_ is Format.KAFKA_ACLS:
        typer.echo("\n".join(kafka_acls.lines(found, settings.kafka)))
    elif format_ is Format.TERRAFORM:
        typer.echo(terraform.text(found), nl=False)
    else:
        try:
            typer.echo(strimzi.documents(found, cluster), nl=False)
        except ValueError as error:
            raise WrongUseError(str(error)) from error


def _role(name: str) -> "Role":
    from foundation.kafka.rights import ROLES

    for role in ROLES:
        if role == name:
            return role
    raise WrongUseError(f"expected a role ({_NAMES}), found {name!r}")


def _named(given: list[str]) -> "dict[Role, str]":
    found: dict[Role, str] = {}
    for text in given:
        name, _, principal = text.partition("=")
        kind, colon, _ = principal.partition(":")
        if not kind or not colon:
            raise WrongUseError(
                f"--principal: expected ROLE=TYPE:NAME such as prober=User:prober, found {text!r}"
            )
        found[_role(name)] = principal
    return found


def _shown(grant: "Grant") -> dict[str, object]:
    return {
        "principal": grant.principal,
        "roles": grant.roles,
        "rights": [
            {
                "resource": right.resource,
                "name": right.name,
                "pattern": right.pattern,
                "operation": right.operation,
                "needed": right.without is None,
                "without": right.without,
            }
            for right in grant.rights
        ],
    }
