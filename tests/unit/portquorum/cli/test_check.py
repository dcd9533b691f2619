"""What `check` shows of an outcome."""

import time
from typing import Any

import pytest

from portquorum.cli import check
from portquorum.cli.host_port import HostPort
from portquorum.presentation.output import out
from producers.checks.model import Hop
from producers.kinds.registry import KINDS

DAY_MS = 86_400_000


def shown(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> str:
    fields: dict[str, Any] = dict.fromkeys(check.CheckAnswer.__struct_fields__)
    fields |= {"host": "a.test", "port": 443, "kind": "http", "status": "up", "hops": ()}
    monkeypatch.setattr(out(), "width", 160)
    with out().capture() as printed:
        check._show(HostPort("a.test", 443), check.CheckAnswer(**(fields | changes)))
    return " ".join(printed.get().split())


def test_the_help_names_all_kinds() -> None:
    assert ", ".join(KINDS) == check.KINDS


def test_a_certificate_says_whether_it_holds_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    now = round(time.time() * 1000)
    assert "certificate valid until" in shown(monkeypatch, cert_expires_at=now + DAY_MS)
    assert "certificate was valid until" in shown(monkeypatch, cert_expires_at=now - DAY_MS)


def test_what_is_said_of_a_target_that_is_up_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "warning ends soon" in shown(monkeypatch, detail="ends soon")
    assert "detail refused" in shown(monkeypatch, status="down", detail="refused")


def test_each_request_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Hop(
        url="http://a.test/",
        address="192.0.2.1",
        status=301,
        dns_ms=1.5,
        connect_ms=20.25,
        tls_ms=None,
        wait_ms=33.0,
        body_ms=None,
    )
    text = shown(monkeypatch, hops=(first, first))
    assert "status request DNS connect TLS first byte body" in text
    assert text.count("301 http://a.test/ 1.5 ms 20.2 ms – 33 ms –") == 2
