"""The settings of TLS, the same with every Python and every configuration of OpenSSL.

Python 3.13 sets other flags than 3.11 and 3.12, Debian builds its Python with other ciphers than
python.org, and `openssl.cnf` may set versions, options and ciphers: nothing of that decides here.
What remains of `openssl.cnf` are the cipher suites of TLS 1.3, groups and signature algorithms.
This module uses the standard library alone.
"""

import os
import re
import ssl
from functools import lru_cache
from pathlib import Path
from typing import Final

# As curl: a certificate in the trust store is an anchor, also if it is no root, and what RFC 5280
# demands beyond the signatures (key identifiers among others) is not required: VERIFY_X509_STRICT
# refuses certificates that browsers and curl take.
_FLAGS: Final = ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_X509_PARTIAL_CHAIN
# The level of Debian, Ubuntu, Fedora, and of OpenSSL itself from 3.2 on: keys of RSA and DH have
# at least 2048 bits. All suites that OpenSSL has by default: curl takes them.
_CIPHERS: Final = "DEFAULT:@SECLEVEL=2"
_OPTIONS: Final = (
    ssl.OP_ALL
    | ssl.OP_NO_SSLv2
    | ssl.OP_NO_SSLv3
    | ssl.OP_NO_COMPRESSION
    | ssl.OP_ENABLE_MIDDLEBOX_COMPAT
    | ssl.OP_IGNORE_UNEXPECTED_EOF
)
# c_rehash(1): the hash of the subject's name, and a number.
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")


class TrustStoreError(Exception):
    """The prober has no certificates of authorities: no server could be verified."""


@lru_cache(maxsize=16)
def context(*, verify: bool, names: bool = True, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    """A context with the system's trust store (or SSL_CERT_FILE); trusts all without `verify`.

    Without `names` the caller must look whether the certificate is of the host. `alpn` are the
    protocols that are offered (RFC 7301), none by default. An error is not kept: the next call
    looks again.

    Raises:
        TrustStoreError: the trust store has no certificates, or SSL_CERT_FILE can't be read.
    """
    return made(verify=verify, names=names, alpn=alpn)


def made(*, verify: bool, names: bool = True, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    """As `context`, and of nobody else, so that the caller may change it."""
    new = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    new.minimum_version = ssl.TLSVersion.TLSv1_2
    new.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
    new.options = _OPTIONS
    new.set_ciphers(_CIPHERS)
    if alpn:
        new.set_alpn_protocols(list(alpn))
    if verify:
        new.check_hostname = names
        new.verify_flags = _FLAGS
        new.hostname_checks_common_name = True  # only of a certificate without other names
        _load_trust_store(new)
    else:
        new.check_hostname = False
        new.verify_mode = ssl.CERT_NONE
    return new


def _load_trust_store(made: ssl.SSLContext) -> None:
    paths = ssl.get_default_verify_paths()
    file = os.environ.get(paths.openssl_cafile_env)
    folders = os.environ.get(paths.openssl_capath_env) or paths.openssl_capath
    if file:
        # OpenSSL ignores a file that it can't read, and then all servers were "not trusted".
        try:
            made.load_verify_locations(cafile=file, capath=folders)
        except (OSError, ValueError) as error:
            known = error.reason if isinstance(error, ssl.SSLError) else None
            why = known or (error.strerror if isinstance(error, OSError) else None) or str(error)
            expected = f"expected certificates of authorities in {file} (SSL_CERT_FILE)"
            raise TrustStoreError(f"{expected}, found none: {_plain(why)}") from error
    else:
        made.set_default_verify_paths()
    if made.cert_store_stats()["x509"] == 0 and not _has_certificates(folders):
        where = " or ".join(filter(None, (file or paths.openssl_cafile, folders)))
        raise TrustStoreError(
            f"expected certificates of authorities in {where}, found none: install the package "
            "ca-certificates, or name a file of them in SSL_CERT_FILE"
        )


def _has_certificates(folders: str) -> bool:
    """Whether OpenSSL would find certificates in one of the folders, which it reads later."""
    for folder in folders.split(os.pathsep):
        try:
            if any(_HASHED.fullmatch(entry.name) for entry in Path(folder or ".").iterdir()):
                return True
        except OSError:
            continue
    return False


def _plain(why: str) -> str:
    return why.replace("_", " ").lower() if why.isupper() else why
