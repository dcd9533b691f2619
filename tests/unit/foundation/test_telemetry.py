import errno
import logging
import socket
import struct
import urllib.request

import pytest
from prometheus_client import Counter

from foundation import telemetry
from foundation.settings import Settings, SettingsError
from foundation.telemetry import serve_metrics

RESETS = struct.pack("ii", 1, 0)


@pytest.mark.parametrize("wrong", ["127.0.0.1:99999", "127.0.0.1", "here"])
def test_an_address_that_is_none_is_said(wrong: str) -> None:
    with pytest.raises(SettingsError, match="expected host:port"):
        serve_metrics("stream", Settings(metrics=wrong))


def test_a_reset_connection_is_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    port = serve_metrics("stream", Settings(metrics="127.0.0.1:0"))
    Counter("portquorum_test_resets", "for this test").inc()
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port)) as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
    url = f"http://127.0.0.1:{port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert b"portquorum_test_resets_total 1.0" in answer.read()
    assert "Traceback" not in capfd.readouterr().err


def test_what_the_system_has_no_descriptors_for_is_said_seldom(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Of each connection that waits to be accepted asyncio says it: 4 MB of log within seconds."""
    telemetry.configure_logging("web", Settings(log_format="json"))
    for error in (OSError(errno.EMFILE, "no descriptor"), OSError(errno.EIO, "broken")):
        for _ in range(100):
            logging.getLogger("asyncio").error("not accepted", exc_info=error)
    said = capfd.readouterr().err.splitlines()
    assert len([one for one in said if "no descriptor" in one]) == 1
    assert len([one for one in said if "broken" in one]) == 100
