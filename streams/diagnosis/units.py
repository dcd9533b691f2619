"""Formats short spans of time for people."""


def milliseconds(us: int) -> str:
    """Formats a span in µs to two digits, in a fitting unit: `0.3 ms`, `2 ms`, `340 ms`, `1.2 s`.

    Uses only integers, so that events have the same bytes on every machine.
    """
    if us >= 999_500:
        tenths = (us + 50_000) // 100_000
        return f"{tenths // 10}.{tenths % 10} s" if tenths % 10 else f"{tenths // 10} s"
    if us >= 9_950:
        return f"{(us + 500) // 1000} ms"
    tenths = max(1, (us + 50) // 100)
    return f"{tenths // 10}.{tenths % 10} ms" if tenths % 10 else f"{tenths // 10} ms"


def about(hours: int) -> str:
    """`about 9 h`, `about 3 d`."""
    return f"about {hours} h" if hours < 48 else f"about {(hours + 12) // 24} d"
