"""All receivers together, and the environment by which a program finds them."""

import base64
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.receivers.authority import Authority
from tests.receivers.discord import Discord
from tests.receivers.http_receiver import HttpReceiver
from tests.receivers.mattermost import Mattermost
from tests.receivers.opsgenie import Opsgenie
from tests.receivers.pagerduty import PagerDuty
from tests.receivers.slack import SlackBot, SlackWebhook
from tests.receivers.smtp import SmtpReceiver
from tests.receivers.telegram import Telegram
from tests.receivers.tunnel import Tunnel
from tests.receivers.webhook import JsonWebhook, SignedWebhook

WEBHOOK_SECRET: Final = "whsec_" + base64.b64encode(b"thirty-two bytes of a test secret").decode()

SLACK_URL: Final = "slack://T1JJ3T3L2/B1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"
SLACK_BOT_URL: Final = "slack://xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d/C0123456789"
TELEGRAM_URL: Final = "tgram://123456789:AAEf0123456789abcdefghijklmnopqrstu/12315544/"
DISCORD_URL: Final = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js/"
PAGERDUTY_KEY: Final = "0123456789abcdef0123456789abcdef"
OPSGENIE_KEY: Final = "8418d193-2dab-4490-b331-8c02cdd196b7"
NO_SUCH_NAME: Final = "no-such-host.invalid"
"""A name that never resolves (RFC 6761, section 6.4); the environment sends it past the tunnel."""


class Neighbourhood:
    """One receiver of each service. `environment` is what a program needs to find them by name."""

    def __init__(self, folder: Path) -> None:
        self.authority = authority = Authority(folder)
        self.slack = SlackWebhook(authority)
        self.slack_bot = SlackBot(authority)
        self.telegram = Telegram(authority)
        self.discord = Discord(authority)
        self.pagerduty = PagerDuty(authority)
        self.opsgenie = Opsgenie(authority)
        self.mattermost = Mattermost()
        self.json = JsonWebhook()
        self.webhook = SignedWebhook(WEBHOOK_SECRET)
        self.smtp = SmtpReceiver()
        self.tunnel = Tunnel({one.host: one for one in self.named})

    @property
    def named(self) -> tuple[HttpReceiver, ...]:
        """Those with a fixed name."""
        return (
            self.slack,
            self.slack_bot,
            self.telegram,
            self.discord,
            self.pagerduty,
            self.opsgenie,
        )

    @property
    def http(self) -> tuple[HttpReceiver, ...]:
        return (*self.named, self.mattermost, self.json, self.webhook)

    @property
    def environment(self) -> dict[str, str]:
        """Variables for requests, urllib and everything that verifies certificates."""
        return environment(self.authority, self.tunnel)

    @property
    def mattermost_url(self) -> str:
        return f"mmost://127.0.0.1:{self.mattermost.port}/3ccdd113474722377935511fc85d3dd4"

    def json_url(self, path: str = "ops") -> str:
        return f"json://127.0.0.1:{self.json.port}/{path}"

    def behave(self) -> None:
        for receiver in (*self.http, self.smtp):
            receiver.behave()

    def close(self) -> None:
        for receiver in (*self.http, self.smtp):
            receiver.close()
        self.tunnel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


def environment(authority: Authority, tunnel: Tunnel) -> dict[str, str]:
    """What a program needs to find the receivers by name: proxy and trusted authority."""
    past = "127.0.0.1,localhost,.invalid"
    return {
        "HTTPS_PROXY": tunnel.url,
        "https_proxy": tunnel.url,
        "NO_PROXY": past,
        "no_proxy": past,
        "REQUESTS_CA_BUNDLE": str(authority.bundle),
        "SSL_CERT_FILE": str(authority.bundle),
    }


def with_environment(more: dict[str, str]) -> dict[str, str]:
    """This process's environment and `more`."""
    return os.environ | more


class BlackHole:
    """A port whose connects are never answered: its queue is full and nobody accepts.

    Linux drops the first packet of a connect to a full queue, so a client waits its own time out.
    """

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port = int(self._listener.getsockname()[1])
        self._queued: list[socket.socket] = []
        # One connect more than the backlog is taken; later ones stay unanswered.
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.port))
            self._queued.append(one)

    def close(self) -> None:
        for one in (*self._queued, self._listener):
            one.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()
