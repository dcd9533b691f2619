"""Headers of public answers."""

from http import HTTPStatus
from typing import Final

from portquorum.status_pages.model import Snapshot
from portquorum.status_pages.rendering import style
from portquorum.web.public.kept_answers import Answer

KEEP_S: Final = 5
"""Caches may give an answer to others for so long."""

NOT_FOUND: Final = b"not found\n"


def _policy() -> bytes:
    """No script at all; the style that is in the page, and no other; pictures of its own."""
    return (
        f"default-src 'none'; style-src {style()[1]}; img-src 'self' data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ).encode()


_SAFE: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"content-security-policy", _policy()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)


def headers_of(answer: Answer, page: Snapshot, now: int) -> list[tuple[bytes, bytes]]:
    """Those of an answer made of a page.

    `Age` is that of the data: what a cache adds is true. What is locked is for no cache that
    others use, and for no other site.
    """
    headers = [*_SAFE, (b"etag", answer.etag.encode())]
    if page.access != "public":
        headers.append((b"cache-control", b"private, no-cache"))
        headers.append((b"vary", b"Accept-Encoding, Cookie"))
        headers.append((b"cross-origin-resource-policy", b"same-origin"))
        return headers
    headers.append((b"vary", b"Accept-Encoding"))
    headers.append((b"access-control-allow-origin", b"*"))
    headers.append((b"cross-origin-resource-policy", b"cross-origin"))
    age = 0 if page.seen_at is None else max(0, now - page.seen_at) // 1000
    headers.append((b"age", str(age).encode()))
    lasts = f"public, max-age={age + KEEP_S}, stale-while-revalidate=30, stale-if-error=86400"
    headers.append((b"cache-control", lasts.encode()))
    return headers


def plain_headers(status: HTTPStatus, body: bytes) -> list[tuple[bytes, bytes]]:
    """Those of an answer without a page."""
    headers = [
        *_SAFE,
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"GET, HEAD"))
    return headers


def lock_headers(body: bytes) -> list[tuple[bytes, bytes]]:
    """Those of the form of a locked page."""
    return [
        *_SAFE,
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-robots-tag", b"noindex"),
    ]


def badge_headers(kind: str, body: bytes) -> list[tuple[bytes, bytes]]:
    """Those of a badge of a target: for whom it was made, and for pages of any site."""
    return [
        *_SAFE,
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"private, max-age=30"),
        (b"cross-origin-resource-policy", b"cross-origin"),
    ]
