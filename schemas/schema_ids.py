"""Identity of the schemas that others read: version and `$id`."""

from typing import Final

VERSION: Final = 1
"""Major version of all schemas: it grows with a change that a reader of the last one can't read."""

_NAMESPACE: Final = "urn:portquorum:schema"


def schema_id(name: str) -> str:
    """The `$id` of the schema `name` of `schemas/json/` and the `ce_dataschema` of its messages.

    A URN, as `urn:portquorum:schema:incidents:v1`: it names the schema, and nothing has to be
    fetched (JSON Schema 2020-12, section 8.2.1). The schema of one type has a name with `/`, as
    `incidents/IncidentEvent`. Validators and generators of types take it
    (tests/integration/contract).
    """
    return f"{_NAMESPACE}:{name}:v{VERSION}"
