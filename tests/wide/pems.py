"""A certificate for servers of tests, and its authority."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from tests.wide.server import Pems


def made_pems(folder: Path) -> Pems:
    """Writes a certificate of 127.0.0.1 and localhost, its key and its authority into `folder`."""
    ca = trustme.CA()
    # RSA: not every old TLS library takes another key.
    made = ca.issue_cert(
        "localhost",
        "127.0.0.1",
        not_after=datetime.now(UTC) + timedelta(days=200),
        key_type=trustme.KeyType.RSA,
    )
    pair = Pems(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    ca.cert_pem.write_to_path(pair.ca)
    pair.cert.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    pair.key.write_bytes(made.private_key_pem.bytes())
    return pair
