"""The link of a first `up`, on a real broker."""

import pytest

from foundation.kafka import create_topics
from foundation.settings import Settings
from portquorum.access.tokens import digest
from portquorum.journal.journal import opened
from portquorum.supervisor.first_user import first_user_link
from schemas.web import Audit, Invitation

PAGE = "http://127.0.0.1:9480/"


async def test_only_a_first_start_has_a_link(kafka: str, request: pytest.FixtureRequest) -> None:
    settings = Settings(kafka=kafka, topic_prefix=request.node.name[:80], partitions=1)
    await create_topics(settings)
    link = await first_user_link(settings, PAGE)
    assert link.startswith(f"{PAGE}welcome?invitation=")
    secret = link.partition("=")[2]
    assert len(secret) >= 43
    assert await first_user_link(settings, PAGE) == ""
    async with opened(settings, 60) as journal:
        (found,) = journal.book.every(Invitation).values()
        assert (found.id, found.scope, found.teams) == (digest(secret), "admin", ())
        (entry,) = journal.book.every(Audit).values()
        assert secret not in repr(entry)


async def test_without_kafka_there_is_no_link_and_up_goes_on() -> None:
    settings = Settings(kafka="127.0.0.1:9", partitions=1)
    assert await first_user_link(settings, PAGE, within_s=0.5) == ""
