"""An app that answers at once, on the server of the receiver, as a process.

Its port is the first line on stdout. It reads the body, as the receiver does, and looks at nothing.
"""

import asyncio
from typing import TYPE_CHECKING

from foundation.lifecycle import stop_on_signals
from foundation.loopback_listener import loopback_listener
from portquorum.receiver.answers import OK
from portquorum.receiver.body import body_end
from portquorum.serving.front import only_lifespan
from portquorum.serving.plain_answer import say
from portquorum.serving.scopes import is_http
from portquorum.serving.server import serve

if TYPE_CHECKING:
    from portquorum.serving.scopes import Receive, Scope, Send


async def plain(scope: "Scope", receive: "Receive", send: "Send") -> None:
    """Answers as the receiver answers a report."""
    if not is_http(scope):
        await only_lifespan(scope, receive, send)
        return
    await body_end(receive)
    await say(scope, send, OK.status, OK.body, OK.headers)


async def _main() -> None:
    listening = loopback_listener("127.0.0.1:0", "bench")
    print(listening.getsockname()[1], flush=True)
    await serve(plain, listening, asyncio.Event(), stop_on_signals())


if __name__ == "__main__":
    asyncio.run(_main())
