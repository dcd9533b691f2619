import apprise
import pytest

from sinks.notifier.delivery import Deliverer
from sinks.notifier.message import Text


class Strange:
    """The answer of a plugin that can't say why it failed."""

    def __bool__(self) -> bool:
        return False

    def logs(self) -> list[object]:
        raise ValueError("no log for json://127.0.0.1/tops3cret")


async def test_a_fault_in_what_apprise_says_is_an_outcome_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(apprise.Apprise, "notify", lambda *_args, **_more: Strange())
    deliverer = Deliverer()
    try:
        outcome = await deliverer.deliver("json://127.0.0.1/tops3cret", Text("subject", "body"))
    finally:
        deliverer.close()
    assert outcome.error is not None
    assert outcome.error.startswith("ValueError: no log for")
    assert "tops3cret" not in outcome.error
    assert not outcome.final
