"""The channel `console://`: writes messages to the log, visible without any configuration."""

from typing import Any

from apprise.decorators import notify

from foundation import telemetry

SCHEME = "console"


@notify(on=SCHEME, name="portquorum console")  # type: ignore[untyped-decorator, no-untyped-call]
def console(body: str, title: str, *_args: Any, **_more: Any) -> bool:
    """Logs one message; always counts as delivered."""
    telemetry.logger("notification").warning(title, body=body)
    return True
