"""Certificates for the names of real services: good ones, and those that nobody may accept."""

import functools
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from tests.receivers.faults import Certificate


class Authority:
    """A certificate authority; `bundle` is the file that clients trust."""

    def __init__(self, folder: Path) -> None:
        self._trusted = trustme.CA()
        self._unknown = trustme.CA()
        self.bundle = folder / "authority.pem"
        self._trusted.cert_pem.write_to_path(self.bundle)

    @functools.lru_cache(maxsize=64)  # noqa: B019 - lives as long as the test's receivers
    def context(self, name: str, certificate: Certificate) -> ssl.SSLContext:
        """What a server of this name speaks TLS with."""
        authority = self._unknown if certificate == "self_signed" else self._trusted
        now = datetime.now(UTC)
        ends = now - timedelta(days=1) if certificate == "expired" else now + timedelta(days=30)
        asked = "another.example" if certificate == "other_name" else name
        made = authority.issue_cert(
            asked,
            not_before=now - timedelta(days=30),
            not_after=ends,
            key_type=trustme.KeyType.ECDSA,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.configure_cert(context)
        return context
