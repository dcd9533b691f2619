"""The cluster's own certificate authority; its files are as Java and OpenSSL read them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization


class Authority:
    """Issues certificates; clients and brokers trust those in `file`."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self.file = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def issue(
        self, file: str, name: str, *addresses: str, ends_in: timedelta = timedelta(days=30)
    ) -> Path:
        """Writes a key (PKCS #8: Kafka reads no other) and its certificates; returns the file.

        Args:
            file: its name in the cluster's folder.
            name: the common name, which is the principal of a client (`User:NAME`).
            addresses: names and addresses that a server is called by; a client needs none.
            ends_in: from now; negative for a certificate that has expired.
        """
        now = datetime.now(UTC)
        made = self._ca.issue_cert(
            *(addresses or (f"{name}.example",)),
            common_name=name,
            # Kafka takes a renewed certificate only for the same distinguished name.
            organization_unit_name="tests",
            not_before=now - timedelta(days=60),
            not_after=now + ends_in,
        )
        key = serialization.load_pem_private_key(made.private_key_pem.bytes(), None)
        path = self._folder / file
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + b"".join(part.bytes() for part in made.cert_chain_pems)
        )
        return path
