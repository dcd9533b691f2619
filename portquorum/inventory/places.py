"""The place of a target in words, and the usual port of a kind. Pure."""

from producers.kinds.registry import KINDS


def place_text(host: str | None, port: int | None) -> str:
    """`db1:5432`, `[::1]:5432`; without a port the host alone."""
    shown = f"[{host}]" if host and ":" in host else f"{host}"
    return shown if port is None else f"{shown}:{port}"


def default_port(kind: str) -> int | None:
    """The port of a target without a written one."""
    known = KINDS.get(kind)
    return None if known is None else known.port
