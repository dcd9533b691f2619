"""Rights as lines for a shell with Kafka's own tool, `kafka-acls.sh`."""

from collections.abc import Iterable, Iterator

from foundation.kafka.rights import ROLES, grant_lines
from portquorum.rights.grants import Grant


def lines(found: Iterable[Grant], servers: str) -> Iterator[str]:
    """The script, a line each; running it again changes nothing.

    `admin.properties` is a file of whoever may grant: how Kafka's tools sign in.
    """
    yield "#!/bin/sh -eu"
    for grant in found:
        yield ""
        for role in grant.roles:
            yield f"# {role}: {ROLES[role]}"
        yield from grant_lines(grant.needed, grant.principal, servers)
        for without, rights in grant.further.items():
            yield f"# Without it, this does not work, and the rest does: {without}."
            yield from grant_lines(rights, grant.principal, servers)
