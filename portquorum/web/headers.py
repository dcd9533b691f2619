"""Headers of every answer: what a browser may do with it."""

from typing import Final

# What is not named is forbidden: plugins, frames, workers, other origins.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content Security Policy Level 3. No inline script or style: a name that slips through as markup
does nothing."""

SECURITY: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),  # browsers without frame-ancestors
    # With no-referrer browsers send `Origin: null` with each form, which is everybody's.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)

REVALIDATE: Final = b"private, no-cache"
"""Whatever may change: a cache asks first, by the ETag."""

VARY: Final = b"Accept, Accept-Encoding, Cookie"
"""What an answer depends on beside its URL: JSON or CSV, packed or not, theme and time zone."""

FOREVER: Final = "public, max-age=31536000, immutable"
"""Whatever has its digest in its URL. It depends on no cookie: the first visit sets one, and a
cache would not know the files again."""


def completed(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with those that every one has; a handler's own ones win."""
    present = {name.lower() for name, _ in headers}
    vary = b"Accept-Encoding" if (b"cache-control", FOREVER.encode()) in headers else VARY
    added = [header for header in SECURITY if header[0] not in present]
    if b"cache-control" not in present:
        added.append((b"cache-control", REVALIDATE))
    kept = [header for header in headers if header[0].lower() != b"vary"]
    return [*kept, *added, (b"vary", vary)]
