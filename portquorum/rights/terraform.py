"""Rights as resources of Terraform: `kafka_acl` of the provider Mongey/kafka."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from foundation.kafka.rights import Right, tool_name
from portquorum.rights.grants import Grant

_NOT_IN_LABELS: Final = re.compile(r"[^A-Za-z0-9]+")

_HEAD: Final = """\
terraform {
  required_providers {
    kafka = { source = "Mongey/kafka" }
  }
}
"""


def text(found: Iterable[Grant]) -> str:
    """A file of HCL; the provider's own settings (servers, login) are not in it."""
    return _HEAD + "".join(
        f"\n{_resource(grant.principal, right)}" for grant in found for right in grant.rights
    )


def _resource(principal: str, right: Right) -> str:
    return "\n".join(_lines(principal, right)) + "\n"


def _lines(principal: str, right: Right) -> Iterator[str]:
    if right.without is not None:
        yield f"# Without it, this does not work, and the rest does: {right.without}."
    yield f'resource "kafka_acl" "{_label(principal, right)}" {{'
    yield f"  resource_name                = {_quoted(right.name)}"
    yield f'  resource_type                = "{right.resource.capitalize()}"'
    yield f'  resource_pattern_type_filter = "{right.pattern.capitalize()}"'
    yield f"  acl_principal                = {_quoted(principal)}"
    yield '  acl_host                     = "*"'
    yield f'  acl_operation                = "{tool_name(right.operation)}"'
    yield '  acl_permission_type          = "Allow"'
    yield "}"


def _label(principal: str, right: Right) -> str:
    words = (principal.removeprefix("User:"), right.resource, right.name, right.operation.lower())
    return "_".join(_NOT_IN_LABELS.sub("_", word).strip("_") for word in words)


def _quoted(word: str) -> str:
    """A string of HCL; `${` and `%{` would begin a template."""
    return json.dumps(word, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
