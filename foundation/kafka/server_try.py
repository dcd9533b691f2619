"""Tries one server as a client would, and says at which step it fails."""

import ssl
from collections.abc import Sequence
from socket import gaierror

from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    RequestTimedOutError,
    SaslAuthenticationFailed,
)
from aiokafka.protocol.admin import CreateTopicsRequest
from aiokafka.protocol.metadata import MetadataRequest
from msgspec import Struct

from foundation.kafka import dial
from foundation.kafka import trouble_words as words
from foundation.kafka.clients import client_options
from foundation.kafka.dial import STEP_S, Connection, NotKafkaError, TooLateError
from foundation.kafka.trouble_words import Trouble
from foundation.settings import Settings

_PROBED: tuple[type[Exception], ...] = (OSError, EOFError, TooLateError, NotKafkaError)
"""What a question beside the way of a client may end with; then nothing more is known."""


class Broker(Struct, frozen=True):
    """A broker as the cluster names it."""

    node: int
    host: str
    port: int


class ServerTry:
    """Tries of single servers with the settings' security; each opens connections of its own."""

    def __init__(self, settings: Settings, context: ssl.SSLContext | None) -> None:
        """`context` is that of the settings, None without TLS."""
        self._settings = settings
        self._context = context
        self._protocol = settings.kafka_security_protocol

    async def brokers(self, host: str, port: int) -> Trouble | Sequence[Broker]:
        """The brokers of the cluster as this server names them, or why it can't be used."""
        try:
            return await self._listener(host, port) or await self._metadata(host, port)
        except ssl.SSLError as error:
            return await self._tls(host, port, error)
        except (TooLateError, NotKafkaError, EOFError, ConnectionResetError) as error:
            return await self._ended(host, port, error)
        except gaierror as error:
            return words.name_unknown(place(host, port), host, error.strerror or str(error))
        except ConnectionRefusedError:
            return words.refused(place(host, port))
        except OSError as error:
            return words.unreachable(place(host, port), error.strerror or str(error))

    async def has_controller(self, host: str, port: int) -> bool:
        """False if the cluster's controllers do not answer.

        The request, to create no topic, is one that a broker hands on to the active controller.
        """
        connection = self._connection(host, port)
        try:
            await connection.connect()
            await connection.send(CreateTopicsRequest([], int(STEP_S * 1000), True))
        except (TimeoutError, RequestTimedOutError):
            return False
        except (KafkaError, OSError, NotImplementedError):
            return True  # it worked a moment ago, and nothing more is known
        finally:
            connection.close()
        return True

    async def _listener(self, host: str, port: int) -> Trouble | None:
        """TCP, TLS, and the requests that a broker answers before anybody has signed in."""
        addresses = await dial.resolve(host, port)
        for number, address in enumerate(addresses, 1):
            try:
                async with dial.connected(address, self._context, host) as connection:
                    return await self._greeted(place(host, port), connection)
            except (OSError, TooLateError):
                if number == len(addresses):
                    raise
        return words.name_unknown(place(host, port), host, "no address")

    async def _greeted(self, where: str, connection: Connection) -> Trouble | None:
        keys = await dial.api_versions(connection)
        if dial.METADATA not in keys:
            return words.controller_port(where)
        if not self._protocol.startswith("SASL"):
            return None
        mechanism = self._settings.kafka_sasl_mechanism
        answer = await dial.sasl_handshake(connection, mechanism)
        if answer.error == dial.ILLEGAL_SASL_STATE:
            return words.user_not_expected(where, self._protocol)
        if answer.error == dial.UNSUPPORTED_SASL_MECHANISM or mechanism not in answer.offered:
            return words.mechanism_off(where, mechanism, answer.offered)
        return None

    async def _metadata(self, host: str, port: int) -> Trouble | Sequence[Broker]:
        """Signs in and asks for the brokers, as a client does."""
        where, step = place(host, port), "sign-in"
        connection = self._connection(host, port)
        try:
            await connection.connect()
            step = "first request"
            answer = await connection.send(MetadataRequest([]))
        except SaslAuthenticationFailed:
            return self._password(where)
        except TimeoutError:
            return words.silent(where, f"answer to the {step}", STEP_S)
        except KafkaConnectionError as error:
            if isinstance(error.__cause__, ssl.SSLError):
                raise error.__cause__ from error
            return await self._wants_user(host, port) or words.closed(where, step)
        except (KafkaError, AssertionError, NotImplementedError, ValueError) as error:
            return words.refused_otherwise(where, step, f"{type(error).__name__} {error}")
        finally:
            connection.close()
        return [Broker(int(one[0]), str(one[1]), int(one[2])) for one in answer.brokers]

    def _password(self, where: str) -> Trouble:
        password = self._settings.kafka_password or ""
        return words.password_refused(
            where,
            self._settings.kafka_username or "",
            self._settings.kafka_sasl_mechanism,
            has_blank=password != password.strip(),
        )

    async def _ended(self, host: str, port: int, error: Exception) -> Trouble:
        """The other side was silent, ended the connection, or sent something else."""
        where = place(host, port)
        if isinstance(error, NotKafkaError) and error.is_tls:
            return words.tls_expected(where, self._protocol)
        if isinstance(error, TooLateError) and error.step not in {"TLS handshake", "answer"}:
            return words.silent(where, error.step, error.seconds)
        other = await self._other(host, port)
        if other is not None:
            return other
        if isinstance(error, TooLateError):
            return words.silent(where, error.step, error.seconds)
        if isinstance(error, NotKafkaError):
            return words.not_kafka(where)
        return words.closed(where, "TLS handshake" if self._context else "first request")

    async def _tls(self, host: str, port: int, error: ssl.SSLError) -> Trouble:
        where, mine = place(host, port), self._settings.kafka_cert_file
        if isinstance(error, ssl.SSLCertVerificationError):
            try:
                shown = await self._shown(host, port)
            except _PROBED:
                shown = None
            # No role should take the time to import it before it is needed.
            from foundation.kafka import peer_certificate  # noqa: PLC0415

            ca_file = self._settings.kafka_ca_file
            return peer_certificate.trouble(where, host, error, shown, ca_file)
        reason = (error.reason or str(error)).replace("_", " ").lower()
        if "alert" in reason and ("certificate" in reason or "unknown ca" in reason):
            if mine:
                return words.client_certificate_refused(where, mine, reason)
            return words.client_certificate_required(where)
        return await self._other(host, port) or words.tls_failed(where, reason)

    async def _wants_user(self, host: str, port: int) -> Trouble | None:
        """Whether a listener that ended the connection of a client without a user has SASL."""
        if self._protocol.startswith("SASL"):
            return None
        try:
            addresses = await dial.resolve(host, port)
            async with dial.connected(addresses[0], self._context, host) as connection:
                answer = await dial.sasl_handshake(connection, "PLAIN")
        except _PROBED:
            return None
        if answer.error not in {0, dial.UNSUPPORTED_SASL_MECHANISM}:
            return None
        return words.user_expected(place(host, port), self._protocol, answer.offered)

    async def _other(self, host: str, port: int) -> Trouble | None:
        """Whether the listener speaks TLS though we do not, or the other way round."""
        try:
            if self._context is None:
                await self._shown(host, port)
                return words.tls_expected(place(host, port), self._protocol)
            addresses = await dial.resolve(host, port)
            async with dial.connected(addresses[0], None, host) as connection:
                await dial.api_versions(connection)
        except _PROBED:
            return None
        return words.tls_not_spoken(place(host, port), self._protocol)

    async def _shown(self, host: str, port: int) -> bytes | None:
        """The certificate (DER) that the server shows to whoever accepts any."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # nothing is sent over this connection
        addresses = await dial.resolve(host, port)
        async with dial.connected(addresses[0], context, host) as connection:
            return connection.certificate

    def _connection(self, host: str, port: int) -> AIOKafkaConnection:
        options = client_options(self._settings)
        del options["bootstrap_servers"]
        return AIOKafkaConnection(
            host, port, client_id="portquorum", request_timeout_ms=int(STEP_S * 1000), **options
        )


def place(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
