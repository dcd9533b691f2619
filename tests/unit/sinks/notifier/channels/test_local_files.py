"""Who may write the inventory reads no file of the notifier's machine by it."""

from pathlib import Path

import pytest

from sinks.notifier.channels.problem import problem
from sinks.notifier.channels.send import send
from tests.unit.sinks.notifier.channels.deliveries import delivery

DISCORD = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops"
WORKFLOWS = "workflows://host.example/643e/sig"


@pytest.mark.parametrize("url", [DISCORD, SLACK, WORKFLOWS])
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_no_file_is_sent_as_a_template(url: str, scheme: str, tmp_path: Path) -> None:
    assert problem(url, {}) is None
    secret = tmp_path / "account.json"
    secret.write_text('{"content": "private-key"}', encoding="utf-8")
    asked: list[bool] = []

    def may_send() -> bool:
        asked.append(True)
        return False

    with_file = f"{url}?template={scheme}{secret}"
    outcome = send(delivery(with_file, "opened"), may_send=may_send, env={})
    assert outcome.kind == "misconfigured", outcome
    assert not asked
    for env in (None, {}):
        found = problem(with_file, env)
        assert found is not None
        assert str(secret) not in found


@pytest.mark.parametrize("scheme", ["file", "exec", "shell", "include"])
def test_no_channel_is_a_file_or_a_program(scheme: str) -> None:
    outcome = send(delivery(f"{scheme}:///etc/passwd", "opened"), may_send=lambda: True, env={})
    assert outcome.kind == "misconfigured", outcome
