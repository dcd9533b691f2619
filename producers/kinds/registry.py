"""All kinds of checks that a prober can make, by name."""

from typing import Final

from producers.kinds import smtp, tcp
from producers.kinds.kind import Kind

KINDS: Final[dict[str, Kind]] = {
    "tcp": tcp.KIND,
    "smtp": smtp.DIALOGUE.kind(),
}
