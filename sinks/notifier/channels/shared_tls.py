"""One TLS context for all messages: requests reads the authorities anew for each connection.

With the authorities of the web that is 16 of the 23 ms of CPU that a message needs otherwise.
"""

import functools
import os
import ssl
from pathlib import Path
from typing import Any

import requests
import requests.utils
from requests.adapters import HTTPAdapter


class SharedTlsAdapter(HTTPAdapter):
    """requests' own adapter, with a context that is given instead of made."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> Any:
        """As requests calls it."""
        return super().init_poolmanager(*args, **more, ssl_context=self._context)

    def proxy_manager_for(self, proxy: Any, **more: Any) -> Any:
        """As requests calls it."""
        return super().proxy_manager_for(proxy, **more, ssl_context=self._context)

    def build_connection_pool_key_attributes(
        self,
        request: Any,
        verify: Any,  # noqa: ARG002
        cert: Any = None,
    ) -> Any:
        """As requests calls it; the authorities are in the context already."""
        return super().build_connection_pool_key_attributes(request, True, cert)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002
        """As requests calls it; the context verifies."""
        conn.cert_reqs = "CERT_REQUIRED"


def share(session: requests.Session, options: dict[str, Any]) -> None:
    """Lets `session` use the shared context, if `options` of its request ask for nothing special.

    A session with an adapter or a certificate of its own, or without verification, stays as it is.
    """
    verify = options.get("verify", True)
    if verify is False or options.get("cert") or session.cert:
        return
    if type(session.adapters.get("https://")) is not HTTPAdapter:
        return
    path = verify if isinstance(verify, str) else requests.utils.DEFAULT_CA_BUNDLE_PATH
    try:
        changed_at = Path(path).stat().st_mtime_ns
        context = _context(path, changed_at)
    except (OSError, ssl.SSLError):
        return  # requests says what is wrong with it.
    session.mount("https://", SharedTlsAdapter(context))


@functools.lru_cache(maxsize=8)
def _context(path: str, _changed_at: int) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    folder = os.path.isdir(path)  # noqa: PTH112 - as requests asks
    context.load_verify_locations(None if folder else path, path if folder else None)
    return context
