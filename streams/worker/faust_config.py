"""Maps our settings to Faust's."""

import ssl
from typing import Any, Final

import faust
from mode import CrashingSupervisor

from foundation.kafka.clients import HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS, client_options
from foundation.settings import Settings
from foundation.upgrade_order import client_id

_BUFFERED: Final = 128
"""Messages that wait between Faust's consumer and the agent; each may hold 500 results."""


def configuration(settings: Settings) -> dict[str, Any]:
    """The keyword arguments of the app, except its id.

    docs/decisions/0010-acknowledgement-beside-faust.md has the reasons for what is off.
    """
    return {
        "broker": [f"kafka://{server.strip()}" for server in settings.kafka.split(",")],
        "broker_client_id": client_id("stream"),
        "broker_credentials": _credentials(settings),
        "broker_session_timeout": SESSION_TIMEOUT_MS / 1000,
        "broker_heartbeat_interval": HEARTBEAT_INTERVAL_MS / 1000,
        "broker_max_poll_records": 100,
        "consumer_auto_offset_reset": "earliest",
        "stream_buffer_maxsize": _BUFFERED,
        "stream_wait_empty": False,
        "processing_guarantee": "at_least_once",
        "agent_supervisor": CrashingSupervisor,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "store": "memory://",
        "web_enabled": False,
        "autodiscover": False,
    }


def _credentials(settings: Settings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    options = client_options(settings)
    context: ssl.SSLContext | None = options.get("ssl_context")
    if "sasl_mechanism" in options:
        return faust.SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=options["sasl_mechanism"],
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)
