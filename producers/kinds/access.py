"""The words by which servers say that a stranger may not come in.

A server that says so is alive. Most of them have a code for it, which their kind knows; poolers and
proxies use codes of other meanings. Real texts, with their sources, are in
`tests/unit/producers/kinds/test_access.py`.
"""

from typing import Final

LOGIN: Final = (
    rb"(?i:NOAUTH|(?:authentication|auth|login) (?:is )?required|not authenticated"
    rb"|operation not permitted)"
)
"""It wants a login first."""

UNKNOWN: Final = (
    rb"(?i:no such (?:user|database)|no pool configured for"
    rb"|(?:tenant|user|database|route)\b[^\0\r\n]{0,120}\b(?:not found|is disabled)"
    rb"|endpoint id is not specified)"
)
"""It knows no such user or database."""

TLS: Final = (
    rb"(?i:ssl connection (?:is )?required|requires? (?:tls|ssl)|insecure connections?"
    rb"|(?:must|should) use (?:ssl|tls))"
)
"""It wants TLS."""
