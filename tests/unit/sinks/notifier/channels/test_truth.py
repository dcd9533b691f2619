"""What is believed of a plugin that says yes or no, by what passed over the network."""

import pytest

from sinks.notifier.channels.by_apprise import _of_exchanges
from sinks.notifier.channels.exchange import Exchange


def login(status: int = 200) -> Exchange:
    return Exchange(method="POST", carried=False, status=status, body=b"{}")


def message(status: int = 200, body: bytes = b"", *, whole: bool = True) -> Exchange:
    return Exchange(method="POST", carried=True, status=status, body=body, whole=whole)


LOST = Exchange(method="POST", carried=True, status=200, became_get=True)


@pytest.mark.parametrize(
    ("exchanges", "sent", "kind", "said"),
    [
        ([message()], True, "confirmed", ""),
        ([login(), message()], True, "confirmed", ""),
        ([login(404), message()], True, "confirmed", ""),
        ([message(401), login(), message()], True, "confirmed", ""),
        ([login()], True, "confirmed", ""),
        ([message(500)], True, "unreachable", "500"),
        ([message(200, b'{"ok": false, "error": "no"}')], True, "refused", "no"),
        ([message(200, b'{"errcode": 93000}')], True, "misconfigured", "93000"),
        ([LOST], True, "misconfigured", "redirect"),
        ([login(401)], False, "misconfigured", "401"),
        ([login(), message(500)], False, "unreachable", "500"),
        ([message(), message(404)], False, "confirmed", "not all targets"),
        ([message(), login(404)], False, "confirmed", "not all targets"),
        ([message(404), message(500)], False, "unreachable", "500"),
        ([message(200, b"{", whole=False)], False, "uncertain", "broke off"),
        ([message(200, b"what?")], False, "refused", "takes the answer for a refusal"),
    ],
)
def test_the_kind(exchanges: list[Exchange], sent: bool, kind: str, said: str) -> None:
    finding = _of_exchanges("slack", exchanges, ["Slack said no"], sent=sent)
    assert finding.kind == kind
    assert said in (finding.error or "")
    assert (finding.error is None) == (kind == "confirmed" and not said)
