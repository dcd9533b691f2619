"""The link that makes the first user, an admin: for who looks at the terminal of a first `up`."""

import secrets
import time
from typing import Final

from aiokafka.errors import KafkaError

from foundation.kafka import TopicMismatchError
from foundation.settings import Settings
from portquorum.access.tokens import digest
from portquorum.journal.journal import opened
from schemas.duration import DAY_MS
from schemas.web import Audit, Invitation, User

WITHIN_S: Final = 10.0
BY: Final = "portquorum up"


async def first_user_link(settings: Settings, page: str, *, within_s: float = WITHIN_S) -> str:
    """The link's address below that of the page (`http://…/`).

    Empty: it is not the first start, or Kafka does not answer in time (`portquorum user link`
    makes one later). The topic [web] is empty at a first start alone.
    """
    try:
        async with opened(settings, within_s) as journal:
            if journal.book.clock or journal.book.all(User):
                return ""
            secret = secrets.token_urlsafe(32)
            now = time.time_ns() // 1_000_000
            change = secrets.token_hex(8)
            invitation = Invitation(
                id=digest(secret), scope="admin", by=BY, expires_at=now + DAY_MS
            )
            audit = Audit(
                id=change,
                at=now,
                by=BY,
                action="add link",
                about="admin",
                detail="made a link for the first user, an admin",
            )
            await journal.put([invitation, audit])
    except (KafkaError, TopicMismatchError, OSError, TimeoutError):
        return ""
    return f"{page}welcome?invitation={secret}"
