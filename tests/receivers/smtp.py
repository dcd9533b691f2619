"""A mail server (aiosmtpd), with STARTTLS or TLS from the first byte, that misbehaves on demand."""

import asyncio
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Final, Literal, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from msgspec import Struct

from tests.receivers.authority import Authority
from tests.receivers.faults import Certificate, Fault

_LOOK_S: Final = 0.1
_LARGEST: Final = 10 * 2**20


class Mail(Struct, frozen=True):
    """One message that was read whole; `told` as of `http_receiver.Arrival`."""

    at: float
    at_ms: int
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    encrypted: bool
    told: bool
    fault: Fault | None = None

    @property
    def subject(self) -> str:
        return str(self.message["subject"])

    @property
    def text(self) -> str:
        """What people read: the plain part, else the HTML one."""
        body = self.message.get_body(("plain", "html"))
        return "" if body is None else str(body.get_content())

    @property
    def html(self) -> str | None:
        body = self.message.get_body(("html",))
        return None if body is None else str(body.get_content())


class _Session(SMTP):
    """A connection; draws what must happen before anything is read."""

    receiver: "SmtpReceiver"

    async def _handle_client(self) -> None:
        fault = self.receiver._next_fault(before_reading=True)
        if fault is not None and self.transport is not None:
            if fault.kind == "hang_unread":
                await self.receiver._held(None)
            _reset_on_close(self.transport)
            self.transport.abort()
            return
        await super()._handle_client()


class _Control(Controller):
    receiver: "SmtpReceiver"

    def factory(self) -> SMTP:
        session = _Session(self.handler, **self.SMTP_kwargs)
        session.receiver = self.receiver
        return session


class SmtpReceiver:
    """A mail server on a free port of 127.0.0.1 until `close`.

    `starttls`: nothing else is allowed before STARTTLS. `tls`: TLS from the first byte (in Apprise
    `mailtos://`). The certificate is of `localhost`. Without either, as in Apprise `mailto://`,
    everything is plain.
    """

    def __init__(
        self,
        authority: Authority | None = None,
        security: Literal["none", "starttls", "tls"] = "none",
        certificate: Certificate = "good",
    ) -> None:
        context = None if authority is None else authority.context("localhost", certificate)
        assert (context is None) == (security == "none")
        self._mails: list[Mail] = []
        self._faults: deque[Fault] = deque()
        self._standing: Fault | None = None
        self._changed = threading.Condition()
        self._let_go = threading.Event()
        self.port = _free_port()
        more: dict[str, Any] = {}
        if security == "starttls":
            more = {"tls_context": context, "require_starttls": True}
        self._control = _Control(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=context if security == "tls" else None,
            data_size_limit=_LARGEST,
            decode_data=False,
            enable_SMTPUTF8=True,
            ready_timeout=30,
            **more,
        )
        self._control.receiver = self
        self._control.start()

    def url(self, more: str = "", scheme: str = "mailto") -> str:
        """Apprise's URL to here; `more` stands behind the addresses, as `&x=y`."""
        return (
            f"{scheme}://localhost:{self.port}/?smtp=localhost&from=monitor@example.com"
            f"&to=ops@example.com{more}"
        )

    def misbehave(self, fault: Fault, times: int | None = None) -> None:
        with self._changed:
            if times is None:
                self._standing = fault
            else:
                self._faults.extend([fault] * times)

    def behave(self) -> None:
        with self._changed:
            self._standing = None
            self._faults.clear()
            self._let_go.set()
            self._let_go = threading.Event()

    def close(self) -> None:
        self.behave()
        with suppress(AssertionError):
            self._control.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def mails(self) -> list[Mail]:
        """Everything that was read whole."""
        with self._changed:
            return list(self._mails)

    @property
    def told(self) -> list[Mail]:
        return [mail for mail in self.mails if mail.told]

    @property
    def subjects(self) -> list[str]:
        return [mail.subject for mail in self.told]

    def wait(self, condition: Callable[[Self], bool], what: str, within_s: float = 60) -> None:
        deadline = time.monotonic() + within_s
        while not condition(self):
            left = deadline - time.monotonic()
            assert left > 0, f"not within {within_s} s: {what}; {self.subjects}"
            with self._changed:
                self._changed.wait(min(left, _LOOK_S))

    # aiosmtpd calls this one.

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        fault = self._next_fault(before_reading=False)
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        refuses = fault is not None and fault.kind in {"status", "too_many", "too_long"}
        with self._changed:
            self._mails.append(
                Mail(
                    at=time.monotonic(),
                    at_ms=time.time_ns() // 1_000_000,
                    sender=envelope.mail_from or "",
                    recipients=tuple(str(name) for name in envelope.rcpt_tos),
                    message=message,
                    encrypted=session.ssl is not None,
                    told=not refuses,
                    fault=fault,
                )
            )
            self._changed.notify_all()
        if fault is None:
            return "250 2.0.0 Ok: queued as 1"
        return await self._misbehaves(server, fault)

    async def _misbehaves(self, server: SMTP, fault: Fault) -> str:
        match fault.kind:
            case "status":
                return (
                    f"{fault.status} 4.0.0 no" if fault.status < 500 else f"{fault.status} 5.0.0 no"
                )
            case "too_many":
                return "450 4.7.1 Error: too much mail, try again later"
            case "too_long":
                return "552 5.3.4 Message size exceeds fixed limit"
            case "hang":
                await self._held(None)
            case "slow":
                if not await self._held(fault.seconds):
                    return "250 2.0.0 Ok: queued as 1"
            case "garbage":
                return "no reply of SMTP"
        if server.transport is not None:
            _reset_on_close(server.transport)
            server.transport.abort()
        return "421 4.3.2 Bye"

    def _next_fault(self, *, before_reading: bool) -> Fault | None:
        with self._changed:
            first = self._faults[0] if self._faults else self._standing
            if first is None or first.kind.endswith("_unread") != before_reading:
                return None
            if self._faults:
                self._faults.popleft()
            return first

    async def _held(self, seconds: float | None) -> bool:
        """Waits; returns whether the receiver was let go before."""
        let_go = self._let_go
        until = None if seconds is None else time.monotonic() + seconds
        while until is None or time.monotonic() < until:
            if let_go.is_set():
                return True
            await asyncio.sleep(_LOOK_S)
        return False


def _free_port() -> int:
    # aiosmtpd looks at the port that it was given, so 0 is none.
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _reset_on_close(transport: asyncio.BaseTransport) -> None:
    connection = transport.get_extra_info("socket")
    with suppress(OSError, AttributeError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
