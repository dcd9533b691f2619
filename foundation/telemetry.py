"""Logs (structlog) and metrics (prometheus-client) of all roles."""

import errno
import io
import json
import logging
import socket
import sys
import threading
from importlib.metadata import version
from typing import Any, Final, TextIO

import structlog
from prometheus_client import Gauge

from foundation.http_origin import Served, is_loopback
from foundation.log_throttle import LogThrottle
from foundation.metrics_server import MetricsAccess, MetricsServer, listen
from foundation.redact import redact
from foundation.settings import Settings, SettingsError
from schemas.plain_text import plain

METRICS_PORTS: Final = {
    "probe": 9410,
    "stream": 9401,
    "sink": 9402,
    "notify": 9403,
    "web": 9404,
    "receiver": 9405,
}
"""The port of each role's metrics on loopback, unless `PORTQUORUM_METRICS` says otherwise."""

_BUILD: Final = Gauge(
    "portquorum_build_info",
    "1, with the version and the role of this process.",
    ["version", "role"],
)

SELDOM_S: Final = 10.0
"""Time between two equal messages of a library: aiokafka tries an absent broker 200 times a second,
and logs each try."""

NAMED_S: Final = 1.0
"""A role's wait at its start for the machine's full name."""

_CHATTY: Final = (
    *("aiokafka", "kafka", "faust", "mode", "apprise", "urllib3", "uvicorn"),
    "clickhouse_connect",
)

_SAID_BY_ROLES: Final = frozenset({"urllib3", "clickhouse_connect"})
"""They warn at each try of what a role says once."""

_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class _Seldom(logging.Filter):
    """Lets a library's message through once in `SELDOM_S`, by its template and severity.

    So, too, what failed because the system has no descriptors or memory.
    """

    def __init__(self) -> None:
        super().__init__()
        self._throttle = LogThrottle[tuple[str, int, str]](SELDOM_S)

    def filter(self, record: logging.LogRecord) -> bool:
        is_rare = record.name.partition(".")[0] not in _CHATTY or record.exc_info
        if is_rare and not _is_of_resources(record):
            return True
        key = (record.name, record.levelno, str(record.msg)[:100])
        return self._throttle.times(key, record.created) > 0


def _is_of_resources(record: logging.LogRecord) -> bool:
    """True if the system has no descriptor or memory.

    asyncio says so of each connection that waits, 2,000 times a second, each with a traceback.
    """
    error = record.exc_info[1] if record.exc_info else None
    return isinstance(error, OSError) and error.errno in _EXHAUSTED


class _Redacting(structlog.stdlib.ProcessorFormatter):
    """Removes passwords from log lines, also from errors of libraries."""

    def __init__(self, secrets: tuple[str, ...], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Plain, and as a quoted string in a line.
        quoted = ((secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]) for secret in secrets)
        self._secrets = tuple({form for forms in quoted for form in forms})

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record), self._secrets)


def configure_logging(role: str, settings: Settings) -> None:
    """Logs to stderr: pretty on a terminal, one JSON object a line otherwise.

    Records of the standard library's loggers (aiokafka, faust) have the same format, each message
    at most once in `SELDOM_S`.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    pretty = settings.log_format == "pretty" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[structlog.typing.Processor] = (
        [_plain_values, structlog.dev.ConsoleRenderer(exception_formatter=_plain_traceback)]
        if pretty
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Redacting(
            settings.secrets,
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    handler.addFilter(_Seldom())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in _CHATTY:
        least = logging.ERROR if chatty in _SAID_BY_ROLES else logging.WARNING
        logging.getLogger(chatty).setLevel(max(level, least))
    structlog.contextvars.bind_contextvars(role=role)


def filter_logs(words: logging.Filter) -> bool:
    """Adds a filter before all others of this process's logs; False if no role has set them up."""
    handlers = [
        one for one in logging.getLogger().handlers if isinstance(one.formatter, _Redacting)
    ]
    for handler in handlers:
        handler.filters.insert(0, words)
    return bool(handlers)


def _plain_values(
    _logger: object, _name: str, record: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """The form for a terminal, which may execute control characters; JSON escapes them itself."""
    return {
        name: plain(value) if isinstance(value, str) else value for name, value in record.items()
    }


def _plain_traceback(stream: TextIO, error: structlog.typing.ExcInfo) -> None:
    whole = io.StringIO()
    structlog.dev.plain_traceback(whole, error)
    stream.write(plain(whole.getvalue()))


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound


def serve_metrics(role: str, settings: Settings) -> int:
    """Serves the metrics of this process over HTTP; returns the port.

    If the role's own port is in use (a second prober on one machine), a free one is used and
    logged; an address from the settings must be free. Access: foundation/http_origin.py, and
    `PORTQUORUM_METRICS_PASSWORD`.

    Raises:
        SettingsError: the configured address is malformed or can't be bound.
    """
    _BUILD.labels(version("portquorum"), role).set(1)
    host = "127.0.0.1"
    if settings.metrics == "auto":
        try:
            listening = listen(host, METRICS_PORTS[role])
        except OSError:
            listening = listen(host, 0)
    else:
        text, _, port = settings.metrics.rpartition(":")
        if not port.isdecimal() or int(port) > 65535:
            raise SettingsError(f"metrics: expected host:port, found {settings.metrics!r}")
        host = text.removeprefix("[").removesuffix("]") or host
        try:
            listening = listen(host, int(port))
        except OSError as error:
            raise SettingsError(f"metrics: can't listen on {settings.metrics}: {error}") from error
    served = Served(host, (*settings.http_host_names, *own_names(host)))
    MetricsServer(listening, MetricsAccess(served, settings.metrics_password)).start()
    port_number = int(listening.getsockname()[1])
    shown = f"[{host}]" if ":" in host else host
    logger(__name__).info("metrics served", address=f"http://{shown}:{port_number}/metrics")
    return port_number


def own_names(host: str) -> tuple[str, ...]:
    """The names of this machine that a server on `host` answers for; none on loopback.

    The system's lookup of the full name may be slow: after `NAMED_S` the name is left out.
    """
    if is_loopback(host):
        return ()
    found = [socket.gethostname()]
    lookup = threading.Thread(target=lambda: found.append(socket.getfqdn()), daemon=True)
    lookup.start()
    lookup.join(NAMED_S)
    return tuple(found)
