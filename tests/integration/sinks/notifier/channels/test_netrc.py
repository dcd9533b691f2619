"""A password of ~/.netrc is no channel's."""

from pathlib import Path

import pytest

from sinks.notifier.channels.send import send
from tests.receivers.neighbourhood import Neighbourhood
from tests.unit.sinks.notifier.channels.deliveries import delivery


@pytest.mark.parametrize("entry", ["machine 127.0.0.1", "default"])
@pytest.mark.parametrize(
    ("url", "authorization"),
    [
        ("json://127.0.0.1:{}/hook", None),
        ("json://127.0.0.1:{}/hook?%2BAuthorization=Bearer%20own", "Bearer own"),
        ("webhook+http://127.0.0.1:{}/hook", None),
    ],
)
def test_no_password_of_netrc_is_sent(
    *,
    street: Neighbourhood,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    entry: str,
    url: str,
    authorization: str | None,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"{entry} login somebody password secret-of-another\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    before = len(street.json.arrivals)
    action = "trigger" if "+http" in url else "opened"
    outcome = send(delivery(url.format(street.json.port), action), may_send=lambda: True)
    assert outcome.kind == "confirmed", outcome
    (arrival,) = street.json.arrivals[before:]
    assert arrival.request.headers.get("authorization") == authorization
