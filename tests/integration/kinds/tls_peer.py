"""What one Python says of TLS servers: tls_peer.py PORT…; prints JSON. Its own libraries alone."""

import json
import socket
import ssl
import sys

from producers.kinds.tls_chain import sent_chain, verified_chain
from producers.kinds.tls_context import context
from producers.kinds.tls_records import has_certificate


def settings() -> dict[str, object]:
    made = context(verify=True)
    return {
        "flags": int(made.verify_flags),
        # An option that a later OpenSSL has is not one that is set.
        "options": int(made.options) & 0xFFFFFFFF,
        "oldest": made.minimum_version.name,
        "ciphers": [each["name"] for each in made.get_ciphers()],
        "level": getattr(made, "security_level", 2),
    }


def answer(port: int) -> dict[str, object]:
    """The outcome of a handshake, the lengths of both chains, and whether it asks for ours."""
    from_peer, to_peer, asked = ssl.MemoryBIO(), ssl.MemoryBIO(), False
    tls = context(verify=True).wrap_bio(from_peer, to_peer, server_hostname="localhost")
    outcome: str | None = None
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        while outcome is None:
            try:
                tls.do_handshake()
                outcome = tls.version() or ""
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as error:
                outcome = error.verify_message
            except ssl.SSLError as error:
                outcome = error.reason or ""
            flight = to_peer.read()
            asked = asked or has_certificate(flight)
            connection.sendall(flight)
            if outcome is None:
                came = connection.recv(65_536)
                if came:
                    from_peer.write(came)
                else:
                    from_peer.write_eof()
    chains = [len(verified_chain(tls)), len(sent_chain(tls))]
    return {"outcome": outcome, "chains": chains, "asked": asked}


if __name__ == "__main__":
    print(json.dumps([settings(), *(answer(int(port)) for port in sys.argv[1:])]))  # noqa: T201
