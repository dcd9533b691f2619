"""What the role gives to the public side."""

from pathlib import Path
from typing import Any

import pytest

from foundation.settings import Settings
from portquorum.access.rules import access_rules
from portquorum.web.public.app import PublicApp
from portquorum.web.public.assembly import public_side
from tests.unit.portquorum.web.access.memory_journal import MemoryJournal


@pytest.mark.parametrize(("peer", "home"), [("127.0.0.1", "https"), ("192.0.2.1", "http")])
def test_a_proxy_of_the_settings_says_that_the_browser_spoke_tls(
    tmp_path: Path, peer: str, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the addresses in feeds behind a proxy with TLS would be of plain HTTP."""
    found: list[Any] = []
    made = PublicApp.__init__

    def remembered(self: PublicApp, parts: Any) -> None:
        found.append(parts)
        made(self, parts)

    monkeypatch.setattr(PublicApp, "__init__", remembered)
    settings = Settings(data_dir=tmp_path, web_proxies="127.0.0.1")
    nothing: Any = None
    public_side(
        settings,
        MemoryJournal(),
        nothing,
        nothing,
        keys=nothing,
        door=nothing,
        rules=access_rules(settings),
    )
    scope: Any = {
        "scheme": "http",
        "client": (peer, 1),
        "headers": [(b"x-forwarded-proto", b"https")],
    }
    assert len(found) == 2
    assert {one.is_secure(scope) for one in found} == {home == "https"}
