"""Rights as `KafkaUser` resources of Strimzi, one a principal.

Strimzi's user operator owns all rights of such a user: what is not listed is taken away. With SCRAM
a user's name is the resource's; with TLS its principal is `User:CN=` and that name.
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from foundation.kafka.rights import Right, tool_name
from portquorum.rights.grants import Grant

API: Final = "kafka.strimzi.io/v1"
"""Of Strimzi 0.49 and later; earlier ones have `v1beta2` with the same fields."""

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_PRINCIPAL: Final = re.compile(r"User:(CN=)?([^,=]+)")


def documents(found: Iterable[Grant], cluster: str) -> str:
    """YAML, a document for each principal; `cluster` is the name of the `Kafka` resource.

    Raises:
        ValueError: a principal that no KafkaUser can have; the text names it.
    """
    return "".join(
        "---\n" + msgspec.yaml.encode(_resource(grant, cluster)).decode() for grant in found
    )


def _resource(grant: Grant, cluster: str) -> dict[str, object]:
    written = _PRINCIPAL.fullmatch(grant.principal)
    if written is None or not _NAME.fullmatch(written[2]):
        raise ValueError(
            f"expected a principal User:NAME or User:CN=NAME with the name of a Kubernetes "
            f"resource (a-z 0-9 . -), found {grant.principal!r}"
        )
    return {
        "apiVersion": API,
        "kind": "KafkaUser",
        "metadata": {"name": written[2], "labels": {"strimzi.io/cluster": cluster}},
        "spec": {
            "authentication": {"type": "tls" if written[1] else "scram-sha-512"},
            "authorization": {"type": "simple", "acls": _rules(grant.rights)},
        },
    }


def _rules(rights: Iterable[Right]) -> list[dict[str, object]]:
    operations: dict[tuple[str, str, bool], list[str]] = {}
    for right in rights:
        key = (right.resource, right.name, right.prefixed)
        operations.setdefault(key, []).append(tool_name(right.operation))
    return [
        {
            "resource": {
                "type": resource,
                "name": name,
                "patternType": "prefix" if prefixed else "literal",
            },
            "operations": found,
        }
        for (resource, name, prefixed), found in operations.items()
    ]
